/** Callers' listeners, made safe to call from anywhere. */

/**
 * `listener` as one that never throws: what it throws becomes a process warning with this code. Each call gives a
 * function of its own.
 */
export function harmless<E extends { readonly type: string }>(
  listener: ((event: E) => void) | undefined,
  code: string,
): (event: E) => void {
  if (listener === undefined) return () => undefined;
  return (event) => {
    try {
      listener(event);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      process.emitWarning(`onEvent threw at ${event.type}: ${text}`, { code });
    }
  };
}
