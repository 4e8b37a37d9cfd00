/** `basil gearman echo`: data to each server and back, as clients and workers speak to it, with the time it took. */
import type { ServerAddress } from "../../../core/gearman/address.ts";
import { formatServer } from "../../../core/gearman/address.ts";
import { GearmanClient } from "../../../core/gearman/client.ts";
import type { GearmanConfig } from "../../../core/gearman/config.ts";
import { GearmanError } from "../../../core/gearman/errors.ts";
import type { CliContext } from "../context.ts";
import { type AdminFlags, askServers, showAnswers } from "./answers.ts";
import { shownText } from "./table.ts";

/** What an echo took. */
export interface EchoTime {
  /** Connecting and the first echo, in milliseconds. */
  readonly connectMs: number;
  /** There and back on the open connection, in milliseconds. */
  readonly roundTripMs: number;
}

/** Sends a text to each server and back. */
export async function echo(text: string, flags: AdminFlags, context: CliContext): Promise<number> {
  const answers = await askServers(flags, context, async (_, address, config) => ({
    server: formatServer(address),
    ...(await echoTime(text, address, config)),
  }));
  const presentation = {
    json: ({ connectMs, roundTripMs }: EchoTime) => ({ text, connectMs, roundTripMs }),
    text: ({ server, roundTripMs }: EchoTime & { server: string }) => `${server}  ${shownText(text)}  ${roundTripMs} ms\n`,
    isNamed: true,
  };
  return showAnswers(answers, presentation, flags, context);
}

/** Measures an echo of a server. PROTOCOL when other bytes come back. */
export async function echoTime(text: string, address: ServerAddress, { timeoutMs }: GearmanConfig): Promise<EchoTime> {
  const client = new GearmanClient({ servers: [address], timeoutMs, retries: 0 });
  try {
    const connectMs = await timed(() => client.echo(text));
    let back = "";
    const roundTripMs = await timed(async () => {
      back = (await client.echo(text)).toString();
    });
    if (back !== text) throw new GearmanError("PROTOCOL", `${formatServer(address)} sent other bytes back than it was sent`);
    return { connectMs, roundTripMs };
  } finally {
    await client.close();
  }
}

/** Milliseconds, in hundredths. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return Math.round((performance.now() - start) * 100) / 100;
}
