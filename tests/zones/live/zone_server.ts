/**
 * `occupancy server` as a process that is killed and started again, with HTTP
 * and one of the brokers.
 *
 * @module
 */
import { documentedSettings } from "../../support/documented_settings.ts";
import { type Mosquitto, startMosquitto } from "../../support/mosquitto.ts";
import { occupancy, type Running } from "../../support/processes.ts";
import type { BrokerKind } from "../../support/system.ts";
import { freePort, type TempDir, tempDir } from "../../support/temp.ts";
import { within } from "../../support/until.ts";

const ANSWER_TIMEOUT_MS = 15_000;

/** Options of {@linkcode ZoneServer.start}. */
export interface ZoneServerOptions {
  readonly broker: BrokerKind;
  /** When cells become stale, ms. */
  readonly staleAfter: number;
  /** When cells become unknown, ms. */
  readonly forgetAfter: number;
  /** The content of `--zones FILE`. Default: the zones are in the store. */
  readonly zones?: string;
}

/** A response to a request. */
export interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly body: string;
}

/** The server, its store and its broker. */
export class ZoneServer implements AsyncDisposable {
  /** Of the broker. */
  readonly port: number;
  /** With the slash at the end. */
  readonly url: string;
  readonly #args: readonly string[];
  readonly #folder: TempDir;
  readonly #mosquitto: Mosquitto | undefined;
  #running: Running;

  /** Starts a server with an empty store. */
  static async start(options: ZoneServerOptions): Promise<ZoneServer> {
    const { broker, staleAfter, forgetAfter, zones } = options;
    const folder = await tempDir();
    const mosquitto = broker === "mosquitto"
      ? await startMosquitto(await documentedSettings(folder.path))
      : undefined;
    const port = mosquitto?.port ?? freePort();
    const http = `127.0.0.1:${freePort()}`;
    const args = [
      ...["server", "--store", `sqlite:${folder.path}/map.sqlite`],
      ...(mosquitto
        ? ["--broker", mosquitto.url]
        : ["--listen", `127.0.0.1:${port}`]),
      ...["--http", http, "--stale-after", `${staleAfter}ms`],
      ...["--forget-after", `${forgetAfter}ms`],
    ];
    if (zones !== undefined) {
      args.push("--zones", await folder.file("zones.geojson", zones));
    }
    const running = await begin(args);
    return new ZoneServer({ port, http, args, folder, mosquitto, running });
  }

  private constructor({ port, http, args, folder, mosquitto, running }: {
    readonly port: number;
    readonly http: string;
    readonly args: readonly string[];
    readonly folder: TempDir;
    readonly mosquitto: Mosquitto | undefined;
    readonly running: Running;
  }) {
    this.port = port;
    this.url = `http://${http}/`;
    this.#args = args;
    this.#folder = folder;
    this.#mosquitto = mosquitto;
    this.#running = running;
  }

  /** The log since the last start. */
  get log(): string {
    return this.#running.stderr;
  }

  /** Ends the server with a signal and starts it again. */
  async restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#running.kill(signal);
    const { code, stderr } = await this.#running.ended();
    if (signal === "SIGTERM" && code !== 0) {
      throw new Error(`The server ended with ${code}: ${stderr}`);
    }
    this.#running = await begin(this.#args);
  }

  /** Replaces the content of `--zones FILE`; the server notices it. */
  async writeZones(text: string): Promise<void> {
    const path = await this.#folder.file("zones.new", text);
    await Deno.rename(path, `${this.#folder.path}/zones.geojson`);
  }

  /** Makes the server read its files again. */
  reload(): void {
    this.#running.kill("SIGHUP");
  }

  /**
   * Sends a request.
   *
   * @param path without the first slash
   * @throws {TypeError} if the server ends before it answers
   * @throws {Error} if it does not answer in time
   */
  async send(path: string, init: RequestInit = {}): Promise<Answer> {
    const answering = async () => {
      const response = await fetch(this.url + path, init);
      const { status, headers } = response;
      return { status, etag: headers.get("etag"), body: await response.text() };
    };
    const what = () => `an answer to ${init.method ?? "GET"} ${path}`;
    return await within(answering(), what, ANSWER_TIMEOUT_MS);
  }

  /** Requests JSON. @throws {Error} if the status is not 200 */
  // deno-lint-ignore no-explicit-any
  async get(path: string): Promise<any> {
    const { status, body } = await this.send(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
    return JSON.parse(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
    await this.#mosquitto?.[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}

async function begin(args: readonly string[]): Promise<Running> {
  const running = occupancy([...args]);
  try {
    await running.waitFor(/Ready/);
    return running;
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}
