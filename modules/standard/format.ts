/** FORMAT$: numbers by a picture such as `#,##0.00` (language.md §12). */
import { optional, required } from "../../runtime/host.ts";
import { display, toNumber } from "../../runtime/values.ts";
import { type Decimal, decimalOf, roundDecimal } from "./decimal.ts";
import type { Picture } from "./picture.ts";
import { fn } from "./state.ts";

/** A number as a picture shows it. NaN and infinities keep their display form. */
export function formatNumber(value: number, picture: Picture): string {
  const sign = value < 0 ? "-" : "";
  if (!Number.isFinite(value)) return `${sign}${picture.before}${display(Math.abs(value))}${picture.after}`;
  const exact = decimalOf(value);
  const rounded = roundDecimal(picture.isPercent ? percent(exact) : exact, picture.maxPlaces);
  return (rounded.digits === "" ? "" : sign) + picture.before + digitsOf(rounded, picture) + picture.after;
}

/** Times 100, exactly. */
const percent = ({ digits, point }: Decimal): Decimal => ({ digits, point: point + 2 });

function digitsOf({ digits, point }: Decimal, picture: Picture): string {
  const fraction = (point < 0 ? "0".repeat(-point) + digits : digits.slice(point)).padEnd(picture.minPlaces, "0");
  let whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "";
  whole = whole.padStart(picture.minDigits, "0");
  if (whole === "" && fraction === "") whole = "0";
  if (picture.isGrouped) whole = grouped(whole);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

function grouped(whole: string): string {
  const parts: string[] = [];
  for (let from = 0, to = whole.length % 3 || 3; from < whole.length; from = to, to += 3) parts.push(whole.slice(from, to));
  return parts.join(",");
}

export const formatRows = [
  fn({
    name: "FORMAT$",
    doc:
      "A number by a picture: `0` a digit always shown, `#` a digit shown when needed, `,` thousands, `.` the point, `%` percent. " +
      'FORMAT$(1234.5, "#,##0.00") gives 1,234.50. Without a picture the display form.',
    params: {
      value: required("any", "The number; without a picture any value."),
      format: optional("text", "The picture; text around it is copied."),
    },
    yields: true,
    run({ pictures }, { value, format }, task) {
      if (format === undefined) return display(value, task);
      task.claim(format.length);
      return formatNumber(toNumber(value), pictures.parsed(format));
    },
  }),
] as const;
