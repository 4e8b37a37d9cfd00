/** Names that look like misspelt keywords where the program is legal all the same: `ENDIFF` alone is a name that does nothing. */
import { nameKey, type Place, type Program, type Statement } from "./ast.ts";
import { nestedLists } from "./bodies.ts";
import { type Complaint, complaints } from "./complaints.ts";
import { closest, misspeltKeyword } from "./did-you-mean.ts";
import { foreignStatementHint } from "./foreign.ts";

const EXIT_WORDS: readonly string[] = ["FOR", "WHILE", "DO", "SUB", "FUNC", "FUNCTION"];

/** The statements of a body and of all bodies inside of it. */
function* everyStatement(body: readonly Statement[]): Generator<Statement> {
  for (const statement of body) {
    yield statement;
    const inner = statement.kind === "routine" ? [statement.body] : nestedLists(statement);
    for (const list of inner) yield* everyStatement(list);
  }
}

/** The names a statement gives a meaning to. */
function namesSetBy(statement: Statement): readonly (Place | null)[] {
  switch (statement.kind) {
    case "assign":
      return [statement.target];
    case "swap":
      return [statement.left, statement.right];
    case "read":
    case "input":
      return statement.targets;
    case "for":
    case "forEach":
      return [statement.variable];
    case "routine":
      return [statement.name, ...statement.parameters];
    case "try":
      return [statement.catchVariable];
    case "dim":
      return statement.items.map((item) => item.name);
    case "const":
      return statement.entries.map((entry) => entry.name);
    default:
      return [];
  }
}

/** The keyword a name may have been meant to be. `CLOSE` is no misspelt CLASS: `basil check` says more about such words. */
const keywordFor = (name: string): string | undefined =>
  foreignStatementHint(name) === undefined ? misspeltKeyword(name) : undefined;

/** Warnings about bare names, and names behind EXIT, that nothing in the program gives a meaning to. */
export function suspectNames(program: Program): Complaint[] {
  const statements = [...everyStatement(program.body)];
  const suspects = statements.flatMap((statement) => {
    if (statement.kind === "callStatement" && statement.form === "bare" && statement.target.kind === "name")
      return [{ name: statement.target, keyword: keywordFor(statement.target.name) }];
    if (statement.kind === "exit" && statement.code?.kind === "name")
      return [{ name: statement.code, keyword: closest(statement.code.name, EXIT_WORDS) }];
    return [];
  });
  if (suspects.every(({ keyword }) => keyword === undefined)) return [];
  // Another file may give any name a meaning.
  if (statements.some((statement) => statement.kind === "include" && !/^obj-/i.test(statement.name))) return [];
  const known = new Set(statements.flatMap(namesSetBy).flatMap((place) => (place?.kind === "name" ? [nameKey(place.name)] : [])));
  return suspects.flatMap(({ name, keyword }) => {
    if (keyword === undefined || known.has(nameKey(name.name))) return [];
    return [complaints.looksLikeKeyword({ source: program.source, span: name.span }, name.name, keyword)];
  });
}
