/**
 * Requests a cell of a group of servers again and again, and records how often
 * and when each request is answered.
 *
 * @module
 */
import { delay } from "../../../src/common/async.ts";
import { encodePublish } from "../../support/packets.ts";
import { RawConnection } from "../../support/raw_connection.ts";

const INTERVAL_MS = 100;

/** A request and its answers. */
interface Asked {
  readonly at: number;
  /** Times until its answers, in ms. */
  readonly waits: number[];
  /** Whether an answer was an error reply, such as `store-failing`. */
  isRefused: boolean;
}

/** Sends requests through one broker. */
export class Requester implements AsyncDisposable {
  readonly #raw: RawConnection;
  readonly #topic: string;
  readonly #layers: readonly string[];
  readonly #asked: Asked[] = [];
  readonly #reading: Promise<void>;
  readonly #ending = new AbortController();
  readonly #asking: Promise<void>;

  private constructor(
    raw: RawConnection,
    topic: string,
    layers: readonly string[],
  ) {
    this.#raw = raw;
    this.#topic = topic;
    this.#layers = layers;
    this.#reading = this.#read();
    this.#asking = this.#ask();
    for (const work of [this.#reading, this.#asking]) work.catch(() => {});
  }

  /**
   * Connects to a broker and begins to request.
   *
   * @param layers requested in turn
   */
  static async start(
    port: number,
    name: string,
    layers: readonly string[],
  ): Promise<Requester> {
    const raw = await RawConnection.open(port, name);
    const topic = `occupancy/response/${name}`;
    await raw.subscribe(`${topic}/#`, 1);
    return new Requester(raw, topic, layers);
  }

  /** Requests sent so far. */
  get count(): number {
    return this.#asked.length;
  }

  /** Requests without an answer so far. */
  get open(): number {
    return this.#asked.filter(({ waits }) => waits.length === 0).length;
  }

  /** Requests that were answered with an error so far. */
  get refused(): number {
    return this.#asked.filter(({ isRefused }) => isRefused).length;
  }

  /**
   * Requests that were answered more than once, for people.
   *
   * @param start since when times are given, as of `performance.now()`
   */
  repeated(start: number): string[] {
    return this.#asked.filter(({ waits }) => waits.length > 1)
      .map(({ at, waits }) => {
        const after = waits.map((ms) => `${Math.round(ms)} ms`).join(", ");
        return `at ${((at - start) / 1000).toFixed(1)} s, after ${after}`;
      });
  }

  /** The longest time without an answer, in ms. */
  get longestWait(): number {
    const now = performance.now();
    return this.#asked.reduce(
      (max, { at, waits: [wait = now - at] }) => Math.max(max, wait),
      0,
    );
  }

  /** Sends no more requests. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#asking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#raw[Symbol.asyncDispose]();
    await Promise.allSettled([this.#asking, this.#reading]);
  }

  async #ask(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const number = this.#asked.length;
      const request = JSON.stringify({
        replyTo: `${this.#topic}/${number}`,
        layer: this.#layers[number % this.#layers.length],
        region: [0, 0, 0, 0],
      });
      this.#asked.push({ at: performance.now(), waits: [], isRefused: false });
      await this.#raw.write(
        encodePublish("occupancy/request", request, {
          id: number % 65_535 + 1,
        }),
      );
      await delay(INTERVAL_MS, signal);
    }
  }

  async #read(): Promise<void> {
    for await (const packet of this.#raw) {
      if (packet.cmd !== "publish") continue;
      if (packet.qos > 0) {
        await this.#raw.send({ cmd: "puback", messageId: packet.messageId! });
      }
      const asked = this.#asked[Number(packet.topic.split("/").at(-1))];
      if (asked === undefined) throw new Error(`No request: ${packet.topic}`);
      asked.waits.push(performance.now() - asked.at);
      asked.isRefused ||= "error" in JSON.parse(String(packet.payload));
    }
  }
}
