/** The grammar of DIM and TYPE. */
import { EOF, type ParserMethod } from "chevrotain";
import type { DimItem, Expression, Name, Statement, TypeField } from "./ast.ts";
import { complaints } from "./complaints.ts";
import { StatementParser } from "./parser-statements.ts";
import * as t from "./tokens.ts";

const k = t.keyword;

/** What stands behind AS. */
type AsType =
  | { readonly kind: "string"; readonly bytes: Expression | null }
  | { readonly kind: "class"; readonly file: Expression }
  | { readonly kind: "named"; readonly type: string; readonly arguments: readonly Expression[] | null };

export abstract class DeclarationParser extends StatementParser {
  readonly dim: ParserMethod<[], Statement> = this.RULE("dim", (): Statement => {
    const start = this.here();
    this.CONSUME(k.DIM);
    const items = [this.SUBRULE1(this.dimItem)];
    this.MANY(() => {
      this.CONSUME(t.Comma);
      items.push(this.SUBRULE2(this.dimItem));
    });
    return { kind: "dim", items, span: this.spanFrom(start) };
  });

  readonly dimItem: ParserMethod<[], DimItem> = this.RULE("dimItem", (): DimItem => {
    const name = this.name("the name of a variable");
    const item = this.OPTION1(() =>
      this.OR<DimItem>([
        { ALT: () => this.#arrayItem(name) },
        { ALT: () => ({ kind: "fixedString", name, bytes: this.#bytesInBrackets() }) },
        { ALT: () => this.#asItem(name) },
        {
          ALT: () => {
            this.CONSUME(t.Equals);
            return { kind: "value", name, value: this.SUBRULE3(this.expression) };
          },
        },
      ]),
    );
    return item ?? { kind: "bare", name };
  });

  #arrayItem(name: Name): DimItem {
    const bounds = this.SUBRULE(this.argumentList);
    const type = this.OPTION2(() => {
      this.CONSUME1(k.AS);
      return this.CONSUME1(t.Name, { ERR_MSG: "the name of a TYPE after AS" }).image;
    });
    if (bounds.length === 0 && !this.RECORDING_PHASE)
      this.abandon(
        complaints.syntax(this.at(name.span), `DIM ${name.name}() needs the highest index.`, `Write DIM ${name.name}(10).`),
      );
    return { kind: "array", name, bounds, type: type ?? null };
  }

  #bytesInBrackets(): Expression {
    this.CONSUME(t.LeftBracket);
    const bytes = this.SUBRULE1(this.expression);
    this.CONSUME(t.RightBracket);
    return bytes;
  }

  #asItem(name: Name): DimItem {
    const as = this.SUBRULE(this.asType);
    if (as.kind === "string") return { kind: "fixedString", name, bytes: as.bytes };
    if (as.kind === "class") return { kind: "class", name, file: as.file };
    return { kind: "typed", name, type: as.type, arguments: as.arguments };
  }

  readonly asType: ParserMethod<[], AsType> = this.RULE("asType", () => {
    this.CONSUME(k.AS);
    return this.OR<AsType>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(k.CLASS);
            this.CONSUME(t.LeftParen);
            const file = this.SUBRULE1(this.expression);
            this.CONSUME(t.RightParen, { ERR_MSG: '")"' });
            return { kind: "class", file };
          },
        },
        {
          ALT: () => {
            const word = this.CONSUME(t.Name);
            const isString = word.image.toUpperCase() === "STRING";
            const bytes = this.OPTION1({
              GATE: () => isString,
              DEF: () => {
                this.CONSUME(t.Star);
                return this.SUBRULE2(this.expression);
              },
            });
            if (isString && !this.RECORDING_PHASE) return { kind: "string", bytes: bytes ?? null };
            const list = this.OPTION2(() => this.SUBRULE(this.argumentList));
            return { kind: "named", type: word.image, arguments: list ?? null };
          },
        },
      ],
      ERR_MSG: "STRING, CLASS(file) or the name of a TYPE after AS",
    });
  });

  protected typeDefinition(): Statement | undefined {
    const start = this.takeToken().startOffset;
    const name = this.line(() => this.name("the name of the type after TYPE"));
    const fields: TypeField[] = [];
    while (this.LA(1).tokenType !== t.EndType && this.LA(1).tokenType !== EOF)
      fields.push(...(this.line(() => this.SUBRULE(this.fieldLine)) ?? []));
    this.SKIP_TOKEN();
    return name && { kind: "type", name, fields, span: this.spanFrom(start) };
  }

  readonly fieldLine: ParserMethod<[], TypeField[]> = this.RULE("fieldLine", () => {
    this.OPTION(() => this.CONSUME(k.DIM));
    const fields = [this.SUBRULE1(this.field)];
    this.MANY(() => {
      this.CONSUME(t.Comma);
      fields.push(this.SUBRULE2(this.field));
    });
    return fields;
  });

  readonly field: ParserMethod<[], TypeField> = this.RULE("field", () => {
    const name = this.name("the name of a field");
    const type = this.OPTION(() =>
      this.OR<TypeField["type"]>([
        {
          ALT: () => {
            this.CONSUME(t.LeftBracket);
            const bytes = this.SUBRULE(this.expression);
            this.CONSUME(t.RightBracket);
            return { kind: "fixedString", bytes };
          },
        },
        {
          ALT: () => {
            const as = this.SUBRULE(this.asType);
            if (as.kind === "string") return { kind: "fixedString", bytes: as.bytes };
            if (as.kind === "named") return { kind: "struct", type: as.type };
            if (this.RECORDING_PHASE) return { kind: "plain" };
            return this.abandon(complaints.expected(this.at(as.file.span), "STRING or the name of a TYPE after AS", '"CLASS"'));
          },
        },
      ]),
    );
    return { name, type: type ?? { kind: "plain" } };
  });

  #simpleAlternatives: { ALT: () => Statement }[] | undefined;

  /** Every statement without a body. */
  readonly simple: ParserMethod<[], Statement> = this.RULE("simple", () =>
    this.or(
      0,
      (this.#simpleAlternatives ??= [
        ...[
          this.valueStatement,
          this.print,
          this.let,
          this.call,
          this.jump,
          this.return,
          this.dim,
          this.exit,
          this.wordStatement,
        ],
        ...[
          this.oneValue,
          this.optionalValue,
          this.input_,
          this.const,
          this.swap,
          this.read,
          this.data,
          this.restore,
          this.onJump,
        ],
        ...[this.setEnvironment, this.include, this.use, this.signedStatement],
      ].map((rule) => ({ ALT: () => this.SUBRULE(rule) }))),
    ),
  );
}
