/** Third part of the language benchmark: how many lines a second are parsed and compiled, once the compiler is warm. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, print, type Verdicts } from "./figures.ts";

const LINES_PER_SECOND_BAR = 25_000;
const LINES = 20_000;

/** A routine and a stretch of main as a program might hold them; `#` becomes a number that makes names differ. */
const CHAPTER = `' Chapter #: orders, totals and a report
FUNC net#(amount, rate)
  IF amount < 0 THEN RETURN 0
  LET discount = 0
  SELECT CASE amount
    CASE 0 TO 99
      discount = 0
    CASE 100 TO 999
      discount = amount * 0.05
    CASE ELSE
      discount = amount * 0.1 + rate
  END SELECT
  RETURN amount - discount
END FUNC

SUB report#(title$, values, count%)
  LET sum = 0
  FOR i% = 1 TO count%
    IF values(i%) > 10 AND values(i%) <> 99 THEN
      sum = sum + net#(values(i%), 0.5) * 2
    ELSEIF values(i%) = 0 THEN
      CONTINUE
    ELSE
      sum = sum - values(i%) MOD 7
    END IF
  NEXT
  PRINT title$; ": "; sum; " of "; count%
END SUB

DIM amounts#(20)
DIM names#$(20)
FOR i% = 1 TO 20
  amounts#(i%) = (i% * 37 + #) MOD 250
  names#$(i%) = "customer " + STR$(i%)
NEXT
report#("Report #", amounts#(), 20)
stock# = {"apples": #, "pears": [1, 2, 3], "plums": "ripe"}
stock#["apples"] = stock#["apples"] + LEN(names#$(3))
TRY
  left# = stock#["cherries"]
CATCH e$
  PRINTLN "no cherries: #{e$}"
END TRY
n# = 0
DO WHILE n# < 5
  n# = n# + 1
  IF n# = 3 THEN PRINT "three"; ELSE PRINT n#, "and so on"
LOOP
text#$ = UCASE$(LEFT$(names#$(1), 4)) + MID$("abcdef", 2, 3) // joined
IF INSTR(text#$, "CUST") > 0 THEN PRINT JSON.STRINGIFY$(stock#)
`;

/** A program of exactly 20,000 lines. */
export function longProgram(): string {
  const lines: string[] = [];
  for (let chapter = 1; lines.length < LINES; chapter++) {
    const text = CHAPTER.replace(/#(?!\{)/g, `${chapter}`);
    lines.push(...text.split("\n"));
  }
  return `${cutToStatements(lines).join("\n")}\n`;
}

/** Chapters that fit as a whole, and comments up to the number of lines. */
function cutToStatements(lines: readonly string[]): string[] {
  const inChapter = CHAPTER.split("\n").length;
  const whole = lines.slice(0, Math.floor(LINES / inChapter) * inChapter);
  return [...whole, ...Array.from({ length: LINES - whole.length }, (_, at) => `PRINT "line ${at}"`)];
}

export function measureCompileSpeed(
  { repeats, distDirectory, workDirectory }: { repeats: number; distDirectory: string; workDirectory: string },
  verdicts: Verdicts,
): void {
  const file = join(workDirectory, "long.basil");
  writeFileSync(file, longProgram());
  const timer = fileURLToPath(new URL("time-compile.mjs", import.meta.url));
  const ended = spawnSync(process.execPath, [timer, join(distDirectory, "index.mjs"), file, `${repeats}`], {
    encoding: "utf8",
    timeout: 300_000,
  });
  if (ended.status !== 0) throw new Error(`compiling the long program failed: ${ended.stdout}${ended.stderr}`);
  const [first, ...others] = ended.stdout.trim().split(/\s+/).map(Number);
  // The compiler's own code is compiled while it works: the first half of the repeats is its warm-up.
  const warm = others.slice(Math.floor(others.length / 2));
  print(
    `${LINES.toLocaleString("en")} lines: first ${first!.toFixed(2)} s with the parser loaded, then ${median(warm).toFixed(2)} s`,
  );
  verdicts.atLeast("compiling after warm-up", LINES / median(warm), LINES_PER_SECOND_BAR, " lines/s");
}
