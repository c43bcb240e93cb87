/**
 * `deno run -A bench/live_load.ts [SECONDS] [TURNS]`: measures the cost of
 * viewers: the readings per second that a server processes with and without 20
 * viewers, in turn, and its CPU time at 10,000 changes per second.
 *
 * The server is a process with the embedded broker and 100,000 cells. Half of
 * the viewers show all cells, the others one region each.
 *
 * @module
 */
import { delay } from "../src/common/async.ts";
import type { View } from "../src/feed/messages.ts";
import { occupancy } from "../tests/support/processes.ts";
import { encodeConnect, encodePublish } from "../tests/support/packets.ts";
import { freePort } from "../tests/support/temp.ts";
import { memoryOf, Meter } from "./harness/meter.ts";
import { quantile } from "./harness/statistics.ts";
import { writeAll } from "./harness/write_all.ts";
import type { ViewersCommand, ViewersReport } from "./live_viewers.ts";

/** Duration of a turn, s. */
const seconds = Number(Deno.args[0] ?? 5);
/** Turns with viewers, and turns without. */
const turns = Number(Deno.args[1] ?? 4);

const VIEWERS = 20;
/** Side of the square of 100,000 cells. */
const SIDE_CELLS = 316;
const READINGS_PER_MESSAGE = 500;
/** Unacknowledged messages. */
const WINDOW = 32;
/** Readings per second in the last turns. */
const PACED_RATE = 10_000;
const WARM_UP_MS = 2000;
/** The load without a limit. */
const SATURATED = "saturated";

