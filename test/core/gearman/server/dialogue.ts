/**
 * Talks to a job server in raw bytes and writes down every answer, so that two servers can be given the
 * same dialogue and their answers be compared word for word.
 *
 * After every step each open connection sends an ECHO_REQ of its own and is read until the answer: what came
 * before it belongs to the step. So nothing waits for time to pass.
 */
import { connect, type Socket } from "node:net";
import { HEADER_BYTES, PACKETS, type PacketName } from "../../../../src/core/gearman/packets.ts";

/** Longest time any answer may take, in milliseconds. */
const DEADLINE_MS = 10_000;

/** The bytes of a packet, well-formed or not; text is Latin-1 with `\0` between arguments. */
export function packet(type: PacketName | number, body: string | Buffer = "", magic = "\0REQ"): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(magic, "latin1");
  header.writeUInt32BE(typeof type === "number" ? type : PACKETS[type].code, 4);
  header.writeUInt32BE(bytes.length, 8);
  return Buffer.concat([header, bytes]);
}

/** An administrator's command. */
export function line(text: string, ending = "\n"): Buffer {
  return Buffer.from(text + ending, "latin1");
}

/** One raw connection, whose answers are read one by one. */
export class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #isEnded = false;
  #notify: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#notify();
    });
    for (const event of ["end", "error", "close"]) {
      socket.on(event, () => {
        this.#isEnded = true;
        this.#notify();
      });
    }
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const connection = new RawConnection(socket);
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return connection;
  }

  send(...buffers: Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(buffers));
  }

  /** The next packet as `NAME arg|arg`, text line as `text …`, or `closed`. */
  async next(): Promise<string> {
    for (;;) {
      const answer = this.#takeAnswer();
      if (answer !== null) return answer;
      if (this.#isEnded) return "closed";
      await this.#more();
    }
  }

  /** The bytes of the next packet. */
  async nextBytes(): Promise<Buffer> {
    while (this.#packetEnd() === 0) {
      if (this.#isEnded) throw new Error("the connection was closed");
      await this.#more();
    }
    return this.#cut(this.#packetEnd());
  }

  /** Everything that was answered up to now; `closed` at the end when the connection is over. */
  async answers(): Promise<string[]> {
    const mark = `mark ${Math.random()}`;
    this.send(packet("ECHO_REQ", mark));
    const answers: string[] = [];
    for (;;) {
      const answer = await this.next();
      if (answer === `ECHO_RES ${mark}`) return answers;
      answers.push(answer);
      if (answer === "closed") return answers;
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.closed) resolve();
      else this.socket.once("close", () => resolve()).destroy();
    });
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new Error(`no answer in ${DEADLINE_MS} ms; received so far: ${JSON.stringify(this.#received.toString("latin1"))}`),
          ),
        DEADLINE_MS,
      );
      this.#notify = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Joins what has arrived, at most when it can complete the packet that is waited for. */
  #join(): void {
    const arrived = this.#chunks.reduce((sum, { length }) => sum + length, this.#received.length);
    const isLarge = this.#received.length >= HEADER_BYTES && this.#received[0] === 0;
    if (this.#chunks.length === 0 || (isLarge && arrived < HEADER_BYTES + this.#received.readUInt32BE(8))) return;
    this.#received = Buffer.concat([this.#received, ...this.#chunks]);
    this.#chunks = [];
  }

  #packetEnd(): number {
    this.#join();
    if (this.#received.length < HEADER_BYTES) return 0;
    const end = HEADER_BYTES + this.#received.readUInt32BE(8);
    return this.#received.length < end ? 0 : end;
  }

  #cut(end: number): Buffer {
    const bytes = this.#received.subarray(0, end);
    this.#received = this.#received.subarray(end);
    return bytes;
  }

  #takeAnswer(): string | null {
    this.#join();
    if (this.#received.length === 0) return null;
    if (this.#received[0] !== 0) {
      const end = this.#received.indexOf(10);
      return end < 0 ? null : `text ${JSON.stringify(this.#cut(end + 1).toString("latin1"))}`;
    }
    const end = this.#packetEnd();
    return end === 0 ? null : describe(this.#cut(end));
  }
}

