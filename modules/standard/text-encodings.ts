/** Built-ins that turn text into other forms of text or look at its bytes: HTML, URLs, base64, hashes (language.md §12). */
import { byteLength, decodeBytes, encodeText } from "../../runtime/bytes.ts";
import { optional, required, type TaskContext } from "../../runtime/host.ts";
import { fail, fn, spendOnText } from "./state.ts";

const HTML_CHARACTERS: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Counts and bounds a pass over a text that may grow a few times over. */
function converted(task: TaskContext, text: string, convert: (text: string) => string): string {
  spendOnText(task, text.length);
  const result = convert(text);
  task.claim(result.length);
  return result;
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => HTML_CHARACTERS[character]!);

const VALUE = required("display", "Any value; its display form is used.");

const htmlRows = [
  fn({
    name: "HTML$",
    doc: "Text for an HTML page: & < > \" ' as entities.",
    params: { value: VALUE },
    run: (_, { value }, task) => converted(task, value, escapeHtml),
  }),
  fn({
    name: "HTML",
    doc: "Text for an HTML page: & < > \" ' as entities.",
    params: { value: VALUE },
    run: (_, { value }, task) => converted(task, value, escapeHtml),
  }),
  fn({
    name: "ESCAPE$",
    doc: "Text for a quoted SQL string: each ' twice.",
    params: { value: VALUE },
    run: (_, { value }, task) => converted(task, value, (text) => text.replaceAll("'", "''")),
  }),
  fn({
    name: "UNESCAPE$",
    doc: "Undoes ESCAPE$: each '' becomes one '.",
    params: { value: VALUE },
    run: (_, { value }, task) => converted(task, value, (text) => text.replaceAll("''", "'")),
  }),
];

const PERCENT = 0x25;
const PLUS = 0x2b;
const BLANK = 0x20;
const UNRESERVED = /^[A-Za-z0-9_.~-]*$/;
const HEX_DIGITS = "0123456789ABCDEF";

const isUnreserved = (byte: number): boolean =>
  (byte >= 0x61 && byte <= 0x7a) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x30 && byte <= 0x39) ||
  byte === 0x2d ||
  byte === 0x5f ||
  byte === 0x2e ||
  byte === 0x7e;

/** Form encoding: bytes other than A-Z a-z 0-9 - _ . ~ as %XX, blanks as +. */
function encodeUrl(text: string): string {
  if (UNRESERVED.test(text)) return text;
  const bytes = encodeText(text);
  const encoded = Buffer.allocUnsafe(bytes.length * 3);
  let end = 0;
  for (const byte of bytes) {
    if (isUnreserved(byte)) encoded[end++] = byte;
    else if (byte === BLANK) encoded[end++] = PLUS;
    else {
      encoded[end++] = PERCENT;
      encoded[end++] = HEX_DIGITS.charCodeAt(byte >> 4);
      encoded[end++] = HEX_DIGITS.charCodeAt(byte & 15);
    }
  }
  return encoded.toString("latin1", 0, end);
}

/** Undoes form encoding; escapes that are none stay as they are. */
function decodeUrl(text: string): string {
  if (!text.includes("%")) return text.replaceAll("+", " ");
  const bytes = encodeText(text);
  let end = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    const escaped = byte === PERCENT ? hexDigit(bytes[at + 1]) * 16 + hexDigit(bytes[at + 2]) : Number.NaN;
    if (Number.isNaN(escaped)) bytes[end++] = byte === PLUS ? BLANK : byte;
    else {
      bytes[end++] = escaped;
      at += 2;
    }
  }
  return decodeBytes(bytes.subarray(0, end));
}

/** What a byte is worth as a hexadecimal digit; NaN when it is none. */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return Number.NaN;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

const urlRows = [
  fn({
    name: "URLENCODE$",
    doc: "Text for a URL or form: A-Z a-z 0-9 - _ . ~ stay, blanks become +, other bytes %XX.",
    params: { value: VALUE },
    run: (_, { value }, task) => converted(task, value, encodeUrl),
  }),
  fn({
    name: "URLDECODE$",
    doc: "Undoes URLENCODE$; escapes that are none are kept.",
    params: { value: VALUE },
    run: (_, { value }, task) => converted(task, value, decodeUrl),
  }),
];

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** The characters whose unused last bits are zero, before `==` and before `=`. */
const LAST_BEFORE_TWO = /[AQgw]==$/;
const LAST_BEFORE_ONE = /[AEIMQUYcgkosw048]=$/;

function decodeBase64(text: string): Buffer {
  const isWhole = text.length % 4 === 0 && BASE64.test(text);
  const isExact = !text.endsWith("=") || (text.endsWith("==") ? LAST_BEFORE_TWO : LAST_BEFORE_ONE).test(text.slice(-4));
  if (!isWhole || !isExact) throw fail("ARGUMENT_ERROR", "BASE64_DECODE$: invalid base64");
  return Buffer.from(text, "base64");
}

const TEXT = required("text", "The string.");
const BYTES = required("bytes", "The string; its bytes count.");

const byteRows = [
  fn({
    name: "BYTES%",
    doc: "How many bytes a string is long: 2 for `é`.",
    params: { text: TEXT },
    yields: true,
    isInteger: true,
    run(_, { text }, task) {
      spendOnText(task, text.length);
      return byteLength(text);
    },
  }),
  fn({
    name: "CHRB$",
    doc: "A string of one byte.",
    params: { byte: required("integer", "From 0 to 255.") },
    yields: true,
    run(_, { byte }) {
      if (!(byte >= 0 && byte <= 255)) throw fail("ARGUMENT_ERROR", "CHRB$ expects 0 to 255");
      return String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
    },
  }),
  fn({
    name: "ASCB%",
    doc: "One byte of a string as a number from 0 to 255; -1 when there is none.",
    params: { text: TEXT, index: optional("integer", "Which byte, from 1; the first when left out.") },
    yields: true,
    isInteger: true,
    run: ({ texts }, { text, index = 1 }) => (index >= 1 ? (texts.bytes(text)[index - 1] ?? -1) : -1),
  }),
  fn({
    name: "HASH$",
    doc: "The SHA-256 of a string's bytes in 64 lower-case hexadecimal digits.",
    params: { bytes: BYTES },
    yields: true,
    run(_, { bytes }, task) {
      spendOnText(task, bytes.length);
      // Loaded on use: most programs hash nothing, and it is slow to load.
      return process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes).digest("hex");
    },
  }),
  fn({
    name: "BASE64_ENCODE$",
    doc: "A string's bytes in base64.",
    params: { bytes: BYTES },
    run(_, { bytes }, task) {
      spendOnText(task, bytes.length);
      task.claim(Math.ceil(bytes.length / 3) * 4);
      return bytes.toString("base64");
    },
  }),
  fn({
    name: "BASE64_DECODE$",
    doc: "The string whose bytes were encoded in base64.",
    params: { text: required("text", "Base64 with its padding, without blanks or line breaks.") },
    run(_, { text }, task) {
      spendOnText(task, text.length);
      return decodeBase64(text);
    },
  }),
];

export const encodingRows = [...htmlRows, ...urlRows, ...byteRows] as const;
