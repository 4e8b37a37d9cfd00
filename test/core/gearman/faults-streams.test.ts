/**
 * A reader slower than the worker's pieces come: the memory of its process stays flat.
 *
 * 128 MB; GEARMAN_STREAM_MB=1024 for the long run.
 */
import { describe, expect, test } from "vitest";
import { runFixture } from "./faults-process.ts";
import { SERVER_KINDS, useRig } from "./faults-rig.ts";

const MEGABYTES = Number(process.env["GEARMAN_STREAM_MB"] ?? 128);
const PIECE_BYTES = 64 * 1024;
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;

const rig = useRig();

describe.each(SERVER_KINDS)("with $kind", ({ kind, isMissing }) => {
  test.skipIf(isMissing)(
    `${MEGABYTES} MB in pieces of 64 KiB to a slow reader`,
    // Again when need be: up to 50 MB are Node's own read buffers, which are freed late on a busy machine.
    { timeout: 300_000, retry: 2 },
    async () => {
      const server = `127.0.0.1:${await rig.server(kind)}`;
      await rig.worker(server, {
        pour: async (job) => {
          for (let piece = 0; piece < Number(job.payload); piece++) {
            const bytes = Buffer.alloc(PIECE_BYTES, piece % 251);
            bytes.writeUInt32BE(piece, 0);
            await job.sendData(bytes);
          }
        },
      });
      const pieces = (MEGABYTES * 1024 * 1024) / PIECE_BYTES;
      const reader = runFixture("slow-reader-process.ts", [server, "pour", String(pieces)]);
      rig.onEnd(() => reader.kill());
      const report = (await reader.message()) as { bytes: number; pieces: number; wrong: number; growthBytes: number };
      console.log(`${kind}: ${MEGABYTES} MB read slowly, memory ${(report.growthBytes / 1e6).toFixed(1)} MB more`);
      expect(report).toMatchObject({ bytes: pieces * PIECE_BYTES, pieces, wrong: 0 });
      expect(report.growthBytes).toBeLessThan(MAX_GROWTH_BYTES);
    },
  );
});