function describe(bytes: Buffer): string {
  const code = bytes.readUInt32BE(4);
  const name = Object.entries(PACKETS).find(([, row]) => row.code === code)?.[0] ?? `type ${code}`;
  const body = bytes.toString("latin1", HEADER_BYTES).replaceAll("\0", "|");
  return body === "" ? name : `${name} ${body}`;
}

/**
 * One step: a connection's name and what it sends, or `close` to hang up. A connection is opened when
 * its name first appears.
 */
export type Step = readonly [connection: string, ...sends: (Buffer | "close")[]];

/** Plays the steps against a server; one text per answer, `connection: answer`, with `--` between steps. */
export async function play(port: number, steps: readonly Step[]): Promise<string[]> {
  const connections = new Map<string, RawConnection>();
  let observer: RawConnection | null = null;
  const observe = async () => (observer ??= await RawConnection.open(port));
  const transcript: string[] = [];
  try {
    for (const [name, ...sends] of steps) {
      let connection = connections.get(name);
      if (connection === undefined) connections.set(name, (connection = await RawConnection.open(port)));
      transcript.push(`-- ${name}`);
      await perform(name, connection, sends, connections, observe);
      // The sender first: once it is answered, the server has done all that the step asks for.
      for (const other of new Set(connections.has(name) ? [name, ...connections.keys()] : connections.keys())) {
        for (const answer of await connections.get(other)!.answers()) transcript.push(`${other}: ${normalise(answer)}`);
        if (transcript.at(-1) === `${other}: closed`) connections.delete(other);
      }
    }
  } finally {
    for (const connection of connections.values()) connection.socket.destroy();
    (observer as RawConnection | null)?.socket.destroy();
  }
  return sortLists(transcript);
}

async function perform(
  name: string,
  connection: RawConnection,
  sends: readonly (Buffer | "close")[],
  connections: Map<string, RawConnection>,
  observe: () => Promise<RawConnection>,
): Promise<void> {
  for (const send of sends) {
    if (send !== "close") {
      connection.send(send);
      continue;
    }
    await connection.answers();
    await connection.close();
    connections.delete(name);
    await untilListed(await observe(), connections.size + 1);
  }
}

/** Waits until the server has noticed that a connection is gone: it lists only the open ones, the observer among them. */
async function untilListed(observer: RawConnection, wanted: number): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    observer.send(line("workers"));
    let count = 0;
    while ((await observer.next()) !== 'text ".\\n"') count++;
    if (count <= wanted) return;
    if (Date.now() > deadline)
      throw new Error(`the server lists ${count} connections instead of ${wanted} after ${DEADLINE_MS} ms`);
  }
}

/** Takes out what must differ between servers: host, process id and version. */
function normalise(answer: string): string {
  return answer
    .replace(/H:[^:|\\\s]+:(\d+)/g, "H:host:$1")
    .replace(/^text "OK \d+\\n"$/, 'text "OK <pid>\\n"')
    .replace(/^text "OK 1\.1\.20\S*\\n"$/, 'text "OK <version>\\n"')
    .replace(/^text "\d+ 127\.0\.0\.1 /, 'text "<fd> 127.0.0.1 ');
}

/** The lines of a list come in an order of the server's own. */
function sortLists(transcript: readonly string[]): string[] {
  const sorted: string[] = [];
  let list: string[] = [];
  for (const answer of transcript) {
    if (/: text ".*\\n"$/.test(answer) && !answer.endsWith('text ".\\n"')) {
      list.push(answer);
      continue;
    }
    sorted.push(...list.sort(), answer);
    list = [];
  }
  return [...sorted, ...list];
}
