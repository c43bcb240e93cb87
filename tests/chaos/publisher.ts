import {
  concat,
  encodeConnect,
  encodePublish,
  Packet,
} from "../support/raw_mqtt.ts";
import { until, within } from "../support/until.ts";
import type { Message } from "./workload.ts";

/** QoS 1 messages under way at once. */
const WINDOW = 1000;
/** Messages in one write, so that acknowledgements of one burst overlap the next. */
const BURST = 100;
/** How long nothing may be acknowledged, in ms, before it gives up. */
const PATIENCE = 30_000;
const TOPIC = "occupancy/data";
/** All that a broker sends to one who only publishes: CONNACK and PUBACK. */
const FRAME_BYTES = 4;

/** What a {@linkcode Publisher} is given. */
export interface PublisherOptions {
  readonly port: number;
  readonly clientId: string;
  readonly messages: readonly Message[];
  /** Resolves once it may send this share of its messages, 0 to 1. */
  readonly allowed: (share: number) => Promise<void>;
}

/**
 * A QoS 1 publisher that does what MQTT asks of it: many messages under way,
 * and after a lost connection it sends again, in order, all that were not
 * acknowledged (MQTT 3.1.1, 4.4). It never pauses, so that there is always
 * something under way when its broker dies.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  /** The first message that is not acknowledged. */
  #base = 0;
  /** One behind the last message that was ever sent. */
  #sent = 0;
  #acknowledged = 0;
  #resent = 0;
  /** Wakes the sender: there is room, or the connection is lost. */
  #wake = () => {};

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Messages that are acknowledged, as a share of all. */
  get progress(): number {
    return this.#base / this.#options.messages.length;
  }

  /** Readings in acknowledged messages. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Messages that were sent more than once, each time counted. */
  get resent(): number {
    return this.#resent;
  }

  /** Sends everything. @throws {Error} if nothing moves for too long */
  async run(): Promise<void> {
    while (this.#base < this.#options.messages.length) {
      const connection = await this.#connect();
      let lost = false;
      const hearing = this.#hear(connection).catch((error) => {
        if (!isLoss(error)) throw error;
      }).finally(() => {
        lost = true;
        this.#wake();
      });
      try {
        await this.#send(connection, () => lost);
      } catch (error) {
        if (!isLoss(error)) throw error;
      } finally {
        close(connection);
        await hearing;
      }
    }
  }

  /** Waits until there is a broker that lets it in. */
  async #connect(): Promise<Deno.TcpConn> {
    const { port, clientId } = this.#options;
    return await until(async () => {
      let connection: Deno.TcpConn | undefined;
      try {
        connection = await Deno.connect({ hostname: "127.0.0.1", port });
        await writeAll(connection, encodeConnect(clientId));
        const connack = new Uint8Array(FRAME_BYTES);
        const count = await connection.read(connack);
        if (count === FRAME_BYTES && connack[0] === Packet.connack << 4) {
          return connection;
        }
      } catch (error) {
        if (!isLoss(error)) throw error;
      }
      if (connection) close(connection);
    }, { deadline: PATIENCE, what: "the broker lets the publisher in" });
  }

  /** Sends until all is acknowledged or the connection is lost. */
  async #send(connection: Deno.TcpConn, lost: () => boolean): Promise<void> {
    const { messages, allowed } = this.#options;
    const again = this.#sent;
    let next = this.#base;
    while (this.#base < messages.length && !lost()) {
      const room = Math.min(this.#base + WINDOW, messages.length);
      if (next === room) {
        await this.#woken();
        continue;
      }
      const limit = Math.min(next + BURST, room);
      await allowed(limit / messages.length);
      const burst = messages.slice(next, limit).map(({ payload }, i) =>
        encodePublish(TOPIC, payload, {
          qos: 1,
          id: idOf(next + i),
          dup: next + i < again,
        })
      );
      this.#resent += Math.max(0, Math.min(again, limit) - next);
      next = limit;
      this.#sent = Math.max(this.#sent, next);
      await writeAll(connection, concat(burst));
    }
  }

  #woken(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const { length } = this.#options.messages;
    const what = () => `a PUBACK: ${this.#base} of ${length} are there`;
    return within(promise, what, PATIENCE);
  }

  /** Counts acknowledgements until the connection is lost. */
  async #hear(connection: Deno.TcpConn): Promise<void> {
    const chunk = new Uint8Array(64 * 1024);
    let held = 0;
    for (;;) {
      const count = await connection.read(chunk.subarray(held));
      if (count === null) return;
      held += count;
      const whole = held - held % FRAME_BYTES;
      for (let at = 0; at < whole; at += FRAME_BYTES) {
        this.#acknowledge(
          chunk[at]! >> 4,
          chunk[at + 2]! << 8 | chunk[at + 3]!,
        );
      }
      chunk.copyWithin(0, whole, held);
      held -= whole;
      this.#wake();
    }
  }

  /** Acknowledgements come in the order of the messages (4.6). */
  #acknowledge(type: number, id: number): void {
    const { messages } = this.#options;
    if (
      type !== Packet.puback || id !== idOf(this.#base) ||
      this.#base >= this.#sent
    ) {
      throw new Error(
        `Expected PUBACK ${
          idOf(this.#base)
        }, got packet type ${type}, id ${id}`,
      );
    }
    this.#acknowledged += messages[this.#base++]!.readings.length;
  }
}

/** The packet identifier of a message (2.3.1). */
function idOf(index: number): number {
  return index % 65_535 + 1;
}

/** True if it says no more than that the broker is gone. */
function isLoss(error: unknown): boolean {
  return [
    Deno.errors.ConnectionRefused,
    Deno.errors.ConnectionReset,
    Deno.errors.BrokenPipe,
    Deno.errors.BadResource,
    Deno.errors.Interrupted,
    Deno.errors.NotConnected,
  ].some((Loss) => error instanceof Loss);
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!isLoss(error)) throw error;
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await to.write(rest));
}
