/**
 * Many clients that behave well, in a process of their own: each reports its
 * cell at QoS 1 again and again, and counts what was acknowledged.
 *
 * @module
 */
import { delay } from "../../../src/common/async.ts";
import { DENO_RUN, Running } from "../../support/processes.ts";
import { RawConnection } from "../../support/raw_connection.ts";

const LAYER = "crowd";
/** Pause between two readings of a client, in ms. */
const INTERVAL_MS = 2_000;
/** A reading must be acknowledged within this time. */
const ACKNOWLEDGE_TIMEOUT_MS = 15_000;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;
/** Clients that connect at the same time. */
const PARALLEL = 16;
const MAX_FAILURES = 20;

/** What the clients report at the end. */
interface CrowdReport {
  /** The last acknowledged value of each client. */
  readonly acknowledged: readonly number[];
  readonly failures: readonly string[];
}

/** A process with clients. */
export class Crowd implements AsyncDisposable {
  readonly #process: Running;

  private constructor(process: Running) {
    this.#process = process;
  }

  /** Connects a number of clients and waits until all have begun. */
  static async start(mqttPort: number, clients: number): Promise<Crowd> {
    const process = new Running(Deno.execPath(), [
      ...[...DENO_RUN, "--allow-all", "--no-check"],
      ...[new URL(import.meta.url).pathname, String(mqttPort), String(clients)],
    ]);
    await process.waitFor(/begun/, START_TIMEOUT_MS);
    return new Crowd(process);
  }

  /**
   * Ends the clients.
   *
   * @returns what went wrong: also readings that the map does not have
   */
  async stop(get: (path: string) => Promise<string>): Promise<string[]> {
    this.#process.kill("SIGTERM");
    const { stdout } = await this.#process.ended(STOP_TIMEOUT_MS);
    const { acknowledged, failures }: CrowdReport = JSON.parse(stdout);
    const { cells } = JSON.parse(
      await get(`/api/v1/cells?layer=${LAYER}`),
    );
    const values = new Map<number, number>();
    for (const [x, , value] of cells) values.set(x, value);
    const lost = acknowledged.flatMap((value, i) =>
      (values.get(i) ?? 0) >= value
        ? []
        : `client ${i} of the crowd: ${values.get(i)} instead of ${value}`
    );
    return [...failures.map((text) => `the crowd: ${text}`), ...lost];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}

/** Runs one client until the end. */
async function run(
  client: RawConnection,
  i: number,
  acknowledged: number[],
  signal: AbortSignal,
): Promise<void> {
  await delay(INTERVAL_MS * Math.random(), signal);
  for (let value = 1; !signal.aborted; value++) {
    await client.publish(`occupancy/data/${LAYER}`, `${i},0,${value}`, {
      id: 1 + value % 65_535,
    });
    const timer = setTimeout(
      () => client[Symbol.asyncDispose](),
      ACKNOWLEDGE_TIMEOUT_MS,
    );
    await client.expect("puback");
    clearTimeout(timer);
    acknowledged[i] = value;
    await delay(INTERVAL_MS, signal);
  }
}

/** Runs in a process of its own, with MQTT_PORT CLIENTS */
if (import.meta.main) {
  const [port, count] = Deno.args.map(Number) as [number, number];
  const ending = new AbortController();
  Deno.addSignalListener("SIGTERM", () => ending.abort());
  const acknowledged: number[] = Array(count).fill(0);
  const failures: string[] = [];
  const clients: RawConnection[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: PARALLEL }, async () => {
    for (let i; (i = next++) < count;) {
      clients[i] = await RawConnection.open(port, `crowd-${i}`, {
        ...{ version: i % 2 === 0 ? 4 : 5, keepalive: 30 },
      });
    }
  }));
  const running = clients.map((client, i) =>
    run(client, i, acknowledged, ending.signal).catch((error) => {
      if (failures.length < MAX_FAILURES) failures.push(`${i}: ${error}`);
    })
  );
  console.error("begun");
  await Promise.all(running);
  const report: CrowdReport = { acknowledged, failures };
  console.log(JSON.stringify(report));
  Deno.exit();
}
