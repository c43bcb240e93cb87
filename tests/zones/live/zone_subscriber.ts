/**
 * A subscriber of all zones whose session the broker keeps, so that it receives
 * every message.
 *
 * @module
 */
import { isLoss, reconnect } from "../../chaos/reconnect.ts";
import { encode, type PublishPacket } from "../../support/packets.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { ZoneHistory } from "./zone_history.ts";

const CLIENT_ID = "zones-observer";
const PREFIX = "occupancy/";
const FILTER = `${PREFIX}zone/#`;

/** Receives at QoS 1 and acknowledges, over any number of connections. */
export class ZoneSubscriber implements AsyncDisposable {
  readonly history = new ZoneHistory();
  readonly #port: number;
  #connection: RawConnection;
  #isEnded = false;
  readonly #running: Promise<void>;

  /** Connects and subscribes. */
  static async start(port: number): Promise<ZoneSubscriber> {
    const connection = await connect(port);
    await connection.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [{ topic: FILTER, qos: 1 }],
    });
    await connection.expect("suback");
    return new ZoneSubscriber(port, connection);
  }

  private constructor(port: number, connection: RawConnection) {
    this.#port = port;
    this.#connection = connection;
    this.#running = this.#run();
    this.#running.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    await this.#connection[Symbol.asyncDispose]();
    await this.#running.catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#isEnded) {
      try {
        for await (const packet of this.#connection) {
          await this.#receive(packet as PublishPacket);
        }
      } catch (error) {
        if (!isLoss(error)) throw error;
      }
      await this.#connection[Symbol.asyncDispose]();
      if (!this.#isEnded) this.#connection = await connect(this.#port);
    }
  }

  async #receive(
    { topic, payload, messageId, dup }: PublishPacket,
  ): Promise<void> {
    const text = payload.toString();
    this.history.add(topic.slice(PREFIX.length), text, Date.now(), dup);
    if (messageId === undefined) return;
    await this.#connection.write(encode({ cmd: "puback", messageId }));
  }
}

function connect(port: number): Promise<RawConnection> {
  return reconnect(port, CLIENT_ID, { clean: false });
}
