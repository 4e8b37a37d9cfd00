/** First part of the language benchmark: the same programs in several languages, in interleaved rounds of processes. */
import { geometricMean, median, print, printTable, type Verdicts } from "./figures.ts";
import { BASIL, isInstalled, isWritten, JAVASCRIPT, LANGUAGES, type Language, LUA, runOnce } from "./languages.ts";
import { type BenchProgram, LUA_SPEED_BAR, MEAN_RATIO_BAR, PROGRAMS } from "./programs.ts";

export interface SpeedOptions {
  /** How often each program runs in each language. */
  readonly repeats: number;
  /** The part of the usual rounds that is run. */
  readonly share: number;
  /** The only program to run; all when undefined. */
  readonly only: string | undefined;
  readonly distDirectory: string;
  /** What comes of each run, as it happens. */
  readonly onProgress: (text: string) => void;
}

/** The seconds of one program in every language, one entry a repeat, counted up to all of the program's rounds. */
type Times = ReadonlyMap<Language, readonly number[]>;

export function measureSpeed(options: SpeedOptions, verdicts: Verdicts): void {
  const languages = LANGUAGES.filter((language) => {
    const isHere = isInstalled(language);
    if (!isHere) print(`${language.name} is not installed: left out`);
    return isHere;
  });
  const programs = PROGRAMS.filter(({ name }) => options.only === undefined || name === options.only);
  const compileMs: number[] = [];
  const all = programs.map((program) => ({ program, times: measureProgram(program, languages, compileMs, options, verdicts) }));
  options.onProgress("");
  report(all, languages, verdicts);
  print(`compiling is not in these times: first compilation in a process, parser loaded, ${median(compileMs).toFixed(0)} ms`);
}

function measureProgram(
  program: BenchProgram,
  languages: readonly Language[],
  compileMs: number[],
  { repeats, share, distDirectory, onProgress }: SpeedOptions,
  verdicts: Verdicts,
): Times {
  const roundsOf = (language: Language): number => Math.max(1, Math.round(program.rounds * language.share * share));
  const written = languages.filter((language) => isWritten(program, language));
  const times = new Map(written.map((language) => [language, [] as number[]]));
  const expected = new Map<number, string>();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const language of repeat % 2 === 0 ? written : [...written].reverse()) {
      onProgress(`${program.name} ${repeat + 1}/${repeats} ${language.name}`);
      const rounds = roundsOf(language);
      const timing = runOnce(program, language, rounds, distDirectory);
      if (!expected.has(rounds)) expected.set(rounds, runOnce(program, JAVASCRIPT, rounds, distDirectory).result);
      if (timing.result !== expected.get(rounds)) {
        verdicts.wrong(`${program.name}: ${language.name} found ${timing.result}, JavaScript ${expected.get(rounds)}`);
      }
      times.get(language)!.push(timing.seconds * ((program.rounds * share) / rounds));
      if (language === BASIL) compileMs.push(timing.extra[0]! * 1000);
    }
  }
  return times;
}

interface Measured {
  readonly program: BenchProgram;
  readonly times: Times;
}

/** The median over the repeats of one language's time by the other's: what disturbs the machine hits both alike. */
function ratio({ times }: Measured, language: Language, by: Language): number | undefined {
  const [above, below] = [times.get(language), times.get(by)];
  return above && below && median(above.map((seconds, repeat) => seconds / below[repeat]!));
}

const shown = (value: number | undefined): string => value?.toFixed(2) ?? "–";

function report(all: readonly Measured[], languages: readonly Language[], verdicts: Verdicts): void {
  const heading = ["program", ...languages.map(({ name }) => `${name} s`), "Basil/JavaScript", "bar", "Lua/Basil", ""];
  const rows = all.map((one) => {
    const basil = ratio(one, BASIL, JAVASCRIPT)!;
    const seconds = languages.map((language) => one.times.get(language)).map((times) => shown(times && median(times)));
    const verdict = basil <= one.program.ratioBar ? "met" : verdicts.isQuick ? "" : "MISSED";
    return [one.program.title, ...seconds, shown(basil), `${one.program.ratioBar}`, shown(ratio(one, LUA, BASIL)), verdict];
  });
  printTable([heading, ...rows]);
  const ratios = all.map((one) => ratio(one, BASIL, JAVASCRIPT)!);
  const overLua = all.flatMap((one) => ratio(one, LUA, BASIL) ?? []);
  print();
  verdicts.atMost("Basil/JavaScript, geometric mean", geometricMean(ratios), MEAN_RATIO_BAR, "×");
  for (const one of all) {
    const basil = ratio(one, BASIL, JAVASCRIPT)!;
    if (basil > one.program.ratioBar) verdicts.atMost(`Basil/JavaScript, ${one.program.title}`, basil, one.program.ratioBar, "×");
  }
  print(`Basil/JavaScript, highest: ${Math.max(...ratios).toFixed(2)}×`);
  if (overLua.length > 0) verdicts.atLeast("Lua 5.4/Basil, geometric mean", geometricMean(overLua), LUA_SPEED_BAR, "×");
}
