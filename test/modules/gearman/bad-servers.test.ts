/** Scripts that meet a server which is none, breaks off, or sends more than the script can take. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { encodePacket, GearmanWorker } from "../../../src/core/gearman/index.ts";
import { outputOf, program, withServer } from "./program.ts";

/** A server that does this to each connection. */
async function withPeer<T>(greet: (socket: Socket) => void, use: (servers: string) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    greet(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const REPORT = `TRY
  r$ = GEARMAN.SUBMIT$("f", "p")
  PRINT "'"; r$; "' "; GEARMAN.ERRCODE%; " "; GEARMAN.ERR$
CATCH e$
  PRINT ERRNAME$; " "; ERR%; " "; GEARMAN.ERRCODE% = GEARMAN_PROTOCOL%
END TRY`;

const created = Buffer.concat(encodePacket("RES", "JOB_CREATED", "H:x:1"));

test.for([
  ["speaks another protocol", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), /^GEARMAN_ERROR 2003 true\n$/],
  [
    "announces a packet of absurd length",
    Buffer.concat([Buffer.from("\0RES"), Buffer.of(0, 0, 0, 13, 255, 255, 255, 255)]),
    /^GEARMAN_ERROR 2003 true\n$/,
  ],
  [
    "ends in the middle of a packet",
    Buffer.concat([created, created.subarray(0, 7)]),
    /^'' 2 f did not finish: .* in the middle of a packet/,
  ],
  ["ends before it answers", Buffer.alloc(0), /^'' 7 f may or may not have been queued: /],
] as const)("a server that %s", async ([, answer, expected]) => {
  const greet = (socket: Socket): void => {
    socket.once("data", () => socket.end(answer));
  };
  expect(await withPeer(greet, (servers) => outputOf(REPORT, { servers }))).toMatch(expected);
});

test("a server that accepts and says nothing costs timeout_ms, no more", async () => {
  const output = await withPeer(
    () => undefined,
    (servers) => outputOf(`${REPORT}\nPRINT GEARMAN.CANCEL%("H:x:1"); GEARMAN.ERRCODE%`, { servers, timeoutMs: 100 }),
  );
  expect(output).toMatch(/^'' 1 no answer from f within 100 ms\n01\n$/);
});

test("a slow SUB holds a fast worker back", async () => {
  await withServer(async (servers) => {
    const pieces = 96;
    const piece = Buffer.alloc(1024 * 1024, "x");
    let sent = 0;
    const worker = new GearmanWorker({ servers: [servers] });
    worker.add("flood", async (job) => {
      for (; sent < pieces; sent++) await job.sendData(piece);
    });
    worker.start();
    const script = program({ servers });
    const run = script.run(`got = 0
SUB take(piece$)
  got = got + 1
  IF got = 1 THEN
    SLEEP 500
    PRINT "awake"
    SLEEP 1
  END IF
END SUB
PRINT GEARMAN.SUBMIT_STREAM%("flood", "", "take"); " "; got`);
    await script.printed("awake");
    expect(sent).toBeLessThan(pieces - 32);
    await run;
    expect(script.output()).toBe(`awake\n1 ${pieces}\n`);
    await script.interpreter.close();
    await worker.stop();
  });
});
