/** The name of a client or worker as a server's `workers` command shows it: refused when a server would garble it. */
import { shown } from "./checks.ts";
import { GearmanError } from "./errors.ts";

/** Longest client id, in bytes: gearmand cuts longer ones without a word. */
export const MAX_CLIENT_ID_BYTES = 127;

/**
 * `id`, or an ARGUMENT error when a server would cut it, or when it would break the list of `workers`, whose
 * fields are separated by blanks. Empty means none.
 */
export function checkClientId(id: string): string {
  const refuse = (problem: string): never => {
    throw new GearmanError("ARGUMENT", `client id ${shown(id)} ${problem}`);
  };
  if (!id.isWellFormed()) refuse("is not text: it has bytes that are not UTF-8");
  if (/[\x00-\x1f\x7f]/.test(id)) refuse("has a control character");
  if (/\s/.test(id)) refuse("has a blank, which separates the fields in a server's list of workers: write - or _ instead");
  const bytes = Buffer.byteLength(id);
  if (bytes > MAX_CLIENT_ID_BYTES) refuse(`has ${bytes} bytes, at most ${MAX_CLIENT_ID_BYTES} are allowed: servers cut the rest`);
  return id;
}

/**
 * A client id such as `resize-%HOSTNAME%-%PID%` with its places filled in. When the whole is too long, each host
 * name in it is shortened at its end, so that what distinguishes the processes of one machine stays.
 */
export function expandClientId(template: string, { hostname, processId }: { hostname: string; processId: number }): string {
  const filled = template.replaceAll("%PID%", String(processId));
  const places = filled.split("%HOSTNAME%").length - 1;
  const room = MAX_CLIENT_ID_BYTES - Buffer.byteLength(filled.replaceAll("%HOSTNAME%", ""));
  if (places === 0 || room < 0) return filled.replaceAll("%HOSTNAME%", hostname);
  return filled.replaceAll("%HOSTNAME%", startOf(hostname, Math.floor(room / places)));
}

/** As much of a text's start as fits into so many bytes, in whole characters. */
function startOf(text: string, maxBytes: number): string {
  let bytes = 0;
  let start = "";
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    start += character;
  }
  return start;
}
