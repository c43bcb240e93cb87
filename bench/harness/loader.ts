import { Child, denoArgs } from "./child.ts";
import type { LoadShape } from "./packets.ts";

/** What a load generator is started with. */
export interface LoadOptions extends LoadShape {
  /** Of the broker, on the loopback. */
  readonly port: number;
  /** Of the topics of the server that is asked. */
  readonly prefix: string;
  /** QoS 1 messages that may be unacknowledged. */
  readonly window: number;
  /**
   * Keeps the whole way from filling up: after so many messages it asks for a
   * cell, and goes on while no more than some of these are unanswered.
   */
  readonly pace?: { readonly every: number; readonly outstanding: number };
}

/** What it is told. */
export type LoadCommand =
  | { readonly do: "send"; readonly messages: number }
  | { readonly do: "ask" }
  | { readonly do: "compare"; readonly first: number; readonly count: number };

/** What it says when that is done; times in ms since 1970. */
export interface LoadReport {
  readonly at: number;
  readonly startedAt?: number;
  readonly wrong?: number;
}

/** A load generator in a process of its own. */
export class Loader implements AsyncDisposable {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Starts one; resolves when its packets are made and it is connected. */
  static async start(options: LoadOptions): Promise<Loader> {
    const child = new Child(
      Deno.execPath(),
      denoArgs("bench/harness/load.ts", [JSON.stringify(options)]),
      { lines: "stdout", told: true },
    );
    await child.hear();
    return new Loader(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Sends the next messages. @returns when the first was sent, and when all were through */
  async send(messages: number): Promise<{ startedAt: number; at: number }> {
    const { startedAt = 0, at } = await this.#do({ do: "send", messages });
    return { startedAt, at };
  }

  /** @returns when the server had answered, and so had dealt with all before */
  async ask(): Promise<number> {
    return (await this.#do({ do: "ask" })).at;
  }

  /** How many cells of the server are not as the last `count` readings left them. */
  async compare(readings: number, count: number): Promise<number> {
    const { wrong } = await this.#do({
      do: "compare",
      first: readings,
      count,
    });
    return wrong ?? NaN;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }

  async #do(command: LoadCommand): Promise<LoadReport> {
    await this.#child.tell(command);
    return await this.#child.hear();
  }
}
