/** Embedding through the public API: the short example, a module of one's own, and what a host can and cannot do. */
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  alias,
  BasilError,
  constant,
  createHost,
  createInterpreter,
  Dict,
  defineModule,
  formatComplaint,
  functionsOf,
  type Host,
  type HostModule,
  type Interpreter,
  type Limits,
  type ModuleContext,
  type Outcome,
  optional,
  propertiesOf,
  reportOf,
  required,
  rest,
  type SubHandle,
  signature,
  standard,
  taskKey,
} from "../src/index.ts";

/** A host that collects output. */
function collecting(): { host: Host; output: () => string; errors: () => string } {
  let output = "";
  let errors = "";
  const host = createHost(
    { stdin: new PassThrough().end(), stdout: new PassThrough(), stderr: new PassThrough() },
    {
      write: (bytes) => {
        output += bytes.toString();
      },
      writeError: (text) => {
        errors += text;
      },
    },
  );
  return { host, output: () => output, errors: () => errors };
}

test("ten lines run a program and call its SUBs", async () => {
  const { host, output } = collecting();

  const interpreter = createInterpreter({ modules: [standard()], host, limits: { steps: 1_000_000, deadlineMs: 10_000 } });
  const source = 'SUB do_resize(size$)\nRETURN "resized to " + UCASE$(size$)\nEND SUB\nPRINT "ready"';
  const outcome = await interpreter.run(source, { file: "report.basil" });
  const reply = await interpreter.call("do_resize", ["a4"]);
  await interpreter.close();

  expect([outcome.kind, reply, output()]).toEqual(["ended", "resized to A4", "ready\n"]);
});

// ── A module of one's own ──────────────────────────────────────────────────────────────────────────────────────

/** A shop: what an embedder might give scripts. */
interface Shop {
  readonly prices: Map<string, number>;
  readonly watchers: SubHandle[];
  readonly context: ModuleContext;
}

/** What each task has put into its own basket. */
const basket = taskKey<string[]>(() => []);

const fn = functionsOf<Shop>();
const property = propertiesOf<Shop>();

const shop = (): HostModule<Shop> =>
  defineModule<Shop>({
    name: "SHOP",
    doc: "A small shop.",
    rows: [
      fn({
        name: "PRICE%",
        doc: "The price of an article.",
        params: { article: required("text", "Its name.") },
        waits: true,
        async run({ prices }, { article }) {
          await Promise.resolve();
          const price = prices.get(article);
          if (price === undefined) throw new BasilError("SHOP_ERROR", `there is no ${article}`, { code: 5001 });
          return price;
        },
      }),
      fn({
        name: "BUY",
        doc: "Puts articles into the task's basket and gives all it holds.",
        params: { articles: rest("text", "Their names.", 1) },
        run: (_, { articles }, task) => {
          task.local(basket).push(...articles);
          return [...task.local(basket)];
        },
      }),
      fn({
        name: "LABEL$",
        doc: "A label as bytes.",
        params: { text: required("bytes", "What it says."), copies: optional("integer", "How often; once when left out.") },
        run: (_, { text, copies = 1 }) => Buffer.concat(Array.from({ length: copies }, () => text)),
      }),
      fn({
        name: "STOCK",
        doc: "Everything there is.",
        params: {},
        run: ({ prices }) => new Dict(prices),
      }),
      fn({
        name: "WATCH",
        doc: "Calls a SUB with each new price.",
        params: { watcher: required("sub", "Takes the article and its price.", [2]) },
        waits: true,
        run: ({ watchers }, { watcher }) => {
          watchers.push(watcher);
          return null;
        },
      }),
      fn({
        name: "SETPRICE",
        doc: "Changes a price and tells the watchers.",
        params: { article: required("text", "Its name."), price: required("number", "Its price.") },
        waits: true,
        async run({ prices, watchers, context }, { article, price }) {
          prices.set(article, price);
          for (const watcher of watchers) {
            await watcher.call([article, price]).catch((error) => context.report(error, "a watcher failed"));
          }
          return watchers.length;
        },
      }),
      alias("PRICE", "PRICE%", "The same."),
      property({ name: "COUNT%", doc: "How many articles there are.", get: ({ prices }) => prices.size }),
      property({ name: "BASKET$", doc: "What the task bought.", get: (_, task) => task.local(basket).join("+") }),
      constant({ name: "SHOP_OPEN%", doc: "The shop is open.", value: 1 }),
      constant({ name: "SHOP_NAME$", doc: "Its name.", value: "corner" }),
    ],
    open: (context) => ({
      prices: new Map([
        ["pear", 3],
        ["plum", 4],
      ]),
      watchers: [],
      context,
    }),
    argumentError: (_, message) => new BasilError("SHOP_ERROR", message, { code: 5002 }),
  });

