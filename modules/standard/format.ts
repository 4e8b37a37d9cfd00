/** FORMAT$: numbers by a picture such as `#,##0.00` (language.md §12). */
import { optional, required } from "../../runtime/host.ts";
import { display, toNumber } from "../../runtime/values.ts";
import { type Decimal, decimalOf, roundDecimal } from "./decimal.ts";
import { fail, fn } from "./state.ts";

/** A format, taken apart. */
interface Picture {
  readonly before: string;
  readonly after: string;
  /** Places behind the point: at least, and at most. */
  readonly minPlaces: number;
  readonly maxPlaces: number;
  /** Digits before the point, at least. */
  readonly minDigits: number;
  readonly isGrouped: boolean;
  readonly isPercent: boolean;
}

const PLACEHOLDER = /[#0]/;
const isPlaceholder = (format: string, at: number): boolean => format[at] === "#" || format[at] === "0";
const isPictured = (format: string, at: number): boolean => isPlaceholder(format, at) || format[at] === ",";

/** Where the picture starts, where its point is and where it ends; the point is the end when there is none. */
function findPicture(format: string): { start: number; point: number; end: number } {
  const first = format.search(PLACEHOLDER);
  if (first < 0) throw fail("ARGUMENT_ERROR", "FORMAT$: no digit placeholder in format");
  let point = first;
  if (format[first - 1] === ".") point = first - 1;
  else while (isPictured(format, point)) point += 1;
  let start = Math.min(first, point);
  while (format[start - 1] === ",") start -= 1;
  if (format[point] !== "." || !isPlaceholder(format, point + 1)) return { start, point, end: point };
  let end = point + 1;
  while (isPictured(format, end)) end += 1;
  // A comma behind the last place is text: "0.00, paid".
  while (format[end - 1] === ",") end -= 1;
  return { start, point, end };
}

function parsePicture(format: string): Picture {
  const { start, point, end } = findPicture(format);
  const whole = format.slice(start, point);
  const places = format.slice(point + 1, end).replaceAll(",", "");
  const after = format.slice(end);
  return {
    before: format.slice(0, start),
    after,
    minPlaces: places.lastIndexOf("0") + 1,
    maxPlaces: places.length,
    minDigits: whole.length - whole.replaceAll("0", "").length,
    isGrouped: whole.includes(","),
    isPercent: after.startsWith("%"),
  };
}

/** A number as a picture shows it. NaN and infinities keep their display form. */
export function formatNumber(value: number, format: string): string {
  const picture = parsePicture(format);
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
    run(_, { value, format }, task) {
      if (format === undefined) return display(value, task);
      task.claim(format.length);
      return formatNumber(toNumber(value), format);
    },
  }),
] as const;
