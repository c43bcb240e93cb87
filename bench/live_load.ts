/**
 * What viewers cost: how many readings a second a server takes with none and
 * with twenty, by turns in one run; and how much of a core it needs for 10,000
 * changes a second.
 *
 *     deno run -A bench/live_load.ts [seconds a turn] [turns of each]
 *
 * The server is a process of its own with the embedded broker and 100,000 cells.
 * Half of the viewers look at all of them, half at parts of their own.
 *
 * @module
 */
import type { View } from "../src/feed/messages.ts";
import { occupancy } from "../tests/support/processes.ts";
import { encodeConnect, encodePublish } from "../tests/support/raw_mqtt.ts";
import { freePort } from "../tests/support/temp.ts";
import { residentMiB } from "../tests/support/watch_load.ts";
import type { ViewersReport, ViewersWanted } from "./live_viewers.ts";

const seconds = Number(Deno.args[0] ?? 5);
const turns = Number(Deno.args[1] ?? 4);

const VIEWERS = 20;
/** Cells of the square along one side: 100,000 in all. */
const SIDE = 316;
/** Readings of a message. */
const BATCH = 500;
/** Messages that wait for their acknowledgement. */
const WINDOW = 32;
const PACED = 10_000;

/** Sends readings over MQTT at QoS 1, each of which changes a cell. */
class Load {
  readonly #connection: Deno.TcpConn;
  readonly #messages: readonly Uint8Array[];
  #sent = 0;
  acknowledged = 0;
  #wake = () => {};

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#messages = makeMessages();
    this.#count();
  }

  static async open(port: number): Promise<Load> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(encodeConnect("load"));
    await connection.read(new Uint8Array(4)); // CONNACK
    return new Load(connection);
  }

  /** Sends all cells once. */
  async fill(): Promise<void> {
    while (this.#sent < this.#messages.length) await this.#send();
    await this.#settle(0);
  }

  /** Sends for so long, so many readings a second; gives how many it were a second. */
  async run(ms: number, perSecond = Infinity): Promise<number> {
    const began = performance.now();
    const before = this.acknowledged;
    for (;;) {
      const passed = performance.now() - began;
      if (passed >= ms) break;
      const due = before + Math.ceil(passed / 1000 * perSecond / BATCH);
      if (this.#sent >= due) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      } else await this.#send();
    }
    await this.#settle(0);
    const took = performance.now() - began;
    return (this.acknowledged - before) * BATCH / took * 1000;
  }

  close(): void {
    this.#connection.close();
  }

  async #send(): Promise<void> {
    await this.#settle(WINDOW - 1);
    const message = this.#messages[this.#sent++ % this.#messages.length]!;
    for (let at = 0; at < message.length;) {
      at += await this.#connection.write(message.subarray(at));
    }
  }

  /** Waits until no more than so many wait for their acknowledgement. */
  async #settle(most: number): Promise<void> {
    while (this.#sent - this.acknowledged > most) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** A PUBACK has four bytes, and nothing else comes. */
  async #count(): Promise<void> {
    const chunk = new Uint8Array(4096);
    let bytes = 0;
    try {
      for (let read; (read = await this.#connection.read(chunk)) !== null;) {
        bytes += read;
        this.acknowledged = bytes >> 2;
        this.#wake();
      }
    } catch {
      // closed here
    }
  }
}

/** All cells in a random order, with one value and then with another. */
function makeMessages(): Uint8Array[] {
  const cells = Array.from({ length: SIDE * SIDE }, (_, i) => i);
  for (let i = cells.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [cells[i], cells[j]] = [cells[j]!, cells[i]!];
  }
  const messages: Uint8Array[] = [];
  for (const value of [1, 0]) {
    for (let at = 0; at + BATCH <= cells.length; at += BATCH) {
      const lines = cells.slice(at, at + BATCH).map((cell) =>
        `${cell % SIDE},${Math.floor(cell / SIDE)},${value}`
      );
      const payload = new TextEncoder().encode(lines.join("\n"));
      messages.push(encodePublish("occupancy/data", payload, {
        qos: 1,
        id: messages.length + 1,
      }));
    }
  }
  return messages;
}

/** What the viewers look at. */
const views = Array.from({ length: VIEWERS }, (_, i): View => ({
  layer: "default",
  region: i % 2 === 0
    ? null
    : { x0: 10 * i, y0: 5 * i, x1: 10 * i + 99, y1: 5 * i + 99 },
}));

/** Processor time that a process has used, ms; NaN where there is no /proc. */
function processorTime(pid: number): number {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`)
      .replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10; // 100 ticks a second
  } catch {
    return NaN;
  }
}

const port = freePort();
const httpPort = freePort();
await using server = occupancy([
  "server",
  "--store",
  "memory:",
  "--listen",
  `127.0.0.1:${port}`,
  "--http",
  `127.0.0.1:${httpPort}`,
]);
await server.said(/Ready/);
const load = await Load.open(port);
await load.fill();
await load.run(2000); // warm

const worker = new Worker(new URL("live_viewers.ts", import.meta.url), {
  type: "module",
});
async function look(wanted: readonly View[]): Promise<ViewersReport> {
  const messages: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  worker.onmessage = ({ data }) => {
    if (messages.push(data) === 2) resolve();
  };
  const url = `ws://127.0.0.1:${httpPort}/live`;
  worker.postMessage({ url, views: wanted } satisfies ViewersWanted);
  await promise;
  return messages[0] as ViewersReport;
}

/** One row of the table. */
interface Row {
  readonly load: string;
  readonly viewers: number;
  readonly "readings/s": number;
  readonly "server, % of a core": number;
  readonly "frames/s a viewer": number;
  readonly "kB/s a viewer": number;
}

async function measure(viewers: number, perSecond: number): Promise<Row> {
  await look(views.slice(0, viewers));
  const cpu = processorTime(server.pid);
  const began = performance.now();
  const rate = await load.run(seconds * 1000, perSecond);
  const took = performance.now() - began;
  const used = processorTime(server.pid) - cpu;
  const { frames, bytes } = await look([]);
  const each = (count: number) =>
    viewers === 0 ? 0 : count / viewers / took * 1000;
  return {
    load: perSecond === Infinity ? "all it takes" : `${perSecond}/s`,
    viewers,
    "readings/s": Math.round(rate),
    "server, % of a core": Math.round(used / took * 100),
    "frames/s a viewer": Math.round(10 * each(frames)) / 10,
    "kB/s a viewer": Math.round(each(bytes) / 1000),
  };
}

const memory = residentMiB(server.pid) ?? NaN;
const rows: Row[] = [];
for (let turn = 0; turn < turns; turn++) {
  for (const viewers of turn % 2 === 0 ? [0, VIEWERS] : [VIEWERS, 0]) {
    rows.push(await measure(viewers, Infinity));
  }
}
for (const viewers of [0, VIEWERS]) rows.push(await measure(viewers, PACED));
console.table(rows);

/** The median of what a server with so many viewers did. */
function median(viewers: number, what: (row: Row) => number): number {
  const all = rows.filter((row) =>
    row.viewers === viewers && row.load === "all it takes"
  ).map(what).sort((a, b) => a - b);
  const middle = all.length >> 1;
  return all.length % 2 === 1
    ? all[middle]!
    : (all[middle - 1]! + all[middle]!) / 2;
}
const share = (what: (row: Row) => number) =>
  `${(100 * median(VIEWERS, what) / median(0, what)).toFixed(1)}%`;
const perSecond = share((row) => row["readings/s"]);
// Where others use the machine too, this tells more.
const perCpuSecond = share((row) =>
  row["readings/s"] / row["server, % of a core"]
);
console.log(
  `With ${VIEWERS} viewers the server takes ${perSecond} of the readings that it takes without (${perCpuSecond} for each second of processor time); its memory went from ${
    memory.toFixed(0)
  } to ${(residentMiB(server.pid) ?? NaN).toFixed(0)} MiB`,
);
worker.terminate();
load.close();
