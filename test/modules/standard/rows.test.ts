/** The table of built-ins as a whole: flags as language.md §12 marks them, and no row without a test. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { json } from "../../../modules/json/index.ts";
import { standard } from "../../../modules/standard/index.ts";
import type { FunctionRow } from "../../../runtime/host.ts";

const rows = standard().rows as readonly FunctionRow<never>[];
const named = (isWanted: (row: FunctionRow<never>) => boolean): string[] =>
  rows
    .filter(isWanted)
    .map((row) => row.name)
    .sort();
const words = (text: string): string[] => text.trim().split(/\s+/).sort();

test("upstream's built-ins always win; all others give way to a program's own names", () => {
  expect(named((row) => !row.yields)).toEqual(
    words(`
    LEN LEFT$ RIGHT$ MID$ INSTR UCASE$ LCASE$ TRIM$ CHR$ ASC% STRING$
    HTML$ HTML ESCAPE$ UNESCAPE$ URLENCODE$ URLDECODE$ BASE64_ENCODE$ BASE64_DECODE$ TYPE$ DESCRIBE$
    ARRAY_ROWS% ARRAY_COLS% JSON_PARSE$ JSON_STRINGIFY$ SLEEP INPUT$ INPUT INKEY$ INKEY% INPUTC$ ENV$ LOADENV%
    READFILE$ WRITEFILE APPENDFILE COPY MOVE RENAME DELETE MKDIRS% DIR$
    FOPEN FCLOSE FFLUSH FEOF FWRITE FWRITELN FSEEK FTELL& FREAD$ FREADLINE$`),
  );
});

test("INTEGER results are those that are marked so", () => {
  expect(named((row) => row.isInteger)).toEqual(
    words(`LEN INSTR INSTR_BASIL ASC% ASC CONTAINS% STARTSWITH% ENDSWITH% BYTES% ASCB% UBOUND LBOUND HASKEY% NOW%
    FOPEN ERR% ERRLINE%`),
  );
});

test("these may be written without parentheses", () => {
  expect(named((row) => row.niladic)).toEqual(words("TIMER DATE$ TIME$ NOW% RND ARGS HOST$ UUID$ ERR% ERRLINE% ERRNAME$"));
});

test("these wait", () => {
  expect(named((row) => row.waits)).toEqual(words("SLEEP INPUT$ INPUT INKEY$ INKEY% INPUTC$"));
});

test("names are unique", () => {
  expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
});

test("every row is called by a test of this directory or of the module JSON", () => {
  const sources = [new URL("./", import.meta.url), new URL("../json/", import.meta.url)].flatMap((directory) =>
    readdirSync(directory)
      .filter((file) => file !== "rows.test.ts")
      .map((file) => readFileSync(new URL(file, directory), "utf8")),
  );
  const all = [...rows, ...json().rows].map((row) => row.name);
  expect(all.filter((name) => !sources.some((source) => source.includes(`"${name}"`)))).toEqual([]);
});
