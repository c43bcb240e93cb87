/** An embedded broker for tests, which waits for events and records them. */
import type { Broker, BrokerOptions } from "../../src/broker/broker.ts";
import type { Incoming } from "../../src/mqtt/link.ts";
import { within } from "../support/until.ts";

/** How long a test waits for one event, in ms. */
const EVENT_TIMEOUT_MS = 15_000;

/** An embedded broker that records all calls of its handlers and callbacks. */
export class RecordingBroker implements AsyncDisposable {
  readonly broker: Broker;
  readonly received: Incoming[] = [];
  readonly refused: string[] = [];
  readonly dropped: { id: string | undefined; reason: string }[] = [];
  readonly full: string[] = [];
  /** Whether to acknowledge each message when it is received. */
  readonly #acknowledge: boolean;
  #waiting: { condition: () => boolean; resolve: () => void }[] = [];

  private constructor(
    create: (callbacks: Partial<BrokerOptions>) => Broker,
    acknowledge: boolean,
  ) {
    this.#acknowledge = acknowledge;
    this.broker = create({
      onRefused: (id, topic) => this.#add(this.refused, `${id} ${topic}`),
      onDropped: (id, reason) => this.#add(this.dropped, { id, reason }),
      onSessionFull: (id) => this.#add(this.full, id),
    });
  }

  /**
   * Opens a broker on a free port with the subscriptions `data/#` and
   * `request`.
   */
  static async open(
    { acknowledge = true, ...options }: Partial<BrokerOptions> & {
      acknowledge?: boolean;
    } = {},
  ): Promise<RecordingBroker> {
    const { createBroker } = await import("../../src/broker/broker.ts");
    const recorder = new RecordingBroker(
      (callbacks) =>
        createBroker({
          host: "127.0.0.1",
          port: 0,
          subscriptions: ["data/#", "request"],
          ...callbacks,
          ...options,
        }),
      acknowledge,
    );
    await recorder.broker.open({
      message: (message) => {
        recorder.#add(recorder.received, message);
        if (recorder.#acknowledge) recorder.broker.acknowledge([message]);
      },
    });
    return recorder;
  }

  /** The broker's TCP port on the loopback. */
  get port(): number {
    return this.broker.address.port;
  }

  /** Waits until a call makes the condition true. */
  async until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ condition, resolve });
    await within(promise, what, EVENT_TIMEOUT_MS);
  }

  /** Waits until `count` messages have been received in total. */
  untilReceived(count: number): Promise<void> {
    return this.until(
      () => this.received.length >= count,
      `${count} messages (${this.received.length} received)`,
    );
  }

  /** The payloads of the received messages, as text. */
  texts(): string[] {
    return this.received.map(({ payload }) =>
      new TextDecoder().decode(payload)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.close();
  }

  #add<T>(list: T[], item: T): void {
    list.push(item);
    this.#waiting = this.#waiting.filter(({ condition, resolve }) => {
      if (!condition()) return true;
      resolve();
      return false;
    });
  }
}
