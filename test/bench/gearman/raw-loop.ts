/**
 * The yardstick of the Gearman benchmark: the least a Node.js program can do to speak the protocol. A bare
 * socket, the submit packet encoded once, one write per read, replies counted by their type. No handles, no
 * matching, no timeouts, no errors.
 */
import { connect, type Socket } from "node:net";

const JOB_CREATED = 8;
const WORK_COMPLETE = 13;
const ECHO_RES = 17;

/** Opens a socket the way a careless but quick program does. */
export function openRaw(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** A request packet with its arguments. */
export function rawPacket(type: number, body: Buffer): Buffer {
  const header = Buffer.from([0, 0x52, 0x45, 0x51, 0, 0, 0, type, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 8);
  return Buffer.concat([header, body]);
}

/** Sends `packets()` `count` times, `inFlight` at once, and resolves when as many replies of the awaited type came. */
function rawLoop(socket: Socket, packets: () => Buffer, count: number, inFlight: number, awaited: number): Promise<void> {
  let sent = 0;
  let done = 0;
  let chunks: Buffer[] = [];
  let have = 0;
  let need = 12;
  const send = (many: number) => {
    const batch: Buffer[] = [];
    for (; many > 0 && sent < count; many--, sent++) batch.push(packets());
    if (batch.length > 1 && batch[0]!.length < 65536) socket.write(Buffer.concat(batch));
    else for (const packet of batch) socket.write(packet);
  };
  return new Promise((resolve) => {
    const read = (chunk: Buffer) => {
      chunks.push(chunk);
      have += chunk.length;
      if (have < need) return;
      const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks, have);
      let at = 0;
      let finished = 0;
      for (need = 12; bytes.length - at >= 12; at += need) {
        need = 12 + bytes.readUInt32BE(at + 8);
        if (bytes.length - at < need) break;
        if (bytes[at + 7] === awaited) finished++;
      }
      if (bytes.length - at < 12) need = 12;
      chunks = at === bytes.length ? [] : [bytes.subarray(at)];
      have = bytes.length - at;
      done += finished;
      send(finished);
      if (done < count) return;
      socket.off("data", read);
      resolve();
    };
    socket.on("data", read);
    send(inFlight);
  });
}

/** Foreground jobs: submit, and wait for WORK_COMPLETE. */
export function rawForeground(socket: Socket, name: string, payload: Buffer, count: number, inFlight: number): Promise<void> {
  const packet = rawPacket(7, Buffer.concat([Buffer.from(`${name}\0\0`), payload]));
  return rawLoop(socket, () => packet, count, inFlight, WORK_COMPLETE);
}

/** Background jobs, each with a key of its own as our client gives them: submit, and wait for JOB_CREATED. */
export function rawBackground(
  socket: Socket,
  name: string,
  payload: Buffer,
  count: number,
  inFlight: number,
  key: () => string,
): Promise<void> {
  const encode = () => rawPacket(18, Buffer.concat([Buffer.from(`${name}\0${key()}\0`), payload]));
  return rawLoop(socket, encode, count, inFlight, JOB_CREATED);
}

/** Echoes: send, and wait for all of it to come back. */
export function rawEcho(socket: Socket, payload: Buffer, count: number, inFlight: number): Promise<void> {
  const packet = rawPacket(16, payload);
  return rawLoop(socket, () => packet, count, inFlight, ECHO_RES);
}
