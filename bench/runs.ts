/**
 * `deno run -A bench/runs.ts [TEXT]`: the server alone, without sockets and
 * frames: how fast it takes runs of messages from a link, beside the same
 * messages one by one, and each with a history. With TEXT only the trials whose
 * name contains it.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { setImmediate } from "node:timers";
import { OccupancyMap } from "../src/grid/mod.ts";
import type {
  Incoming,
  IncomingRun,
  Link,
  LinkHandlers,
} from "../src/mqtt/link.ts";
import { Topics } from "../src/protocol/mod.ts";
import { Server } from "../src/server/mod.ts";
import { openStore } from "../src/store/open.ts";
import { delay } from "../src/common/async.ts";
import type { HistoryInfo } from "../src/history/answers.ts";
import { tempDir } from "../tests/support/temp.ts";
import { serverLog } from "../tests/support/server_log.ts";
import { encodeLoad } from "./harness/packets.ts";
import { quantile } from "./harness/statistics.ts";

/** As much as one read of a socket delivers. */
const READ_BYTES = 64 * 1024;
const TOPIC = "occupancy/data";
const ROUNDS = 5;
/** Several samples of the history. */
const ROUND_MS = 5000;
/** For the history of a round to be written. */
const HISTORY_MS = 1000;

interface Trial {
  readonly store: "memory" | "sqlite";
  readonly readingsPerMessage: number;
  /** Messages in flight. */
  readonly window: number;
  readonly cells: number;
  readonly byRun: boolean;
}

/** A link that delivers its messages again and again, within a window. */
class LoopLink implements Link {
  readonly description = "loop";
  readonly mqttVersion = 4;
  readonly #bytes: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #trial: Trial;
  #handlers: LinkHandlers | undefined;
  #next = 0;
  #sent = 0;
  #acknowledged = 0;
  #target = 0;
  #isScheduled = false;
  #done = () => {};

  constructor(trial: Trial, messages: number) {
    this.#trial = trial;
    const { cells, readingsPerMessage } = trial;
    const { bytes, starts } = encodeLoad({
      topic: TOPIC,
      qos: 1,
      messages,
      readingsPerMessage,
      cells,
      order: "sweep",
    });
    this.#bytes = bytes;
    this.#starts = new Uint32Array(messages);
    this.#ends = new Uint32Array(messages);
    for (let i = 0; i < messages; i++) {
      const end = starts[i + 1]!;
      let head = starts[i]! + 1;
      while (bytes[head++]! >= 128);
      this.#starts[i] = head + 2 + TOPIC.length + 2;
      this.#ends[i] = end;
    }
  }

  /** Delivers messages, and waits for their acknowledgement. */
  deliver(messages: number): Promise<void> {
    this.#target = this.#sent + messages;
    this.#schedule();
    return new Promise((resolve) => this.#done = resolve);
  }

  open(handlers: LinkHandlers): Promise<void> {
    this.#handlers = handlers;
    handlers.up?.();
    return Promise.resolve();
  }

  publish(): Promise<void> {
    return Promise.resolve();
  }

  acknowledge(messages: readonly (Incoming | IncomingRun)[]): void {
    for (const one of messages) {
      this.#acknowledged += "count" in one ? one.count : 1;
    }
    if (this.#acknowledged === this.#target) this.#done();
    else this.#schedule();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#read());
  }

  /** Delivers one read of a socket. */
  #read(): void {
    this.#isScheduled = false;
    const room = Math.min(
      this.#acknowledged + this.#trial.window,
      this.#target,
    ) - this.#sent;
    if (room <= 0) return;
    const starts = this.#starts;
    const from = this.#next;
    const limit = starts[from]! + READ_BYTES;
    let to = from;
    while (to < starts.length && to - from < room && starts[to]! < limit) to++;
    this.#next = to === starts.length ? 0 : to;
    this.#sent += to - from;
    this.#hand(from, to);
    this.#schedule();
  }

  #hand(from: number, to: number): void {
    const message = { topic: TOPIC, qos: 1, retain: false } as const;
    const bytes = this.#bytes;
    if (this.#trial.byRun) {
      this.#handlers!.run!({
        ...message,
        count: to - from,
        bytes,
        starts: this.#starts.slice(from, to),
        ends: this.#ends.slice(from, to),
      });
      return;
    }
    for (let i = from; i < to; i++) {
      const payload = bytes.subarray(this.#starts[i], this.#ends[i]);
      this.#handlers!.message({ ...message, payload });
    }
  }
}

