/**
 * `deno run -A bench/runs.ts [TEXT]`: the server alone, without sockets and
 * frames: how fast it takes runs of messages from a link, beside the same
 * messages one by one. With TEXT only the trials whose name contains it.
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
import { tempDir } from "../tests/support/temp.ts";
import { serverLog } from "../tests/support/server_log.ts";
import { encodeLoad } from "./harness/packets.ts";
import { quantile } from "./harness/statistics.ts";

/** As much as one read of a socket delivers. */
const READ_BYTES = 64 * 1024;
const TOPIC = "occupancy/data";
const ROUNDS = 5;

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

async function measure(trial: Trial) {
  await using folder = await tempDir();
  const { store: kind, readingsPerMessage } = trial;
  const messages = Math.max(trial.cells, 200_000) / readingsPerMessage;
  const link = new LoopLink(trial, messages);
  const address = kind === "memory"
    ? "memory:"
    : `sqlite:${folder.path}/map.sqlite`;
  const server = new Server({
    link,
    store: await openStore(address, { durability: "fsync" }),
    map: new OccupancyMap({ maxSkew: 60_000 }),
    topics: new Topics(),
    name: "bench",
    version: "0",
    log: serverLog(() => {}),
  });
  await server.start();
  let commits = 0;
  server.telemetry.onCommit = () => commits++;
  await link.deliver(2 * messages);
  const rates: number[] = [];
  const cpus: number[] = [];
  commits = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const readings = Math.ceil(1_000_000 / readingsPerMessage) *
      readingsPerMessage;
    const cpu = cpuUsage();
    const start = performance.now();
    await link.deliver(readings / readingsPerMessage);
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = cpuUsage(cpu);
    rates.push(readings / seconds);
    cpus.push((user + system) * 1000 / readings);
  }
  await server.stop();
  return {
    rate: quantile(rates, 0.5),
    cpu: quantile(cpus, 0.5),
    commit: ROUNDS * 1_000_000 / commits,
  };
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
  if (!name.includes(Deno.args[0] ?? "")) continue;
  const { rate, cpu, commit } = await measure(trial);
  console.log(
    (rate / 1e6).toFixed(2).padStart(9) + "M",
    cpu.toFixed(0).padStart(15),
    commit.toFixed(0).padStart(16),
    name,
  );
}
