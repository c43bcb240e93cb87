/**
 * Many MQTT clients in one process: subscribers of one topic and their
 * publisher, connections that come and go, idle connections, abandoned
 * sessions. `harness/broker_clients.ts` starts it.
 *
 * @module
 */
import { generate } from "mqtt-packet";
import { delay } from "../../src/common/async.ts";
import type {
  ClientsCommand,
  ClientsReport,
} from "../harness/broker_clients.ts";
import { commands, epoch, report } from "../harness/program_io.ts";
import { writeAll } from "../harness/write_all.ts";

const READ_BYTES = 1 << 16;
/** The first bytes of CONNACK and SUBACK. */
const CONNACK_BYTES = 4;
const SUBACK_BYTES = 5;
/** Connections that are opened at once. */
const PARALLEL = 20;
const DISCONNECT = Uint8Array.of(0xe0, 0);

const port = Number(Deno.args[0]);
const subscribers: Subscriber[] = [];
const held: Deno.TcpConn[] = [];
let publisher: Deno.TcpConn | undefined;
let sent = 0;
let publish: Extract<ClientsCommand, { do: "subscribe" }> | undefined;
let wake = () => {};
let draining: Promise<void> | undefined;

async function execute(command: ClientsCommand): Promise<void> {
  switch (command.do) {
    case "subscribe":
      publish = command;
      await times(command.count, async (i) => {
        const connection = await connect(`subscriber-${i}`);
        await subscribe(connection, command.topic, command.qos);
        subscribers.push(new Subscriber(connection, publishBytes()));
      });
      publisher = await connect("publisher");
      return;
    case "publish":
      return await send(command.messages, command.window);
    case "cycle":
      return await cycle(command.count, command.perSecond);
    case "hold":
      return await times(command.count, async (i) => {
        held.push(await connect(`held-${i}`));
      });
    case "abandon":
      return await times(command.count, async (i) => {
        const connection = await connect(`abandoned-${i}`, false);
        await subscribe(connection, command.filter.replace("%", `${i}`), 1);
        await connection.write(DISCONNECT);
        connection.close();
      });
  }
}

/** Counts messages by their bytes, and acknowledges those at QoS 1. */
class Subscriber {
  readonly #connection: Deno.TcpConn;
  readonly #packetBytes: number;
  readonly #idAt: number;
  #bytes = 0;
  #id = 0;

  constructor(connection: Deno.TcpConn, packet: Uint8Array) {
    this.#connection = connection;
    this.#packetBytes = packet.length;
    this.#idAt = publish!.qos === 0 ? -1 : 4 + publish!.topic.length;
    this.#read();
  }

  /** Received messages. */
  get count(): number {
    return Math.floor(this.#bytes / this.#packetBytes);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = await this.#connection.read(buffer).catch(() => null);
      if (count === null) return;
      const acknowledgements = this.#idAt < 0
        ? undefined
        : this.#acknowledge(buffer.subarray(0, count));
      this.#bytes += count;
      if (acknowledgements !== undefined && acknowledgements.length > 0) {
        await writeAll(this.#connection, acknowledgements);
      }
      wake();
    }
  }

  /** Returns the PUBACKs of the messages that end in these bytes. */
  #acknowledge(bytes: Uint8Array): Uint8Array {
    const first = this.count;
    const size = this.#packetBytes;
    const last = Math.floor((this.#bytes + bytes.length) / size);
    const all = new Uint8Array(4 * (last - first));
    let at = 0;
    let place = this.#bytes % size;
    for (const byte of bytes) {
      if (place === this.#idAt) this.#id = byte << 8;
      else if (place === this.#idAt + 1) this.#id |= byte;
      if (++place === size) {
        place = 0;
        all.set([0x40, 2, this.#id >> 8, this.#id & 255], at);
        at += 4;
      }
    }
    return all;
  }
}

/** The PUBLISH that every subscriber receives, without its identifier. */
function publishBytes(): Uint8Array {
  const { topic, qos, payloadBytes } = publish!;
  return generate({
    ...{ cmd: "publish", topic, qos, retain: false, dup: false, messageId: 1 },
    payload: "x".repeat(payloadBytes),
  } as never);
}

/** Publishes, and waits until each subscriber has everything. */
async function send(messages: number, window: number): Promise<void> {
  const { qos, topic } = publish!;
  const packet = publishBytes();
  const end = sent + messages;
  const burst = Math.max(1, Math.floor(window / 4));
  drainAcknowledgements();
  while (sent < end) {
    await until(() => sent - slowest() <= window - burst);
    const count = Math.min(burst, end - sent);
    const bytes = new Uint8Array(count * packet.length);
    for (let i = 0; i < count; i++) {
      bytes.set(packet, i * packet.length);
      if (qos === 0) continue;
      const id = (sent + i) % 65_535 + 1;
      const at = i * packet.length + 4 + topic.length;
      bytes[at] = id >> 8;
      bytes[at + 1] = id & 255;
    }
    sent += count;
    await writeAll(publisher!, bytes);
  }
  await until(() => slowest() >= end);
}

/** Reads and drops what the broker sends to the publisher. */
function drainAcknowledgements(): void {
  draining ??= (async () => {
    const buffer = new Uint8Array(READ_BYTES);
    while (await publisher!.read(buffer) !== null);
  })();
}

function slowest(): number {
  let least = Infinity;
  for (const { count } of subscribers) if (count < least) least = count;
  return least;
}

/** Waits until a received message makes the condition true. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => wake = resolve);
  }
}

/** Connects and disconnects clients, at a rate. */
async function cycle(count: number, perSecond: number): Promise<void> {
  const start = performance.now();
  await times(count, async (i) => {
    const due = start + 1000 * i / perSecond - performance.now();
    if (due > 0) await delay(due);
    const connection = await connect(`cycle-${i}`);
    await connection.write(DISCONNECT);
    await connection.closeWrite().catch(() => {});
    // Until the broker closes.
    await connection.read(new Uint8Array(1)).catch(() => null);
    connection.close();
  });
}

async function connect(clientId: string, clean = true): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  await writeAll(
    connection,
    generate({
      ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 4 },
      ...{ clientId, clean, keepalive: 0 },
    } as never),
  );
  const answer = await readExactly(connection, CONNACK_BYTES);
  if (answer[3] !== 0) throw new Error(`CONNACK ${answer[3]}`);
  return connection;
}

async function subscribe(
  connection: Deno.TcpConn,
  topic: string,
  qos: 0 | 1,
): Promise<void> {
  await writeAll(
    connection,
    generate({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [{ topic, qos }],
    }),
  );
  const answer = await readExactly(connection, SUBACK_BYTES);
  if (answer[4] !== qos) throw new Error(`SUBACK ${answer[4]}`);
}

async function readExactly(
  connection: Deno.TcpConn,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await connection.read(bytes.subarray(at));
    if (count === null) throw new Error("The broker closed the connection");
    at += count;
  }
  return bytes;
}

/** Runs work for 0 to count - 1, some at once. */
async function times(
  count: number,
  work: (i: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: PARALLEL }, async () => {
    for (let i; (i = next++) < count;) await work(i);
  }));
}

report({ startedAt: epoch(), at: epoch() } satisfies ClientsReport);
for await (const command of commands<ClientsCommand>()) {
  const startedAt = epoch();
  await execute(command);
  report({ startedAt, at: epoch() } satisfies ClientsReport);
}
