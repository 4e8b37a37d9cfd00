/** Which pages are printed, and from what. */
import { gearman } from "../../../modules/gearman/index.ts";
import { json } from "../../../modules/json/index.ts";
import { obrien } from "../../../modules/obrien/index.ts";
import { standard } from "../../../modules/standard/index.ts";
import { errorsPage } from "./errors-page.ts";
import { referencePage } from "./reference-page.ts";

/** Text by path from the project's directory. */
export const printedPages = (): Map<string, string> =>
  new Map([
    ["docs/reference/builtins.md", referencePage("Built-in functions", standard())],
    ["docs/reference/json.md", referencePage("JSON", json())],
    ["docs/reference/gearman.md", referencePage("GEARMAN", gearman())],
    ["docs/reference/obrien.md", referencePage("OBRIEN", obrien({ directory: "." }))],
    ["docs/errors.md", errorsPage()],
  ]);
