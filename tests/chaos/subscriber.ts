/**
 * A subscriber with a session that is kept, and what it received.
 *
 * @module
 */
import { encode, type PublishPacket } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { within } from "../support/until.ts";
import { isLoss, reconnect } from "./reconnect.ts";
import type { Message } from "./workload.ts";

/** The messages of the publishers. */
const FILTER = "occupancy/data";
/** Each session has one order of all topics at QoS 1. */
const LAST_TOPIC = "chaos/last";
/** A subscriber that was away receives all messages at the end. */
const END_TIMEOUT_MS = 120_000;

/** Receives at QoS 1 and acknowledges, over any number of connections. */
export class KeptSubscriber {
  readonly #port: number;
  readonly #clientId: string;
  /** Payloads, in the order of their first delivery. */
  readonly #received = new Set<string>();
  #running: Promise<void> | undefined;

  constructor(port: number, clientId: string) {
    this.#port = port;
    this.#clientId = clientId;
  }

  /** Subscribes, and disconnects. */
  async subscribe(): Promise<void> {
    await using raw = await this.#connect();
    await raw.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [
        { topic: FILTER, qos: 1 },
        { topic: LAST_TOPIC, qos: 1 },
      ],
    });
    await raw.expect("suback");
    await raw.disconnect();
  }

  /** Begins to receive, over as many connections as it takes. */
  start(): void {
    this.#running ??= this.#run();
    this.#running.catch(() => {});
  }

  /** Receives until the message of {@linkcode sendLast}. */
  async end(): Promise<void> {
    this.start();
    const what = () => `the end; ${this.#received.size} messages received`;
    await within(this.#running!, what, END_TIMEOUT_MS);
  }

  /** Returns the messages that it did not receive. */
  missing(publishers: readonly (readonly Message[])[]): string[] {
    return publishers.flat().map(({ payload }) => payload)
      .filter((payload) => !this.#received.has(payload));
  }

  /** Returns the messages that it received before an earlier one. */
  disordered(publishers: readonly (readonly Message[])[]): string[] {
    const order = new Map([...this.#received].map((one, i) => [one, i]));
    return publishers.flatMap((messages) => {
      const payloads = messages.map(({ payload }) => payload);
      return payloads.filter((payload, i) =>
        i > 0 && order.get(payload)! < order.get(payloads[i - 1]!)!
      );
    });
  }

  async #run(): Promise<void> {
    for (let isEnded = false; !isEnded;) {
      await using raw = await this.#connect();
      try {
        isEnded = await this.#receive(raw);
      } catch (error) {
        if (!isLoss(error)) throw error;
      }
    }
  }

  /** Receives until the connection is lost, or the end; returns true then. */
  async #receive(raw: RawConnection): Promise<boolean> {
    let isEnded = false;
    while (!isEnded) {
      const first = await raw.next();
      if (first === undefined) return false;
      const packets = [first, ...raw.packets.splice(0)] as PublishPacket[];
      for (const { topic, payload } of packets) {
        if (topic === LAST_TOPIC) isEnded = true;
        else this.#received.add(payload.toString());
      }
      await raw.write(
        ...packets.map(({ messageId }) =>
          encode({ cmd: "puback", messageId: messageId! })
        ),
      );
    }
    return isEnded;
  }

  #connect(): Promise<RawConnection> {
    return reconnect(this.#port, this.#clientId, { clean: false });
  }
}

/** Publishes the message that ends all subscribers. */
export async function sendLast(port: number): Promise<void> {
  await using raw = await RawConnection.open(port, "chaos-last");
  await raw.publish(LAST_TOPIC, "", { id: 1 });
  await raw.expect("puback");
}
