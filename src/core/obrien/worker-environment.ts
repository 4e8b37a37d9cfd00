/** The clean environment of a worker: a few variables by name, and what its class adds. */

/** Variables a worker inherits when its class names none. */
export const INHERITED = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"] as const;

/** Which variables a worker gets. */
export interface EnvironmentOptions {
  /** Names of variables to inherit. Default: `INHERITED`. */
  readonly inherit?: readonly string[] | undefined;
  /** Variables besides, which win over inherited ones. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** The variables of a worker, out of those of the manager. */
export function workerEnvironment(options: EnvironmentOptions, own: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const inherited = (options.inherit ?? INHERITED).flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]]));
  return { ...Object.fromEntries(inherited), ...options.environment };
}
