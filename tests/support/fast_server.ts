/**
 * A server whose clock runs fast: days pass in seconds, and everything that it
 * does each second is done each second of its own time.
 *
 * @module
 */
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { AgeingOptions } from "../../src/grid/freshness.ts";
import { hourOf } from "../../src/history/hour.ts";
import {
  encodeCsv,
  type ReadingBatch,
  Topics,
} from "../../src/protocol/mod.ts";
import { CLOSED_TO } from "../../src/server/history/parts.ts";
import { Server, type ServerOptions } from "../../src/server/mod.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import type { Zone } from "../../src/zones/mod.ts";
import { FakeLink } from "./fake_link.ts";
import { serverLog } from "./server_log.ts";
import { until } from "./until.ts";

const SECOND_MS = 1000;
/** Late readings are accepted for an hour. */
const OPEN_HOURS = 1;

/** Options of {@linkcode FastServer.start}. */
export interface FastServerOptions {
  /** Address of the store. */
  readonly store: string;
  /** The clock at the start, ms since 1970. */
  readonly now: number;
  readonly history: ServerOptions["history"];
  readonly zones?: readonly Zone[];
  readonly ageing?: AgeingOptions;
  /** Receives each line of the log. */
  readonly onLog?: (line: string) => void;
}

/** A server whose clock is advanced by its owner. */
export class FastServer implements AsyncDisposable {
  readonly server: Server;
  readonly store: Store;
  readonly map: OccupancyMap;
  /** The clock, ms since 1970. */
  now: number;
  readonly #start: number;
  readonly #ticks: (() => void)[];

  private constructor(
    options: FastServerOptions,
    store: Store,
    ticks: (() => void)[],
  ) {
    const { now, history, zones, ageing, onLog } = options;
    this.now = this.#start = now;
    this.#ticks = ticks;
    this.store = store;
    this.map = new OccupancyMap(ageing);
    this.server = new Server({
      link: new FakeLink(),
      store,
      map: this.map,
      topics: new Topics(),
      name: "fast",
      version: "0",
      log: serverLog(onLog),
      clock: () => this.now,
      history,
      ...(zones !== undefined && { fileZones: { file: "zones", zones } }),
    });
  }

  static async start(options: FastServerOptions): Promise<FastServer> {
    const store = await openStore(options.store, { durability: "commit" });
    const ticks: (() => void)[] = [];
    const fast = new FastServer(options, store, ticks);
    const { setInterval } = globalThis;
    globalThis.setInterval = ((run: () => void, ms: number) => {
      if (ms === SECOND_MS) ticks.push(run);
      else return setInterval(run, ms);
    }) as typeof setInterval;
    try {
      await fast.server.start();
    } finally {
      globalThis.setInterval = setInterval;
    }
    return fast;
  }

  /** Advances the clock to a time. The server does what it does each second. */
  advance(now: number): void {
    while (this.now + SECOND_MS <= now) {
      this.now += SECOND_MS;
      for (const tick of this.#ticks) tick();
    }
    this.now = now;
  }

  /** Submits readings, and waits until they are in the map. */
  async submit(batch: ReadingBatch, layer = "default"): Promise<void> {
    if (batch.length === 0) return;
    const result = await this.server.submit(layer, encodeCsv(batch));
    if (result.outcome !== "committed" || result.refused > 0) {
      throw new Error(`Readings were refused: ${JSON.stringify(result)}`);
    }
  }

  /** Waits until all hours that get no more changes are closed. */
  async closeHours(): Promise<void> {
    const { meta } = this.store.history!;
    // What has ended a second ago: the sample of the last second is made then.
    const due = hourOf(this.now / SECOND_MS - 1) - OPEN_HOURS;
    const began = hourOf(this.#start / SECOND_MS);
    await until(() => {
      for (const tick of this.#ticks) tick();
      return (this.store.history!.meta.get(CLOSED_TO) ?? began) >= due;
    }, {
      deadline: 120_000,
      what: `hours before ${due}, now ${meta.get(CLOSED_TO)}, ${began}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
  }
}
