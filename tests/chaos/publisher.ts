/**
 * A QoS 1 publisher that sends unacknowledged messages again.
 *
 * @module
 */
import { encodePublish, type Packet } from "../support/packets.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { within } from "../support/until.ts";
import { isLoss, reconnect, TIMEOUT_MS } from "./reconnect.ts";
import type { Message } from "./workload.ts";

/** QoS 1 messages in flight. */
const WINDOW = 1000;
/** Messages in one write. Its acknowledgements overlap the next burst. */
const BURST = 100;
const TOPIC = "occupancy/data";

/** Options of {@linkcode Publisher}. */
export interface PublisherOptions {
  readonly port: number;
  readonly clientId: string;
  readonly messages: readonly Message[];
  /** Called and awaited before it sends up to this share of its messages, 0 to 1. */
  readonly beforeSending: (share: number) => Promise<void>;
}

/**
 * Keeps many messages in flight. After a lost connection it sends all
 * unacknowledged messages again, in order (MQTT 3.1.1, 4.4). It never pauses,
 * so messages are in flight whenever its broker is killed.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  /** Index of the first unacknowledged message. */
  #base = 0;
  /** Number of messages sent at least once. */
  #sent = 0;
  #acknowledged = 0;
  #resent = 0;
  /** Wakes the sender: the window has space, or the connection is lost. */
  #wake = () => {};

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Share of the messages that is acknowledged, 0 to 1. */
  get progress(): number {
    return this.#base / this.#options.messages.length;
  }

  /** Readings in acknowledged messages. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Number of messages sent again. */
  get resent(): number {
    return this.#resent;
  }

  /**
   * Sends all messages.
   *
   * @throws {Error} if no message is acknowledged within 30 s
   */
  async run(): Promise<void> {
    while (this.#base < this.#options.messages.length) {
      const { port, clientId } = this.#options;
      const connection = await reconnect(port, clientId);
      let lost = false;
      const reading = this.#readAcknowledgements(connection).finally(() => {
        lost = true;
        this.#wake();
      });
      try {
        await this.#send(connection, () => lost);
      } catch (error) {
        if (!isLoss(error)) throw error;
      } finally {
        await connection[Symbol.asyncDispose]();
        await reading;
      }
    }
  }

  /** Sends until all messages are acknowledged or the connection is lost. */
  async #send(connection: RawConnection, lost: () => boolean): Promise<void> {
    const { messages, beforeSending } = this.#options;
    const sentBefore = this.#sent;
    let next = this.#base;
    while (this.#base < messages.length && !lost()) {
      const windowEnd = Math.min(this.#base + WINDOW, messages.length);
      if (next === windowEnd) {
        await this.#woken();
        continue;
      }
      const limit = Math.min(next + BURST, windowEnd);
      await beforeSending(limit / messages.length);
      const burst = messages.slice(next, limit).map((message, i) =>
        encodePublish(message.topic ?? TOPIC, message.payload, {
          qos: 1,
          id: idOf(next + i),
          dup: next + i < sentBefore,
        })
      );
      this.#resent += Math.max(0, Math.min(sentBefore, limit) - next);
      next = limit;
      this.#sent = Math.max(this.#sent, next);
      await connection.write(...burst);
    }
  }

  #woken(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const { length } = this.#options.messages;
    const what = () => `a PUBACK: ${this.#base} of ${length} received`;
    return within(promise, what, TIMEOUT_MS);
  }

  /** Counts acknowledgements until the connection is lost. */
  async #readAcknowledgements(connection: RawConnection): Promise<void> {
    for await (const packet of connection) {
      this.#acknowledge(packet);
      this.#wake();
    }
  }

  /** The broker acknowledges in the order of the messages (4.6). */
  #acknowledge({ cmd, messageId }: Packet): void {
    const { messages } = this.#options;
    const expected = idOf(this.#base);
    if (
      cmd !== "puback" || messageId !== expected || this.#base >= this.#sent
    ) {
      throw new Error(`Expected PUBACK ${expected}, got ${cmd} ${messageId}`);
    }
    this.#acknowledged += messages[this.#base++]!.readings.length;
  }
}

/** The packet identifier of a message (2.3.1). */
function idOf(index: number): number {
  return index % 65_535 + 1;
}
