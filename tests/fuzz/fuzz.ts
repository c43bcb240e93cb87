/**
 * Sends random HTTP requests, WebSocket frames and MQTT packets to a server
 * process, beside a good client.
 *
 * @module
 */
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { Running } from "../support/processes.ts";
import { turnsIn, watchedArgs } from "../support/turns.ts";
import { httpCase, routesOf, type RouteSpec } from "./http_cases.ts";
import { tempDir } from "../support/temp.ts";
import { Random } from "./random.ts";
import {
  type Outcome,
  runHttpCase,
  runMqttCase,
  runWebSocketCase,
} from "./sessions.ts";
import { mqttCase } from "./mqtt_cases.ts";
import { webSocketCase } from "./websocket_cases.ts";

/** The server's memory must stay below this. */
export const MAX_BYTES = 384 * 1024 * 1024;
/** Connections at the same time. */
const CONNECTIONS = 24;
/**
 * No turn of the server's event loop may take longer. The aim is 50 ms; the
 * start takes more.
 */
const MAX_TURN_MS = 250;
/** Share of the cases after which the memory is compared with the end. */
const WARM_SHARE = 1 / 3;
const MAX_GROWTH = 1.2;
/** For the end of kept sessions, in ms. */
const SETTLE_MS = 2_000;
const MIN_GROWTH_CASES = 50_000;
const PROBE_INTERVAL_MS = 20;
const PROBE_TIMEOUT_MS = 15_000;
const MAX_FAILURES = 20;
/** Bytes of a piece that a failure shows. */
const MAX_EXCERPT = 1500;
/** Lines of the log that say that the server has a bug. */
const FAULT =
  /request failed|uncaught|unhandled|internal error|\bat .*\.ts:\d/i;

/**
 * The kinds of cases; `token`: HTTP to a server that requires a token; `mqtt`:
 * sessions with the embedded broker.
 */
export const KINDS = ["http", "token", "websocket", "mqtt"] as const;
export type Kind = typeof KINDS[number];

/** The example of the login form in `/openapi.json`. */
const TOKEN = "0123456789abcdef0123456789abcdef";
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

/** All connections are served; what is stored is small. */
const MQTT_LIMITS = ["--mqtt-connection-rate", "100000", "--mqtt-queue", "50"];

/** Options of {@linkcode runFuzz}. */
export interface FuzzOptions {
  readonly seed: number;
  readonly kind: Kind;
  /** The number of cases. */
  readonly cases: number;
  /** The number of the first case. Default 0. */
  readonly first?: number;
  /** Called after each 1,000 cases. */
  readonly onProgress?: (done: number) => void;
}

/** What was found. */
export interface FuzzResult {
  /** Cases that ended wrong. */
  readonly failures: readonly string[];
  /** Cases with a response. */
  readonly answered: number;
  /** The peak of the server's memory, in bytes. */
  readonly peakBytes: number;
  /** Its memory at the end, compared with that after a third of the cases. */
  readonly grown: number;
  /** The longest turns of the server's event loop, in ms. */
  readonly turns: readonly number[];
  /** The times of a good client's requests, in ms: median and maximum. */
  readonly goodClient: { readonly median: number; readonly max: number };
}