async function inShop<T>(
  source: string,
  use: (interpreter: Interpreter, outcome: Outcome) => Promise<T> | T,
  limits: Limits = {},
): Promise<{ output: string; errors: string; result: T }> {
  const { host, output, errors } = collecting();
  const interpreter = createInterpreter({ modules: [standard(), shop()], host, limits });
  try {
    const outcome = await interpreter.run(source, { file: "shop.basil" });
    const result = await use(interpreter, outcome);
    return { output: output(), errors: errors(), result };
  } finally {
    await interpreter.close();
  }
}

const printedBy = async (source: string): Promise<string> => {
  const { output, result } = await inShop(source, (_, outcome) => outcome);
  if (result.kind === "failed") return `${output}failed: ${result.error.message}`;
  return result.kind === "rejected" ? result.complaints.map(({ message }) => message).join("\n") : output;
};

describe("a module of the embedder's own", () => {
  test.each([
    ["rows that wait look like any other call", 'PRINT SHOP.PRICE%("pear") + shop.price%("plum")', "7\n"],
    ["aliases", 'PRINT SHOP.PRICE("pear")', "3\n"],
    ["constants are plain names", "PRINT SHOP_OPEN%; SHOP_NAME$", "1corner\n"],
    ["properties are read without parentheses", "PRINT SHOP.COUNT%", "2\n"],
    ["methods without parentheses are called", "PRINT SHOP.STOCK", '{"pear": 3, "plum": 4}\n'],
    ["any number of arguments", 'PRINT SHOP.BUY("a", "b"); SHOP.BASKET$', "[a, b]a+b\n"],
    ["bytes in and out, exactly", 'PRINT ASCB%(SHOP.LABEL$(CHRB$(255), 2), 2); LEN(SHOP.LABEL$("é"))', "2551\n"],
    ["optional arguments", 'PRINT SHOP.LABEL$("a"); SHOP.LABEL$("b", 2.9)', "abb\n"],
    ["dictionaries of the host", 'd@ = SHOP.STOCK()\nPRINT d@.pear; d@["plum"]', "34\n"],
    ["the module as a value", "PRINT SHOP; TYPE$(SHOP)", "<SHOP>SHOP\n"],
    ["a program's own name hides it", 'shop = {"count%": "mine"}\nPRINT shop.count%', "mine\n"],
  ])("%s", async (_, source, printed) => {
    expect(await printedBy(source)).toBe(printed);
  });

  test.each([
    ['x = SHOP.PRICE%("kiwi")', "there is no kiwi|5001|SHOP_ERROR"],
    ["x = SHOP.PRICE%(5)", "SHOP.PRICE% arg 1 must be string|5002|SHOP_ERROR"],
    ["x = SHOP.PRICE%()", "SHOP.PRICE% expects 1 argument|5002|SHOP_ERROR"],
    ["x = SHOP.BUY()", "SHOP.BUY expects at least 1 argument|5002|SHOP_ERROR"],
    ['x = SHOP.SETPRICE("a", "b")', "SHOP.SETPRICE arg 2 must be a number|5002|SHOP_ERROR"],
    ['x = SHOP.WATCH("nobody")', "WATCH: there is no SUB 'nobody' (there are: one, two)|5002|SHOP_ERROR"],
    ['x = SHOP.WATCH("one")', "WATCH: SUB one must take 2 arguments, it takes 1|5002|SHOP_ERROR"],
    ["x = SHOP.PRIZE%(1)", "SHOP has no member PRIZE%|1004|NAME_ERROR"],
    ["x = SHOP.COUNT", "SHOP has no member COUNT|1004|NAME_ERROR"],
  ])("its errors are its own: %s", async (statement, caught) => {
    const source = `SUB one(a)\nEND SUB\nSUB two(a, b)\nEND SUB\nTRY\n${statement}\nCATCH e$\nPRINT e$; "|"; ERR%; "|"; ERRNAME$\nEND TRY`;
    expect(await printedBy(source)).toBe(`${caught}\n`);
  });

  test("task-local state belongs to each task", async () => {
    const source = `SUB buy(what$)
        x@ = SHOP.BUY(what$)
        SLEEP 0
        x@ = SHOP.BUY(what$)
        RETURN SHOP.BASKET$
      END SUB
      x@ = SHOP.BUY("main")
      PRINT SHOP.BASKET$`;
    const { output, result } = await inShop(source, (interpreter) =>
      Promise.all(["a", "b", "c", "d"].map((what) => interpreter.call("buy", [what]))),
    );
    expect(output).toBe("main\n");
    expect(result).toEqual(["a+a", "b+b", "c+c", "d+d"]);
  });

  test("a row may call SUBs later; their errors can be told to people with their place", async () => {
    const source = `SUB seen(article$, price)
        IF price > 100 THEN RAISE "too dear: " + article$
        PRINT article$; " costs "; price
      END SUB
      x = SHOP.WATCH("seen")
      PRINT SHOP.SETPRICE("pear", 5)
      PRINT SHOP.SETPRICE("plum", 500)`;
    const { output, errors } = await inShop(source, () => undefined);
    expect(output).toBe("pear costs 5\n1\n1\n");
    expect(errors).toContain("a watcher failed: too dear: plum");
    expect(errors).toMatch(/--> shop\.basil:2:\d+\n.*RAISE "too dear: "/);
  });

  test("a signature for people comes from the same rows", () => {
    const rows = shop().rows.flatMap((row) => (row.kind === "function" ? [signature("SHOP", row)] : []));
    expect(rows).toEqual([
      "SHOP.PRICE%(article$)",
      "SHOP.BUY(articles$, …)",
      "SHOP.LABEL$(text$ [, copies%])",
      "SHOP.STOCK()",
      "SHOP.WATCH(watcher$)",
      "SHOP.SETPRICE(article$, price)",
    ]);
  });
});

