/** Any number of listeners to a stream's event behind a single one: Node takes eleven for a leak, hosts share streams. */
import type { EventEmitter } from "node:events";

type Listener = (error: Error) => void;

/** The one listener the emitter knows; the emitter holds it, so nothing else has to. */
interface Fan extends Listener {
  readonly sharers: Set<Listener>;
}

const isFan = (listener: object): listener is Fan => "sharers" in listener;
const fanOf = (emitter: EventEmitter, event: string): Fan | undefined => emitter.listeners(event).find(isFan);

/** Listens until {@link unlistenShared}; the same listener twice counts once. */
export function listenShared(emitter: EventEmitter, event: string, listener: Listener): void {
  const known = fanOf(emitter, event);
  if (known) {
    known.sharers.add(listener);
    return;
  }
  const sharers = new Set([listener]);
  const fan = (error: Error): void => {
    for (const one of [...sharers]) one(error);
  };
  emitter.on(event, Object.assign(fan, { sharers }));
}

/** Listens no longer. The last one takes the emitter's listener away. */
export function unlistenShared(emitter: EventEmitter, event: string, listener: Listener): void {
  const fan = fanOf(emitter, event);
  fan?.sharers.delete(listener);
  if (fan?.sharers.size === 0) emitter.off(event, fan);
}
