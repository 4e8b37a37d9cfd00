/** States in `basil obrien list`: what the list calls a state is what `--state` takes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { JobQueue } from "../../../../src/core/obrien/queue.ts";
import { basilInProcess } from "../../../helpers/in-process.ts";

test.each(["pending", "claimed", "done", "failed"] as const)("a job that is %s is listed with that word", async (state) => {
  const directory = mkdtempSync(join(tmpdir(), "basil-obrien-states-"));
  try {
    const made = await basilInProcess(["obrien", "enqueue", "a", "x"], { directory });
    const id = made.stdout.toString().trim();
    const queue = await JobQueue.open(join(directory, ".basil-obrien.db"));
    if (state !== "pending") queue.claim(new Map([["a", 1]]), 1);
    if (state === "done" || state === "failed")
      queue.finish([{ id, state, xeme: { success: state === "done" }, errorClass: null, followUps: [] }]);
    queue.close();
    const { stdout } = await basilInProcess(["obrien", "list", "--state", state], { directory });
    expect(stdout.toString().split("\n")[1]).toMatch(new RegExp(`^[0-9a-f-]+ +${state} `));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