/** Publishes readings at QoS 1, each of which changes a cell. */
class Load {
  readonly #connection: Deno.TcpConn;
  readonly #messages: readonly Uint8Array[];
  #sent = 0;
  acknowledged = 0;
  #wake = () => {};

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#messages = makeMessages();
    this.#readAcknowledgements();
  }

  static async open(port: number): Promise<Load> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(encodeConnect("load"));
    await connection.read(new Uint8Array(4)); // CONNACK
    return new Load(connection);
  }

  /** Sends two readings of each cell. */
  async fill(): Promise<void> {
    while (this.#sent < this.#messages.length) await this.#send();
    await this.#waitForAcknowledgements(0);
  }

  /**
   * Sends readings for a time.
   *
   * @param ms how long, ms
   * @param perSecond readings per second; default: as many as possible
   * @returns acknowledged readings per second
   */
  async run(ms: number, perSecond = Infinity): Promise<number> {
    const startedAt = performance.now();
    const before = this.acknowledged;
    for (;;) {
      const elapsed = performance.now() - startedAt;
      if (elapsed >= ms) break;
      const due = before +
        Math.ceil(elapsed / 1000 * perSecond / READINGS_PER_MESSAGE);
      if (this.#sent >= due) await delay(5);
      else await this.#send();
    }
    await this.#waitForAcknowledgements(0);
    const elapsed = performance.now() - startedAt;
    const readings = (this.acknowledged - before) * READINGS_PER_MESSAGE;
    return readings / elapsed * 1000;
  }

  close(): void {
    this.#connection.close();
  }

  async #send(): Promise<void> {
    await this.#waitForAcknowledgements(WINDOW - 1);
    const message = this.#messages[this.#sent++ % this.#messages.length]!;
    await writeAll(this.#connection, message);
  }

  /** Waits until at most `max` messages are unacknowledged. */
  async #waitForAcknowledgements(max: number): Promise<void> {
    while (this.#sent - this.acknowledged > max) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** Counts PUBACKs: four bytes each, and the broker sends nothing else. */
  async #readAcknowledgements(): Promise<void> {
    const chunk = new Uint8Array(4096);
    let bytes = 0;
    try {
      for (let read; (read = await this.#connection.read(chunk)) !== null;) {
        bytes += read;
        this.acknowledged = bytes >> 2;
        this.#wake();
      }
    } catch {
      // The connection was closed by close().
    }
  }
}

/** Messages with all cells in a random order: first value 1, then value 0. */
function makeMessages(): Uint8Array[] {
  const cells = Array.from({ length: SIDE_CELLS * SIDE_CELLS }, (_, i) => i);
  for (let i = cells.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [cells[i], cells[j]] = [cells[j]!, cells[i]!];
  }
  const messages: Uint8Array[] = [];
  for (const value of [1, 0]) {
    for (
      let at = 0;
      at + READINGS_PER_MESSAGE <= cells.length;
      at += READINGS_PER_MESSAGE
    ) {
      const lines = cells.slice(at, at + READINGS_PER_MESSAGE).map((cell) =>
        `${cell % SIDE_CELLS},${Math.floor(cell / SIDE_CELLS)},${value}`
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

/** The views of the viewers. */
const views = Array.from({ length: VIEWERS }, (_, i): View => ({
  layer: "default",
  region: i % 2 === 0
    ? null
    : { x0: 10 * i, y0: 5 * i, x1: 10 * i + 99, y1: 5 * i + 99 },
}));

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
await server.waitFor(/Ready/);
const load = await Load.open(port);
await load.fill();
await load.run(WARM_UP_MS);

const worker = new Worker(new URL("live_viewers.ts", import.meta.url), {
  type: "module",
});

/** Replaces the viewers. @returns the totals of the previous ones */
async function setViewers(views: readonly View[]): Promise<ViewersReport> {
  const messages: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  worker.onmessage = ({ data }) => {
    if (messages.push(data) === 2) resolve();
  };
  const url = `ws://127.0.0.1:${httpPort}/live`;
  worker.postMessage({ url, views } satisfies ViewersCommand);
  await promise;
  return messages[0] as ViewersReport;
}

/** A row of the table. */
interface Row {
  readonly load: string;
  readonly viewers: number;
  readonly "readings/s": number;
  readonly "server, % of a core": number;
  readonly "frames/s per viewer": number;
  readonly "kB/s per viewer": number;
}

async function measure(viewers: number, perSecond: number): Promise<Row> {
  await setViewers(views.slice(0, viewers));
  const meter = new Meter([{ role: "server", pid: server.pid }]);
  const startedAt = performance.now();
  const rate = await load.run(seconds * 1000, perSecond);
  const elapsed = performance.now() - startedAt;
  const [usage] = meter.stop();
  const { frames, bytes } = await setViewers([]);
  const perViewer = (count: number) =>
    viewers === 0 ? 0 : count / viewers / elapsed * 1000;
  return {
    load: perSecond === Infinity ? SATURATED : `${perSecond}/s`,
    viewers,
    "readings/s": Math.round(rate),
    "server, % of a core": Math.round(usage!.cpuMicroseconds / elapsed / 10),
    "frames/s per viewer": Math.round(10 * perViewer(frames)) / 10,
    "kB/s per viewer": Math.round(perViewer(bytes) / 1000),
  };
}

const memory = residentMiB();
const rows: Row[] = [];
for (let turn = 0; turn < turns; turn++) {
  for (const viewers of turn % 2 === 0 ? [0, VIEWERS] : [VIEWERS, 0]) {
    rows.push(await measure(viewers, Infinity));
  }
}
for (const viewers of [0, VIEWERS]) {
  rows.push(await measure(viewers, PACED_RATE));
}
console.table(rows);

/** Resident memory of the server, MiB. */
function residentMiB(): number {
  return memoryOf(server.pid).now / 2 ** 20;
}

/** The median over the saturated turns with a number of viewers. */
function median(viewers: number, figure: (row: Row) => number): number {
  const turns = rows.filter((row) =>
    row.viewers === viewers && row.load === SATURATED
  );
  return quantile(turns.map(figure), 0.5);
}
const share = (figure: (row: Row) => number) =>
  `${(100 * median(VIEWERS, figure) / median(0, figure)).toFixed(1)}%`;
const perSecond = share((row) => row["readings/s"]);
// Less affected by other load on the machine.
const perCpuSecond = share((row) =>
  row["readings/s"] / row["server, % of a core"]
);
console.log(
  `With ${VIEWERS} viewers the server processes ${perSecond} of the readings per second without viewers (${perCpuSecond} per second of CPU time); its memory grew from ${
    memory.toFixed(0)
  } to ${residentMiB().toFixed(0)} MiB`,
);
worker.terminate();
load.close();
