/** The sandbox: a program reaches what it was handed and nothing else, whatever its names are. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../runtime/errors.ts";
import type { Outcome } from "../../runtime/interpreter.ts";
import { generated, outputOf, trial } from "./program.ts";

describe("a minimal host gives no access to the machine", () => {
  test.each([
    'x$ = READFILE$("package.json")',
    'x = WRITEFILE("x", "y")',
    'x = APPENDFILE("x", "y")',
    'x = COPY("a", "b")',
    'x = MOVE("a", "b")',
    'x = RENAME("a", "b")',
    'x = DELETE("a")',
    'x = MKDIRS%("a")',
    'x@ = DIR$("*")',
    'x = FOPEN("package.json", "r")',
    'x$ = ENV$("PATH")',
    "SETENV PATH = 1",
    "EXPORTENV PATH = 1",
    'x = LOADENV%(".env")',
    'SHELL "true"',
    'x = SHELL("true")',
    'x@ = CLASS("package.json")',
    'DIM x@ AS CLASS("package.json")',
    "INPUT x",
    "LINE INPUT x$",
    'x$ = INPUT$("?")',
  ])("%s is an IO_ERROR", async (statement) => {
    const text = await outputOf(`TRY\n${statement}\nPRINT "reached"\nCATCH e$\nPRINT ERRNAME$\nEND TRY`);
    expect(text).toBe("IO_ERROR\n");
  });

  test("and INCLUDE of a file is a complaint", async () => {
    expect(await trial().run('INCLUDE "package.json"')).toMatchObject({ kind: "rejected", complaints: [{ code: "B0205" }] });
  });

  test("an interpreter without modules can compute and print, and knows no function", async () => {
    const { interpreter } = trial();
    expect(await interpreter.check("x = 1")).toEqual([]);
    const text = await outputOf('TRY\nx = FETCH("http://localhost")\nCATCH e$\nPRINT e$\nEND TRY');
    expect(text).toBe("Unknown function 'FETCH'\n");
  });
});

/** What JavaScript knows and BASIC does not. */
const NASTY = [
  ..."constructor __proto__ prototype toString valueOf hasOwnProperty isPrototypeOf __defineGetter__ __lookupGetter__".split(" "),
  ..."globalThis global window self process require module exports Buffer console setTimeout Object Array".split(" "),
  ..."Reflect Proxy Symbol Promise Math Number String Error WebAssembly arguments caller callee this super".split(" "),
  ..."undefined NaN Infinity await yield async static get set var const delete typeof void".split(" "),
  ..."instanceof import export default switch enum debugger interface package private public implements".split(" "),
  ..."name length done value throw map data line upper isRoutine isObject plain generator routine space".split(" "),
  ..."S ROWS HELPERS DATA q w t1 r0 s0 p0 g1 L1 F1 J1 main mainWaits tick got num add show member index dict".split(" "),
  ..."g_x v_x f_x R_f_x c_x d_g_x n_g_x f_x$any f_x$task x$i x&ny x$task a$sny _ __ _0 $x".split(" "),
].filter((name) => /^[A-Za-z_]/.test(name));

