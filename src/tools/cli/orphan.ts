/** A process of `basil worker` whose supervisor is gone: nobody would ever end it, so it ends by itself. */

/** Whether this process was started by `basil worker`; programs that it starts have the variable, but not the channel. */
export const isSupervised = (environment: NodeJS.ProcessEnv): boolean =>
  environment["BASIL_PROCESS"] !== undefined && process.connected !== undefined;

/**
 * Calls an action once when this process was started by `basil worker` and that has ended, however it ended. Keeps the
 * process from nothing: it ends when its program does. The function it returns calls this off.
 */
export function onSupervisorGone(environment: NodeJS.ProcessEnv, action: () => void): () => void {
  if (!isSupervised(environment)) return () => {};
  process.once("disconnect", action);
  process.channel?.unref();
  if (!process.connected) action();
  return () => void process.off("disconnect", action);
}
