/**
 * Publishes readings at QoS 1 to a broker that is killed at any moment.
 *
 * @module
 */
import { isLoss, reconnect } from "../../chaos/reconnect.ts";
import { encodePublish } from "../../support/packets.ts";
import type { RawConnection } from "../../support/raw_connection.ts";

/** Sends messages until they are acknowledged, one after the other. */
export class ZonePublisher implements AsyncDisposable {
  readonly #port: number;
  #connection: RawConnection | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(port: number) {
    this.#port = port;
  }

  /** Resolves when the message is acknowledged. */
  publish(topic: string, payload: string): Promise<void> {
    return this.#last = this.#last.then(() => this.#send(topic, payload));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.[Symbol.asyncDispose]();
    this.#connection = undefined;
  }

  async #send(topic: string, payload: string): Promise<void> {
    for (;;) {
      try {
        this.#connection ??= await reconnect(this.#port, "zones-publisher");
        await this.#connection.write(encodePublish(topic, payload, { id: 1 }));
        const packet = await this.#connection.next();
        if (packet?.cmd === "puback") return;
      } catch (error) {
        if (!isLoss(error)) throw error;
      }
      await this[Symbol.asyncDispose]();
    }
  }
}