/** Words that stand for values in PRINT of JavaScript objects, and never in BASIC's. */
const LEAK = /native code|\[object|function \(|=>|at Object|node:internal/;

const suffixed = fc
  .tuple(fc.constantFrom(...NASTY), fc.constantFrom("", "", "", "$", "%", "@", "&"))
  .map(([name, suffix]) => name + suffix);

/** Statements in which `n`, `m` and `k` are nasty names, in every role a name can have. */
const ROLES: readonly ((n: string, m: string, k: string) => string)[] = [
  (n) => `${n} = 1`,
  (n) => `PRINT ${n}`,
  (n, m) => `${n} = ${m}`,
  (n, m) => `PRINT ${n} + ${m}`,
  (n, m) => `PRINT ${n} = ${m}`,
  (n, m) => `PRINT ${n}.${m}`,
  (n, m, k) => `PRINT ${n}.${m}.${k}`,
  (n, m, k) => `PRINT ${n}.${m}(${k})`,
  (n, m) => `${n}.${m} = 5`,
  (n, m, k) => `${n}.${m}(1) = ${k}`,
  (n, m) => `PRINT ${n}["${m}"]`,
  (n, m) => `${n}["${m}"] = 7`,
  (n, m) => `PRINT ${n}(${m})`,
  (n) => `PRINT ${n}()`,
  (n, m) => `${n} ${m}`,
  (n) => `CALL ${n}`,
  (n) => `DIM ${n}(3)`,
  (n, m) => `${n}(1) = ${m}`,
  (n) => `DIM ${n}`,
  (n) => `${n} = [1, 2]`,
  (n, m) => `${n} = {"${m}": 1, "__proto__": 2, "constructor": 3}`,
  (n) => `FOR ${n} = 1 TO 2: PRINT ${n}: NEXT`,
  (n, m) => `FOR EACH ${n} IN ${m}: PRINT ${n}: NEXT`,
  (n, m) => `WITH ${n}: PRINT .${m}: .${m} = 1: END WITH`,
  (n, m) => `SWAP ${n}, ${m}`,
  (n) => `READ ${n}`,
  (n) => `PRINT EVAL("${n}")`,
  (n, m) => `PRINT EVAL("${n}.${m}")`,
  (n, m) => `EXEC "${n} = ${m}"`,
  (n, m) => `PRINT JSON.${n}(${m})`,
  (n) => `PRINT JSON.${n}`,
  (n, m) => `PRINT JSON.GET("{""${n}"": {""${m}"": 1}}", "${n}.${m}")`,
  (n, m) => `${n} = JSON.PARSE("{""__proto__"": {""${m}"": 1}, ""${m}"": 2}")`,
  (n) => `PRINT JSON.STRINGIFY$(${n})`,
  (n) => `PRINT HOST.APPLY("${n}")`,
  (n) => `PRINT HOST.APPLY(${n})`,
  (n) => `PRINT HOST.SOON(${n})`,
  (n) => `PRINT TYPE$(${n}); LEN(${n})`,
  (n) => `PRINT KEYS(${n}); VALUES(${n})`,
  (n, m) => `PRINT HASKEY%(${n}, "${m}"); REMOVEKEY(${n}, "${m}")`,
  (n) => `PRINT "#{${n}}"`,
  (n) => `IF ${n} THEN PRINT 1 ELSE PRINT 2`,
  (n, m) => `SELECT CASE ${n}: CASE ${m}: PRINT 1: CASE ELSE: PRINT 2: END SELECT`,
  (n, m) => `TRY: RAISE ${n}: CATCH ${m.replace(/[$%@&]*$/, "")}$: PRINT 1: END TRY`,
  (n, m) => `DIM ${n} AS ${m}`,
  (n, m) => `PRINT NEW ${n}(${m})`,
  (n, m) => `LET ${n} = ${m}`,
];

/** Definitions that name things with nasty names. */
const DEFINITIONS: readonly ((n: string, m: string, k: string) => string)[] = [
  (n, m) => `FUNC ${n}(${m})\nRETURN ${m}\nEND FUNC`,
  (n, m, k) => `SUB ${n}()\n${m} = 1\nPRINT ${k}\nEND SUB`,
  (n, m, k) => `FUNC ${n}(${m}, ${k})\nDIM ${n}\n${k} = ${m}\nRETURN ${k}\nEND FUNC`,
  (n, m) => `TYPE ${n.replace(/[$%@&]*$/, "")}\nDIM ${m}%\nname$ AS STRING * 4\nEND TYPE`,
  (n) => `CONST ${n} = 1`,
  (n) => `GOTO ${n}\n${n}: PRINT 1`,
  (n) => `GOSUB ${n}\nGOTO over_${n.replace(/[$%@&]/g, "_")}\n${n}: RETURN\nover_${n.replace(/[$%@&]/g, "_")}: PRINT 2`,
  (n, m) => `DATA ${n}, ${m}`,
];

const programs = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...DEFINITIONS), suffixed, suffixed, suffixed), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...ROLES), suffixed, suffixed, suffixed), { minLength: 1, maxLength: 12 }),
    fc.array(fc.constantFrom(...NASTY), { minLength: 1, maxLength: 3 }),
  )
  .map(([definitions, roles, shared]) => {
    // Some names come again, so that reads meet what was stored.
    const pick = (name: string, at: number): string => (at % 2 === 0 ? name : shared[at % shared.length]!);
    return [
      ...definitions.map(([make, n, m, k], at) => make(pick(n, at), pick(m, at + 2), k)),
      ...roles.map(([make, n, m, k], at) => {
        const statement = make(pick(n, at + 1), pick(m, at), k);
        return at % 3 === 0 ? statement : `TRY\n${statement}\nCATCH problem$\nPRINT ERRNAME$\nEND TRY`;
      }),
    ].join("\n");
  });

/** Why an outcome or what was printed shows that JavaScript came through; undefined when it did not. */
function leak(outcome: Outcome, printed: string): string | undefined {
  if (LEAK.test(printed)) return `printed ${printed}`;
  if (outcome.kind === "rejected") return outcome.complaints.some(({ code }) => /^B0/.test(code)) ? undefined : "odd complaints";
  if (outcome.kind !== "failed") return undefined;
  const { error } = outcome;
  if (error.cause !== undefined) return `a JavaScript error: ${error.message} ${String((error.cause as Error).stack)}`;
  if (error.name === "LimitError") return undefined;
  if (!("errorName" in error) || !(error.errorName in ERROR_CODES)) return `an error of no known name: ${error.message}`;
  return undefined;
}

