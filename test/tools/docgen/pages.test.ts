/** Reference pages are printed from rows: nothing of a row gets lost, and Markdown stays Markdown. */
import { describe, expect, test } from "vitest";
import { alias, constant, defineModule, functionsOf, optional, propertiesOf, required, rest } from "../../../runtime/host.ts";
import { compileErrors, gearmanErrors, obrienErrors, runtimeErrors } from "../../../src/tools/docgen/error-catalogue.ts";
import { errorsPage } from "../../../src/tools/docgen/errors-page.ts";
import { PRINTED_NOTE, referencePage } from "../../../src/tools/docgen/reference-page.ts";

const fn = functionsOf<null>();
const property = propertiesOf<null>();
const shop = defineModule<null>({
  name: "SHOP",
  doc: "Buying things.",
  rows: [
    fn({
      name: "PRICE%",
      doc: "A price in cents.",
      params: { item: required("text", "What to buy."), count: optional("integer", "How many; 1 when left out.") },
      waits: true,
      run: async () => 1,
    }),
    fn({
      name: "ORDER",
      doc: "Orders.",
      params: { done: required("sub", "Called at the end.", [1, 2]), items: rest("any", "The things.", 1) },
      run: () => null,
    }),
    alias("PRICE$", "PRICE%", "Kept for old scripts."),
    property({ name: "OWNER$", doc: "Whose shop it is.", get: () => "" }),
    constant({ name: "SHOP_OPEN%", value: 1, doc: "The shop is open." }),
  ],
  open: () => null,
});

test("a page lists functions, other spellings, properties and constants, each with all that its row says", () => {
  expect(referencePage("SHOP", shop)).toBe(`# SHOP

${PRINTED_NOTE}

Buying things.

## Functions

### \`SHOP.ORDER(done$, items, …)\`

Orders.

- \`done\`: name of a SUB, or the SUB itself with 1 or 2 parameters. Called at the end.
- \`items\`: any value, any number, at least 1. The things.

*Gives a value. Other tasks run while it waits.*

### \`SHOP.PRICE$\`

The same as \`SHOP.PRICE%\`. Kept for old scripts.

### \`SHOP.PRICE%(item$ [, count%])\`

A price in cents.

- \`item\`: text. What to buy.
- \`count\`: whole number; fractions are cut off, optional. How many; 1 when left out.

*Gives an integer. Other tasks run while it waits.*

## Properties

### \`SHOP.OWNER$\`

Whose shop it is.

## Constants

### \`SHOP_OPEN%\` = 1

The shop is open.
`);
});

describe("the error page", () => {
  test("has every code exactly once as a heading or a table row", () => {
    const page = errorsPage();
    for (const { code } of [...compileErrors(), ...runtimeErrors(), ...gearmanErrors(), ...obrienErrors()]) {
      expect(page.match(new RegExp(`^(?:### |\\| )${code}[: ]`, "gm")), code).toHaveLength(1);
    }
  });

  test("keeps each table row on one line", () => {
    for (const { text } of [...runtimeErrors(), ...gearmanErrors(), ...obrienErrors()]) expect(text).not.toMatch(/[\n|]/);
  });
});
