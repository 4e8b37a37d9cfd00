/** The standard module: every built-in function of the language as rows (language.md §12). */
import { defineModule, type HostModule, type Row } from "../../runtime/host.ts";
import { buildingRows } from "./building.ts";
import { collectionRows } from "./collections.ts";
import { environmentRows } from "./environment.ts";
import { fileRows } from "./files.ts";
import { formatRows } from "./format.ts";
import { inputRows } from "./input.ts";
import { jsonTextRows } from "./json-text.ts";
import { numberRows } from "./numbers.ts";
import { openStandardState, type StandardState } from "./state.ts";
import { stringRows } from "./strings.ts";
import { encodingRows } from "./text-encodings.ts";
import { timeRows } from "./time.ts";

export type { StandardState } from "./state.ts";

/** The built-ins by area, in the order of the reference page. */
export const STANDARD_AREAS = {
  Strings: [...stringRows, ...buildingRows, ...formatRows],
  "Text encodings and bytes": encodingRows,
  Numbers: numberRows,
  "Collections and types": collectionRows,
  JSON: jsonTextRows,
  Time: timeRows,
  Input: inputRows,
  "Environment and errors": environmentRows,
  Files: fileRows,
} as const satisfies Record<string, readonly Row<StandardState>[]>;

/** All built-ins. A sandbox passes a module with fewer rows, or a host with fewer parts. */
export const standard = (): HostModule<StandardState> =>
  defineModule<StandardState>({
    name: "",
    throwsOnlyErrors: true,
    doc: "The built-in functions.",
    rows: Object.values(STANDARD_AREAS).flat(),
    open: ({ host }) => openStandardState(host),
    async close({ openFiles }) {
      openFiles.closeAll();
    },
  });
