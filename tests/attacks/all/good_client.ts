/**
 * A client that behaves well while others attack, and measures how the server
 * serves it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { delay, doneWithin } from "../../../src/common/async.ts";
import { encodePublish } from "../../support/packets.ts";
import { RawConnection } from "../../support/raw_connection.ts";

/** Its layer has 16 cells. */
export const GOOD_LAYER = "good";
const SIDE = 4;
const REPLIES = "occupancy/response/good";
/** Pause between two of its operations of a kind. */
const INTERVAL_MS = 20;
/** What the client does. */
export type Operation = "request" | "get" | "reading";

/** The times of operations, in ms, and failures. */
export interface Measured {
  readonly ms: Record<Operation, number[]>;
  readonly failures: string[];
}

/** Where a client sends, and how long it waits. */
export interface ClientOptions {
  readonly httpUrl: string;
  readonly mqttPort: number;
  readonly token: string;
  /** An operation without a result for this time has failed, in ms. */
  readonly timeoutMs: number;
}

/** Sends requests over MQTT and HTTP, and readings at QoS 1. */
export class GoodClient implements AsyncDisposable {
  readonly #options: ClientOptions;
  readonly #requests: RawConnection;
  readonly #readings: RawConnection;
  readonly #ending = new AbortController();
  readonly #loops: Promise<unknown>;
  #measured = emptyMeasured();
  /** When the operations in progress began. */
  readonly #starts = new Map<Operation, number>();
  /** The last acknowledged value of each cell. */
  readonly acknowledged: number[] = Array(SIDE * SIDE).fill(0);

  private constructor(
    options: ClientOptions,
    requests: RawConnection,
    readings: RawConnection,
  ) {
    this.#options = options;
    this.#requests = requests;
    this.#readings = readings;
    this.#loops = Promise.all([
      this.#loop("request", () => this.#request()),
      this.#loop("get", () => this.#get()),
      this.#loop("reading", () => this.#publish()),
    ]);
  }

  /** Connects and begins. */
  static async start(options: ClientOptions): Promise<GoodClient> {
    const { mqttPort } = options;
    const requests = await RawConnection.open(mqttPort, "good-requests");
    await requests.subscribe(REPLIES);
    const readings = await RawConnection.open(mqttPort, "good-readings");
    const rows = Array.from(
      { length: SIDE * SIDE },
      (_, i) => `${i % SIDE},${Math.floor(i / SIDE)},0`,
    );
    await readings.write(
      encodePublish(`occupancy/data/${GOOD_LAYER}`, rows.join("\n"), { id: 1 }),
    );
    await readings.expect("puback");
    return new GoodClient(options, requests, readings);
  }

  /** Returns what was measured since the last call. */
  take(): Measured {
    for (const [operation, start] of this.#starts) {
      this.#add(operation, performance.now() - start);
    }
    const measured = this.#measured;
    this.#measured = emptyMeasured();
    return measured;
  }

  /** Sends a request over HTTP. */
  get(path: string): Promise<string> {
    return getText(path, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#loops;
    await this.#requests[Symbol.asyncDispose]();
    await this.#readings[Symbol.asyncDispose]();
  }

  async #loop(operation: Operation, run: () => Promise<void>): Promise<void> {
    const { signal } = this.#ending;
    const { timeoutMs } = this.#options;
    while (!signal.aborted) {
      const start = performance.now();
      this.#starts.set(operation, start);
      const work = run().catch((error) => {
        this.#measured.failures.push(`${operation}: ${error.message}`);
      });
      if (!await doneWithin(work, timeoutMs)) {
        this.#measured.failures.push(`${operation}: no result`);
        await Promise.race([work, delay(timeoutMs, signal)]);
      }
      this.#starts.delete(operation);
      this.#add(operation, performance.now() - start);
      await delay(INTERVAL_MS, signal);
    }
  }

  /**
   * Adds a time. A client that does not wait for the last operation would have
   * begun others meanwhile: their times are added too, or a stop of a second
   * would count as one slow operation.
   */
  #add(operation: Operation, ms: number): void {
    for (let time = ms; time > 0; time -= INTERVAL_MS) {
      this.#measured.ms[operation].push(time);
    }
  }

  #transaction = 0;
  async #request(): Promise<void> {
    const transaction = ++this.#transaction;
    const region = [0, 0, SIDE - 1, SIDE - 1];
    await this.#requests.write(
      encodePublish(
        "occupancy/request",
        JSON.stringify({
          ...{ transaction, region, layer: GOOD_LAYER, replyTo: REPLIES },
        }),
      ),
    );
    for (;;) {
      const { payload } = await this.#requests.take(
        "publish",
        this.#options.timeoutMs,
      );
      const reply = JSON.parse(payload.toString());
      // Those before it are of requests that had timed out.
      if (reply.transaction !== transaction) continue;
      assert.equal(reply.cells?.length, SIDE * SIDE, payload.toString());
      return;
    }
  }

  async #get(): Promise<void> {
    const region = `0,0,${SIDE - 1},${SIDE - 1}`;
    const text = await this.get(
      `/api/v1/cells?layer=${GOOD_LAYER}&region=${region}`,
    );
    assert.equal(JSON.parse(text).cells.length, SIDE * SIDE);
  }

  #value = 0;
  async #publish(): Promise<void> {
    const value = ++this.#value;
    const i = value % (SIDE * SIDE);
    const row = `${i % SIDE},${Math.floor(i / SIDE)},${value}`;
    const id = value % 65_535 + 1;
    await this.#readings.write(
      encodePublish(`occupancy/data/${GOOD_LAYER}`, row, { id }),
    );
    let acknowledged;
    do ({ messageId: acknowledged } = await this.#readings.take(
      "puback",
      this.#options.timeoutMs,
    )); while (acknowledged !== id);
    this.acknowledged[i] = value;
  }
}

function emptyMeasured(): Measured {
  return { ms: { request: [], get: [], reading: [] }, failures: [] };
}

/** Returns the values of the client's cells. */
export async function goodValues(options: ClientOptions): Promise<number[]> {
  const { cells } = JSON.parse(
    await getText(`/api/v1/cells?layer=${GOOD_LAYER}`, options),
  );
  const values = Array(SIDE * SIDE);
  for (const [x, y, value] of cells) values[y * SIDE + x] = value;
  return values;
}

async function getText(
  path: string,
  { httpUrl, token, timeoutMs }: ClientOptions,
): Promise<string> {
  const response = await fetch(httpUrl + path, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}