/** Runs cases against a new server. */
export async function runFuzz(
  { seed, kind, cases, first = 0, onProgress }: FuzzOptions,
): Promise<FuzzResult> {
  await using folder = await tempDir();
  const file = await folder.file("token", TOKEN);
  await Deno.chmod(file, 0o600);
  const args = [
    ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
    ...(kind === "token" ? ["--http-token-file", file] : []),
    ...(kind === "mqtt" ? MQTT_LIMITS : []),
  ];
  await using server = new Running(
    Deno.execPath(),
    watchedArgs(args),
  );
  await server.waitFor(/Ready:/);
  const [, url = ""] = /Dashboard at (\S+)\/ /.exec(server.stderr)!;
  const [, mqttPort] = /broker on 127\.0\.0\.1:(\d+)/.exec(server.stderr)!;
  const port = Number(kind === "mqtt" ? mqttPort : new URL(url).port);
  const described = await fetch(`${url}/openapi.json`, { headers: AUTHORIZED });
  const routes = routesOf(await described.json());
  const good = new GoodClient(url);
  await good.start();
  const failures: string[] = [];
  let answered = 0;
  let next = first;
  let warmBytes = 0;
  const worker = async () => {
    while (next < first + cases && failures.length < MAX_FAILURES) {
      const index = next++;
      const outcome = await runCase(kind, port, seed, index, routes);
      if (outcome.answered) answered++;
      if (outcome.failure !== undefined) {
        const repeat = `--seed ${seed} --kind ${kind} --case ${index}`;
        failures.push(`${outcome.failure}\n  deno task fuzz ${repeat}`);
      }
      const done = index + 1 - first;
      if (done === Math.floor(cases * WARM_SHARE)) {
        warmBytes = await residentBytes(server);
      }
      if (done % 1000 === 0) onProgress?.(done);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  const goodClient = await good.stop(failures);
  const peakBytes = await peakOf(server);
  if (peakBytes > MAX_BYTES) {
    failures.push(`the server used ${Math.round(peakBytes / 2 ** 20)} MiB`);
  }
  // Not of few cases: the heap is still growing to its usual size.
  if (kind === "mqtt") await delay(SETTLE_MS);
  const grown = await residentBytes(server) / warmBytes;
  if (kind === "mqtt" && cases >= MIN_GROWTH_CASES && grown > MAX_GROWTH) {
    failures.push(`the server's memory has grown to ${grown.toFixed(2)} times`);
  }
  server.kill();
  const { code, stderr } = await server.ended();
  if (code !== 0) failures.push(`the server ended with ${code}: ${stderr}`);
  const faults = stderr.split("\n").filter((line) => FAULT.test(line));
  failures.push(...faults.slice(0, 5).map((line) => `in the log: ${line}`));
  const turns = turnsIn(stderr);
  if (turns[0]! > MAX_TURN_MS) {
    failures.push(`turns of the event loop: ${turns.slice(0, 5)} ms`);
  }
  return { failures, answered, peakBytes, turns, goodClient, grown };
}

/** Runs one case. A failure says what was sent. */
async function runCase(
  kind: Kind,
  port: number,
  seed: number,
  index: number,
  routes: readonly RouteSpec[],
): Promise<Outcome> {
  const random = new Random(seed, index);
  let pieces: readonly Uint8Array[];
  let outcome: Outcome;
  if (kind === "mqtt") {
    const sent = mqttCase(random);
    pieces = sent.pieces;
    outcome = await runMqttCase(port, sent);
  } else if (kind !== "websocket") {
    const token = kind === "token" ? TOKEN : undefined;
    const sent = httpCase(random, routes, token);
    pieces = sent.pieces;
    outcome = await runHttpCase(port, sent);
  } else {
    const sent = webSocketCase(random);
    pieces = sent.pieces;
    outcome = await runWebSocketCase(port, sent);
  }
  const { failure, answered } = outcome;
  if (failure === undefined) return outcome;
  const sent = pieces.map((piece) => excerpt(piece)).join(" + ");
  return { answered, failure: `${failure}\n  after ${sent}` };
}

/** Returns the start of bytes as a string literal. */
function excerpt(bytes: Uint8Array): string {
  const text = new TextDecoder("latin1").decode(bytes);
  const rest = text.length - MAX_EXCERPT;
  return JSON.stringify(text.slice(0, MAX_EXCERPT)) +
    (rest > 0 ? ` and ${rest} bytes` : "");
}

/** Checks that another client's cells are right and arrive soon. */
class GoodClient {
  readonly #url: string;
  readonly #ending = new AbortController();
  readonly #times: number[] = [];
  readonly #failures: string[] = [];
  #value = 0;
  #loop: Promise<void> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async start(): Promise<void> {
    await this.#check();
    this.#loop = this.#run();
  }

  async stop(failures: string[]) {
    this.#ending.abort();
    await this.#loop;
    failures.push(...this.#failures.slice(0, 5));
    const sorted = this.#times.sort((a, b) => a - b);
    return {
      median: sorted[Math.floor(sorted.length / 2)] ?? 0,
      max: sorted.at(-1) ?? 0,
    };
  }

  async #run(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      try {
        await this.#check();
      } catch (error) {
        this.#failures.push(`the good client: ${error}`);
      }
      await delay(PROBE_INTERVAL_MS, this.#ending.signal);
    }
  }

  async #check(): Promise<void> {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const value = ++this.#value;
    const start = performance.now();
    const sent = await fetch(`${this.#url}/api/v1/readings?layer=good`, {
      method: "POST",
      body: `1,1,${value}\n`,
      headers: AUTHORIZED,
      signal,
    });
    assert.equal(sent.status, 200, await sent.text());
    this.#times.push(performance.now() - start);
    const response = await fetch(
      `${this.#url}/api/v1/cell?layer=good&x=1&y=1`,
      {
        headers: AUTHORIZED,
        signal,
      },
    );
    const cell = await response.json();
    assert.equal(cell.value, value, JSON.stringify(cell));
  }
}

function peakOf(server: Running): Promise<number> {
  return statusBytes(server, "VmHWM");
}

function residentBytes(server: Running): Promise<number> {
  return statusBytes(server, "VmRSS");
}

async function statusBytes({ pid }: Running, name: string): Promise<number> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const line = new RegExp(`${name}:\\s+(\\d+) kB`).exec(status);
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0; // no Linux
  }
}
