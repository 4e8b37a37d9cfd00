/** Where this user's caches are. All of them are safe to delete at any time. */
import { homedir } from "node:os";
import { join } from "node:path";

/** The directory for the caches of basil, or undefined where there is no place for one. */
export function cachePlace(environment: NodeJS.ProcessEnv): string | undefined {
  const home = environment["XDG_CACHE_HOME"] || (environment["HOME"] ? join(homedir(), ".cache") : undefined);
  return home === undefined ? undefined : join(home, "basil-gearman");
}