describe("what an embedder learns of failures", () => {
  test("a complaint has code, place and text, and a frame can be printed", async () => {
    const { host } = collecting();
    const outcome = await createInterpreter({ modules: [], host }).run("x = 1\nPRINT ((", { file: "broken.basil" });
    if (outcome.kind !== "rejected") throw new Error(outcome.kind);
    const text = formatComplaint(outcome.complaints[0]!);
    expect(text).toMatch(/^error\[B0101\]: .*\n +--> broken\.basil:2:\d+/);
    expect(text).toContain("PRINT ((");
  });

  test("a run-time error has code, name, place and the calls that led to it", async () => {
    const { host } = collecting();
    const interpreter = createInterpreter({ modules: [standard()], host });
    const outcome = await interpreter.run("FUNC f(n)\n  RETURN SQR(n)\nEND FUNC\nPRINT f(-1)", { file: "bad.basil" });
    if (outcome.kind !== "failed" || !(outcome.error instanceof BasilError)) throw new Error(outcome.kind);
    expect(outcome.error).toMatchObject({ code: 1005, errorName: "ARGUMENT_ERROR" });
    expect(outcome.error.calls.map(({ routine }) => routine)).toEqual(["f", "main"]);
    expect(formatComplaint(reportOf(outcome.error))).toMatch(/^error\[B1005\]: SQR of a negative number\n +--> bad\.basil:2:10/);
  });

  test("errors of host functions keep their cause", async () => {
    const cause = new TypeError("the database is gone");
    const module = defineModule({
      name: "DB",
      doc: "Broken.",
      rows: [functionsOf<null>()({ name: "ASK", doc: "Fails.", params: {}, waits: true, run: () => Promise.reject(cause) })],
      open: () => null,
    });
    const { host } = collecting();
    const outcome = await createInterpreter({ modules: [module], host }).run("x = DB.ASK()");
    if (outcome.kind !== "failed") throw new Error(outcome.kind);
    expect(outcome.error.message).toBe("the database is gone");
    expect(outcome.error.cause).toBe(cause);
  });
});

test("interpreters share nothing", async () => {
  const [one, two] = [collecting(), collecting()];
  const first = createInterpreter({ modules: [standard(), shop()], host: one.host });
  const second = createInterpreter({ modules: [standard(), shop()], host: two.host });
  const source = 'x = SHOP.SETPRICE("kiwi", 9)\nLET a = 1\nPRINT SHOP.COUNT%; RND(-1)';
  await Promise.all([first.run(source), second.run("PRINT SHOP.COUNT%; a")]);
  expect(one.output()).toMatch(/^3/);
  expect(two.output()).toBe("2null\n");
  await Promise.all([first.close(), second.close()]);
});
