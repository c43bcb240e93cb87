/**
 * Runs attacks against a server process, one after the other, beside a good
 * client.
 *
 * @module
 */
import { delay } from "../../../src/common/async.ts";
import { DENO_RUN, Running } from "../../support/processes.ts";
import { tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";
import { ATTACKS, SCATTERED } from "./attacks.ts";
import { MAX_FILES, MemoryCap } from "./capped_server.ts";
import { Crowd } from "./crowd.ts";
import {
  GoodClient,
  goodValues,
  type Measured,
  type Operation,
} from "./good_client.ts";

export const MAX_BYTES = 512 * 1024 * 1024;
/** SIGTERM must end the server within this time. */
export const STOP_TIMEOUT_MS = 10_000;
/** For the start of an attacker, which has a low priority. */
const BEGIN_TIMEOUT_MS = 60_000;
/** For an attacker on a slow machine to reach a limit. */
const COUNT_TIMEOUT_MS = 60_000;
/** The share of hostile connections. */
const HOSTILE_SHARE = 0.2;
/** Connections of an attack on the broker without a crowd. */
const DEFAULT_HOSTILE = 40;
/** The longest time of the measurement without an attack. */
const QUIET_MS = 60_000;
const TOKEN = "attacked-attacked-attacked";
const LARGE_LAYER = "large";
const ROW_CELLS = 1000;
/** Limits that attackers reach within a second on a slow machine. */
const FREE_CELLS = 20_000;
const MAX_LAYERS = 2000;

/** Options of {@linkcode runAttacks}. */
export interface AttackOptions {
  /** Which attacks. Default: all. */
  readonly names?: readonly string[];
  /** How long each attack takes, in ms. */
  readonly attackMs: number;
  /** The pause between two writes of a flood over MQTT, in ms. Default 0. */
  readonly pauseMs?: number;
  /**
   * Connections to the broker: four fifths of clients that behave well, a fifth
   * of the attack. Default: no others than the good client, 40 of an attack.
   */
  readonly connections?: number;
  /** Cells of the large layer, a multiple of 1,000. */
  readonly cells: number;
  /** Within this time the good client must get each answer, in ms. */
  readonly answerTimeoutMs: number;
  /** Called with what was measured during each attack. */
  readonly onReport?: (report: AttackReport) => void;
}

/** What was measured during one attack. */
export interface AttackReport {
  readonly name: string;
  /** Of the good client, in ms. */
  readonly p50: Record<Operation, number>;
  readonly p99: Record<Operation, number>;
  readonly max: Record<Operation, number>;
  readonly failures: readonly string[];
  /** The peak of the server's memory, in bytes. */
  readonly peakBytes: number;
  /** What was counted: limits, and reasons of refused readings. */
  readonly counted: ReadonlyMap<string, number>;
  readonly logLines: number;
  /** The longest turns of the server's event loop, in ms. */
  readonly turns: readonly number[];
}

/** What was found at the end. */
export interface Result {
  readonly cap: string;
  readonly reports: readonly AttackReport[];
  /** True if the server was alive after the last attack. */
  readonly alive: boolean;
  /** Exit code and time of SIGTERM; undefined if it did not end in time. */
  readonly stopped: { readonly code: number; readonly ms: number } | undefined;
  /** Cells whose acknowledged reading is missing: before the end, and after. */
  readonly lost: readonly string[];
  readonly log: string;
}

/** Runs attacks. */
export async function runAttacks(
  options: AttackOptions,
): Promise<Result> {
  const { names = Object.keys(ATTACKS), cells, onReport } = options;
  const timeoutMs = options.answerTimeoutMs;
  await using folder = await tempDir();
  const file = await folder.file("token", TOKEN);
  await Deno.chmod(file, 0o600);
  await using cap = await MemoryCap.create(MAX_BYTES);
  const args = [
    ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
    ...["--http-token-file", file, "--store", `sqlite:${folder.path}/map.db`],
    ...["--max-cells", String(cells + FREE_CELLS)],
    ...["--max-layers", String(MAX_LAYERS)],
  ];
  const { connections = 0 } = options;
  const crowdSize = Math.floor(connections * (1 - HOSTILE_SHARE));
  await using server = cap.start(args, MAX_FILES + connections);
  const { httpUrl, mqttPort } = await server.ready();
  await fill(httpUrl, cells);
  await post(httpUrl, SCATTERED, "0,0,0");
  const reports: AttackReport[] = [];
  let acknowledged: readonly number[];
  const lost: string[] = [];
  let alive = true;
  {
    const clientOptions = { httpUrl, mqttPort, token: TOKEN, timeoutMs };
    await using client = await GoodClient.start(clientOptions);
    acknowledged = client.acknowledged;
    await using crowd = crowdSize > 0
      ? await Crowd.start(mqttPort, crowdSize)
      : undefined;
    let before = await counts(client, timeoutMs) ?? new Map();
    await server.takePeak();
    for (const name of ["none", ...names]) {
      client.take();
      server.takeTurns();
      const lines = server.log.split("\n").length;
      const start = before;
      await attack(name, options, httpUrl, mqttPort, async () => {
        const now = await counts(client, timeoutMs);
        return now === undefined || isCounted(name, difference(start, now));
      });
      const measured = client.take();
      const peakBytes = await server.takePeak();
      alive = peakBytes > 0;
      const after = (alive ? await counts(client, timeoutMs) : undefined) ??
        before;
      const report = {
        name,
        ...summary(measured),
        failures: measured.failures,
        peakBytes,
        turns: server.takeTurns(),
        counted: difference(before, after),
        logLines: server.log.split("\n").length - lines,
      };
      before = after;
      reports.push(report);
      onReport?.(report);
      if (!alive) break;
    }
    if (alive) {
      const expected = [...acknowledged];
      const values = await goodValues(clientOptions).catch(() => undefined);
      alive = values !== undefined;
      if (values) compare(expected, values, "before the end", lost);
      lost.push(...await crowd?.stop((path) => client.get(path)) ?? []);
    }
  }
  const stopped = alive
    ? await server.stop(STOP_TIMEOUT_MS).catch(() => undefined)
    : undefined;
  if (stopped !== undefined) {
    await using again = cap.start(args);
    const addresses = await again.ready();
    const values = await goodValues({ ...addresses, token: TOKEN, timeoutMs });
    compare(acknowledged, values, "restarted", lost);
  }
  return { cap: cap.kind, reports, alive, stopped, lost, log: server.log };
}

/**
 * Runs one attack in a process of its own, with a low priority.
 *
 * @param isCounted asked after the time of the attack, until it returns true or
 * for some time
 */
async function attack(
  name: string,
  { attackMs, pauseMs = 0, connections = 0 }: AttackOptions,
  httpUrl: string,
  mqttPort: number,
  isCounted: () => Promise<boolean>,
): Promise<void> {
  if (name === "none") return await delay(Math.min(attackMs, QUIET_MS));
  const hostile = connections > 0
    ? Math.ceil(connections * HOSTILE_SHARE)
    : DEFAULT_HOSTILE;
  const script = new URL("attacks.ts", import.meta.url).pathname;
  await using attacker = new Running("nice", [
    ...["-n", "10", Deno.execPath(), ...DENO_RUN, "--allow-all"],
    ...["--no-check", script, name, new URL(httpUrl).port, String(mqttPort)],
    ...[TOKEN, LARGE_LAYER, String(attackMs + COUNT_TIMEOUT_MS)],
    ...[String(pauseMs), String(hostile)],
  ]);
  await attacker.waitFor(/begun/, BEGIN_TIMEOUT_MS);
  await delay(attackMs);
  await until(isCounted, { deadline: COUNT_TIMEOUT_MS }).catch(() => {});
}

/** Returns true if one of the limits of an attack was counted. */
export function isCounted(
  name: string,
  counted: ReadonlyMap<string, number>,
): boolean {
  const limits = ATTACKS[name]?.counted ?? [];
  return limits.length === 0 || limits.some((limit) => counted.has(limit));
}

/** Makes the large layer. */
async function fill(httpUrl: string, cells: number): Promise<void> {
  const rows = 50;
  for (let y = 0; y < cells / ROW_CELLS; y += rows) {
    const body = Array.from(
      { length: rows * ROW_CELLS },
      (_, i) => `${i % ROW_CELLS},${y + Math.floor(i / ROW_CELLS)},1`,
    ).join("\n");
    await post(httpUrl, LARGE_LAYER, body);
  }
}

async function post(
  httpUrl: string,
  layer: string,
  body: string,
): Promise<void> {
  const response = await fetch(`${httpUrl}/api/v1/readings?layer=${layer}`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
}

/**
 * Returns the counts of limits, of refused readings, and of those that were too
 * late for the history; undefined if the server does not answer.
 */
async function counts(
  client: GoodClient,
  timeoutMs: number,
): Promise<Map<string, number> | undefined> {
  const text = await until(
    () => client.get("/metrics").catch(() => undefined),
    { deadline: timeoutMs },
  ).catch(() => undefined);
  if (text === undefined) return undefined;
  const pattern =
    /^occupancy_(?:limited_total\{limit|readings_total\{outcome="refused",reason)="([^"]+)"\} (\d+)/gm;
  const late = /^occupancy_history_late_total (\d+)/m.exec(text)?.[1] ?? 0;
  return new Map([
    ["history-late", Number(late)],
    ...[...text.matchAll(pattern)].map(([, name, count]) =>
      [name!, Number(count)] as const
    ),
  ]);
}

function difference(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Map<string, number> {
  const changed = [...after].map(([name, count]) =>
    [name, count - (before.get(name) ?? 0)] as const
  );
  return new Map(changed.filter(([, count]) => count > 0));
}

function summary({ ms }: Measured) {
  const of = (share: number) => {
    const at = (times: readonly number[]) => {
      const sorted = times.toSorted((a, b) => a - b);
      return sorted[
        Math.min(
          Math.floor(share * sorted.length),
          sorted.length - 1,
        )
      ] ?? Infinity;
    };
    const { request, get, reading } = ms;
    return { request: at(request), get: at(get), reading: at(reading) };
  };
  return { p50: of(0.5), p99: of(0.99), max: of(1) };
}

function compare(
  acknowledged: readonly number[],
  values: readonly number[],
  when: string,
  lost: string[],
): void {
  for (const [i, value] of acknowledged.entries()) {
    if ((values[i] ?? -1) < value) {
      lost.push(`cell ${i} ${when}: ${values[i]} instead of ${value}`);
    }
  }
}
