/** The embedded server against the real gearmand: the same raw dialogues must get the same answers. */
import { hostname } from "node:os";
import { describe, expect, test } from "vitest";
import { GearmanServer, type GearmanServerOptions } from "../../../../src/core/gearman/server/server.ts";
import { hasGearmand, startGearmand } from "../../../helpers/gearmand.ts";
import { play, type Step } from "./dialogue.ts";
import { DIALOGUES, forHost, OPTION_DIALOGUES } from "./dialogues.ts";

async function compare(steps: readonly Step[], options: GearmanServerOptions, args: readonly string[]): Promise<void> {
  const gearmand = await startGearmand({ args });
  const server = new GearmanServer(options);
  try {
    const { port } = await server.listen();
    const script = forHost(steps, hostname());
    const [theirs, ours] = await Promise.all([play(gearmand.port, script), play(port, script)]);
    expect(ours).toEqual(theirs);
  } finally {
    await Promise.all([gearmand.stop(), server.close()]);
  }
}

describe.skipIf(!hasGearmand())("answers as gearmand does", () => {
  test.each(Object.entries(DIALOGUES))("%s", async (_rule, steps) => {
    await compare(steps, {}, []);
  });

  test.each(OPTION_DIALOGUES)("$rule", async ({ steps, options, args }) => {
    await compare(steps, options, args);
  });
});
