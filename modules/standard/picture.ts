/** The pictures of FORMAT$, such as `#,##0.00`, taken apart. */
import { BasilError } from "../../runtime/errors.ts";

/** A format, taken apart. */
export interface Picture {
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
  if (first < 0) throw new BasilError("ARGUMENT_ERROR", "FORMAT$: no digit placeholder in format");
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

/** Takes pictures apart; a loop that formats by one picture does so once. */
export class Pictures {
  #format: string | undefined;
  #picture: Picture | undefined;

  parsed(format: string): Picture {
    if (this.#picture && this.#format === format) return this.#picture;
    this.#picture = parsePicture(format);
    this.#format = format;
    return this.#picture;
  }
}