/** A server and its figures. */
class Subject implements AsyncDisposable {
  readonly #link: LoopLink;
  readonly #server: Server;
  readonly #messages: number;
  readonly #perMessage: number;
  #readings = 0;
  readonly rates: number[] = [];
  readonly cpus: number[] = [];
  commits = 0;

  private constructor(
    trial: Trial,
    link: LoopLink,
    server: Server,
  ) {
    this.#link = link;
    this.#server = server;
    this.#perMessage = trial.readingsPerMessage;
    this.#messages = Math.ceil(500_000 / this.#perMessage);
  }

  static async start(trial: Trial, folder: string, history: boolean) {
    const messages = Math.max(trial.cells, 200_000) / trial.readingsPerMessage;
    const link = new LoopLink(trial, messages);
    const address = trial.store === "memory"
      ? "memory:"
      : `sqlite:${folder}/${history ? "history" : "map"}.sqlite`;
    const store = await openStore(address, { durability: "fsync" });
    const server = new Server({
      link,
      store,
      map: new OccupancyMap({ maxSkew: 60_000 }),
      topics: new Topics(),
      name: "bench",
      version: "0",
      log: serverLog(() => {}),
      ...(history && { history: { stepSeconds: 1 } }),
    });
    const subject = new Subject(trial, link, server);
    await server.start();
    server.telemetry.onCommit = () => subject.commits++;
    await link.deliver(2 * messages);
    subject.commits = 0;
    return subject;
  }

  /** Takes messages for some time, and finishes their history. */
  async round(): Promise<void> {
    const before = this.#readings;
    const cpu = cpuUsage();
    const start = performance.now();
    while (performance.now() - start < ROUND_MS) {
      await this.#link.deliver(this.#messages);
      this.#readings += this.#messages * this.#perMessage;
    }
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = cpuUsage(cpu);
    const readings = this.#readings - before;
    this.rates.push(readings / seconds);
    this.cpus.push((user + system) * 1000 / readings);
    await delay(HISTORY_MS);
  }

  /** What is known of the history, if there is one. */
  get info(): HistoryInfo | undefined {
    return this.#server.history?.info();
  }

  /** Readings in a commit. */
  get commitSize(): number {
    return this.#readings / this.commits;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }
}

/** Measures a trial without history and with it, in turn. */
async function measure(trial: Trial, name: string): Promise<void> {
  await using folder = await tempDir();
  await using plain = await Subject.start(trial, folder.path, false);
  await using history = await Subject.start(trial, folder.path, true);
  let coarsest = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? [plain, history] : [history, plain];
    for (const subject of order) await subject.round();
    coarsest = Math.max(coarsest, history.info!.lag / 1000);
  }
  const rates = [plain, history].map(({ rates }) => quantile(rates, 0.5));
  const ratios = plain.rates.map((rate, i) => history.rates[i]! / rate);
  for (const [i, { cpus, commitSize }] of [plain, history].entries()) {
    console.log(
      (rates[i]! / 1e6).toFixed(2).padStart(9) + "M",
      quantile(cpus, 0.5).toFixed(0).padStart(15),
      commitSize.toFixed(0).padStart(16),
      i === 0
        ? name
        : `  with history: ${quantile(ratios, 0.5).toFixed(2)}, ${
          coarsest.toFixed(1)
        } s behind at the end, ${history.info!.dropped} dropped`,
    );
  }
}

const trials: Trial[] = [];
for (const store of ["memory", "sqlite"] as const) {
  for (const byRun of [true, false]) {
    const cells = 10_000;
    for (const window of [1000, 4000, 20_000]) {
      trials.push({ store, byRun, window, cells, readingsPerMessage: 1 });
    }
    trials.push({
      ...{ store, byRun, cells: 1_000_000 },
      ...{ window: 200, readingsPerMessage: 100 },
    });
  }
}

console.log("readings/s  CPU ns/reading  readings/commit");
for (const trial of trials) {
  const { store, byRun, window, readingsPerMessage } = trial;
  const name = `${store}, ${byRun ? "runs" : "messages"}, ` +
    `${readingsPerMessage} a message, ${window} in flight`;
  if (name.includes(Deno.args[0] ?? "")) await measure(trial, name);
}
