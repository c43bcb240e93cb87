/**
 * Starts the load generator in its own process (`programs/load.ts`) and sends
 * it commands.
 *
 * @module
 */
import { Child, denoArgs } from "./child.ts";
import type { LoadShape } from "./packets.ts";

/** Options of {@linkcode LoadGenerator.start}. */
export interface LoadOptions extends LoadShape {
  /** Port of the broker, on the loopback. */
  readonly port: number;
  /** Prefix of the server's topics. */
  readonly prefix: string;
  /** How many QoS 1 messages may be unacknowledged. */
  readonly window: number;
  /**
   * Bounds the messages between generator and server: the generator requests a
   * cell after every N messages and pauses while too many requests are open.
   */
  readonly pace?: { readonly every: number; readonly outstanding: number };
}

/** A command to the process. */
export type LoadCommand =
  | { readonly do: "send"; readonly messages: number }
  | { readonly do: "request" }
  | {
    readonly do: "compare";
    readonly readings: number;
    readonly count: number;
  };

/** The report after each command; times in ms since 1970. */
export interface LoadReport {
  readonly at: number;
  readonly startedAt?: number;
  readonly wrong?: number;
}

/** A running load generator. */
export class LoadGenerator implements AsyncDisposable {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Starts one, and waits until it is connected and its packets are made. */
  static async start(options: LoadOptions): Promise<LoadGenerator> {
    const child = new Child(
      Deno.execPath(),
      denoArgs("bench/programs/load.ts", [JSON.stringify(options)]),
      { lines: "stdout", commands: true },
    );
    await child.nextReport();
    return new LoadGenerator(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Sends the next messages.
   *
   * @returns when the first was sent and when all were sent, at QoS 1
   * acknowledged; ms since 1970
   */
  async send(messages: number): Promise<{ startedAt: number; at: number }> {
    const { startedAt = 0, at } = await this.#do({ do: "send", messages });
    return { startedAt, at };
  }

  /**
   * Requests a cell. The server replies after it has processed all earlier
   * readings.
   *
   * @returns when the reply was received, ms since 1970
   */
  async request(): Promise<number> {
    return (await this.#do({ do: "request" })).at;
  }

  /**
   * Compares the server's map with the readings that were sent.
   *
   * @param readings how many readings were sent
   * @param count how many cells the last of them set
   * @returns how many cells are wrong, missing or surplus
   */
  async compare(readings: number, count: number): Promise<number> {
    const { wrong } = await this.#do({ do: "compare", readings, count });
    return wrong ?? NaN;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }

  async #do(command: LoadCommand): Promise<LoadReport> {
    await this.#child.send(command);
    return await this.#child.nextReport();
  }
}