describe("names that mean something to JavaScript mean nothing here", () => {
  test("in random programs: never a JavaScript error or object", async () => {
    const before = Object.getOwnPropertyNames(Object.prototype).sort();
    let ended = 0;
    await fc.assert(
      fc.asyncProperty(programs, async (source) => {
        const { run, output, interpreter } = trial({ limits: { steps: 100_000, bytes: 100_000, depth: 200 } });
        const outcome = await run(source);
        await interpreter.close();
        const found = leak(outcome, output());
        if (found) throw new Error(`${found}\n${source}`);
        if (outcome.kind !== "rejected") ended += 1;
      }),
      { numRuns: 400, interruptAfterTimeLimit: 6_000 },
    );
    expect(ended).toBeGreaterThan(0);
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
  });

  test.each(NASTY)("%s is a name like any other", async (name) => {
    const text = await outputOf(
      `LET ${name} = 20
       FUNC ${name}_f(${name})
         RETURN ${name} + 1
       END FUNC
       box@ = {"${name}": 300}
       box@.${name}_2 = 4000
       ${name}$ = "text"
       GOSUB ${name}_l
       PRINT ${name}; " "; ${name}_f(1); " "; box@.${name}; " "; box@["${name}"]; " "; box@; " "; ${name}$
       PRINT EVAL("${name} + 1")
       END
       ${name}_l: ${name} = ${name} + 2: RETURN`,
    );
    expect(text).toBe(`22 2 300 300 {"${name}": 300, "${name}_2": 4000} text\n23\n`);
  });

  test("no two names of a program are one name of the generated code", async () => {
    const names = ["f", "f&ny", "f$any", "f$task", "f%", "f$", "f&", "f@", "f$s", "f$i", "f&a", "f$$", "f_f"];
    const text = await outputOf(
      `${names.map((name, at) => `FUNC ${name}(x)\nFOR i = 1 TO 1: NEXT\nRETURN ${at}\nEND FUNC`).join("\n")}
       ${names.map((name) => `LET g = ${name}\nPRINT ${name}(0); "="; g(0); "="; HOST.APPLY("${name}", 0); " ";`).join("\n")}`,
    );
    expect(text).toBe(names.map((_, at) => `${at}=${at}=${at} `).join(""));
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty", "length", "then"])(
    "nothing has a member %s by itself",
    async (name) => {
      const values = ["5", '"text"', "TRUE", "[1]", "{}", "f", "a", "NULL", "JSON", "r"];
      const text = await outputOf(
        `FUNC f()\nEND FUNC\nDIM a(3)\nTYPE T\nDIM n%\nEND TYPE\nDIM r AS T\n${values
          .map((value) => `TRY: x = ${value}: PRINT x.${name}: CATCH: PRINT ERRNAME$: END TRY`)
          .join("\n")}`,
      );
      expect(text).toMatch(/^((TYPE_ERROR|KEY_ERROR|NAME_ERROR)\n){10}$/);
    },
  );

  test("JSON keys such as __proto__ are keys", async () => {
    const text = await outputOf(
      'x@ = JSON.PARSE("{""__proto__"": {""a"": 1}, ""constructor"": 2}")\nPRINT x@; " "; x@["__proto__"].a; " "; HASKEY%(x@, "a")\nPRINT JSON.STRINGIFY$(x@); JSON_PARSE$("{""__proto__"": 1}")',
    );
    expect(text).toBe('{"__proto__": {"a": 1}, "constructor": 2} 1 0\n{"__proto__":{"a":1},"constructor":2}{"__proto__":1}\n');
  });
});

describe("generated code", () => {
  const identifiers = (code: string): string[] => code.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/[A-Za-z_$][\w$]*/g) ?? [];

  test("holds names of the program only behind a prefix of its own", () => {
    const code = generated(
      `LET zebra = 1
       CONST zebra_c = 2
       DIM zebra_a(3), zebra_s$[4], zebra_m(2, 2)
       TYPE zebra_t
         zebra_f$ AS STRING * 3
       END TYPE
       DIM zebra_r AS zebra_t
       FUNC zebra_g%(zebra_p, zebra_q@)
         DIM zebra_v
         zebra_v = zebra_p + zebra
         RETURN zebra_v
       END FUNC
       FOR zebra_i% = 1 TO 3: zebra_a(zebra_i%) = zebra_g%(1, zebra_a): NEXT
       FOR EACH zebra_e IN {"zebra_k": 1}: NEXT
       TRY: RAISE "zebra_x": CATCH zebra_n$: PRINT zebra_n$: END TRY
       WITH zebra_r: .zebra_f$ = "zebra": END WITH
       GOSUB zebra_l
       zebra_b = zebra_g%
       END
       zebra_l: READ zebra_d: RETURN
       DATA zebra_y`,
    );
    const found = identifiers(code).filter((name) => /zebra/i.test(name));
    expect(found.length).toBeGreaterThan(20);
    expect(found.filter((name) => !/^(?:[A-Za-z]+_)+zebra/.test(name))).toEqual([]);
  });

  test("escapes every string literal", async () => {
    const hostile = [
      '" + process.exit(1) + "',
      "`$" + "{1}`",
      "\\",
      "\u2028\u2029",
      "*/ //",
      "\u0001" + "0:0:0;",
      "</script>",
      "\0",
      "'\n'",
    ];
    for (const text of hostile) {
      const literal = text.replaceAll("\\", "\\\\").replaceAll('"', '""').replaceAll("#{", "\\#{");
      expect(await outputOf(`x$ = "${literal}"\nd@ = {"${literal}": 1}\nPRINT x$; LEN(d@);`)).toBe(`${text}1`);
    }
  });
});
