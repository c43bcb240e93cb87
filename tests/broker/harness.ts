import type { Broker, BrokerOptions } from "../../src/broker/broker.ts";
import type { Incoming } from "../../src/mqtt/link.ts";

/** True where a test may not use the network: it is shown as ignored there. */
export const OFFLINE =
  ["127.0.0.1", "0.0.0.0"].some((host) =>
    Deno.permissions.querySync({ name: "net", host }).state !== "granted"
  ) || Deno.permissions.querySync({ name: "env" }).state !== "granted";

/** How long a test waits for what should happen at once, in ms. */
const PATIENCE = 15_000;

/** What `promise` resolves to, unless that takes too long. */
export async function deadline<T>(
  promise: Promise<T>,
  what: string,
  ms = PATIENCE,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Waited ${ms} ms for ${what}`)),
    ms,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A broker with the server's side of it, which keeps what it is handed. */
export class Harness implements AsyncDisposable {
  readonly broker: Broker;
  readonly received: Incoming[] = [];
  readonly refused: string[] = [];
  readonly dropped: { id: string | undefined; reason: string }[] = [];
  readonly full: string[] = [];
  /** Acknowledge each message as it comes. */
  prompt: boolean;
  #watchers: { met: () => boolean; done: () => void }[] = [];

  private constructor(broker: Broker, prompt: boolean) {
    this.broker = broker;
    this.prompt = prompt;
  }

  /** Opens a broker on a free port that takes `data/#` and `request`. */
  static async open(
    { prompt = true, ...options }: Partial<BrokerOptions> & {
      prompt?: boolean;
    } = {},
  ): Promise<Harness> {
    const { createBroker } = await import("../../src/broker/broker.ts");
    const harness: Harness = new Harness(
      createBroker({
        host: "127.0.0.1",
        port: 0,
        subscriptions: ["data/#", "request"],
        refused: (id, topic) =>
          harness.#note(harness.refused, `${id} ${topic}`),
        dropped: (id, reason) => harness.#note(harness.dropped, { id, reason }),
        sessionFull: (id) => harness.#note(harness.full, id),
        ...options,
      }),
      prompt,
    );
    await harness.broker.open({
      message: (message) => {
        harness.#note(harness.received, message);
        if (harness.prompt) harness.broker.acknowledge([message]);
      },
    });
    return harness;
  }

  /** Where to connect to. */
  get at(): { port: number } {
    return this.broker.address;
  }

  /** Resolves when `met` is true, looked at whenever the broker has told something. */
  until(met: () => boolean, what: string): Promise<void> {
    if (met()) return Promise.resolve();
    return deadline(
      new Promise((done) => this.#watchers.push({ met, done })),
      what,
    );
  }

  /** Resolves when so many messages have been handed over in all. */
  receives(count: number): Promise<void> {
    return this.until(
      () => this.received.length >= count,
      `${count} messages (there are ${this.received.length})`,
    );
  }

  /** The payloads handed over, as text. */
  texts(): string[] {
    return this.received.map(({ payload }) =>
      new TextDecoder().decode(payload)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.close();
  }

  #note<T>(list: T[], item: T): void {
    list.push(item);
    this.#watchers = this.#watchers.filter(({ met, done }) => {
      if (!met()) return true;
      done();
      return false;
    });
  }
}
