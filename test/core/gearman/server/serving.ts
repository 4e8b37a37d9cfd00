/** Embedded servers and bare connections for one test file: made on demand, closed after each test, which must show no bug. */
import { afterEach, expect } from "vitest";
import { GearmanServer, type GearmanServerOptions } from "../../../../src/core/gearman/server/server.ts";
import type { GearmanServerEvent } from "../../../../src/core/gearman/server/state.ts";
import { RawConnection } from "./dialogue.ts";

/** What a test file gets. */
export interface Serving {
  /** What the servers of the test have told so far. */
  readonly events: GearmanServerEvent[];
  /** Run after the test, the last added first. */
  readonly closers: (() => Promise<unknown>)[];
  serve(options?: GearmanServerOptions): Promise<{ port: number; server: GearmanServer }>;
  open(port: number): Promise<RawConnection>;
}

/** Sets up a test file. Of hooks after each test the latest added runs first: add what the servers use before. */
export function serving(defaults: () => GearmanServerOptions = () => ({})): Serving {
  const events: GearmanServerEvent[] = [];
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    expect(events.splice(0).filter(({ type }) => type === "bug")).toEqual([]);
  });
  return {
    events,
    closers,
    async serve(options = {}) {
      const server = new GearmanServer({ handleHost: "test", onEvent: (event) => events.push(event), ...defaults(), ...options });
      closers.push(() => server.close());
      return { server, port: (await server.listen()).port };
    },
    async open(port) {
      const connection = await RawConnection.open(port);
      closers.push(() => connection.close());
      return connection;
    },
  };
}

/** Sends to a connection and returns everything it is answered. */
export async function ask(connection: RawConnection, ...sends: Buffer[]): Promise<string[]> {
  connection.send(...sends);
  return connection.answers();
}
