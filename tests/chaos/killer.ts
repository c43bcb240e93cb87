/**
 * Kills a server again and again.
 *
 * @module
 */
import { delay } from "../../src/common/async.ts";
import { occupancy, type Running } from "../support/processes.ts";
import { until } from "../support/until.ts";

/** Kills a server with SIGKILL and starts it again immediately. */
export class Killer implements AsyncDisposable {
  readonly #args: string[];
  #server: Running;
  readonly recoveries: number[] = [];
  /** The share of the readings at the next kill. */
  #nextShare = 1;
  #ready = Promise.resolve();

  static async start(args: string[]): Promise<Killer> {
    const server = occupancy(args);
    await server.waitFor(/Ready/);
    return new Killer(args, server);
  }

  private constructor(args: string[], server: Running) {
    this.#args = args;
    this.#server = server;
  }

  /**
   * Makes publishers wait for the restart before they pass the share of the
   * next kill. Otherwise all would be sent before that kill.
   */
  async waitForRestart(share: number): Promise<void> {
    if (share > this.#nextShare) await this.#ready;
  }

  /** Kills the server at each of the moments. */
  async run(
    { moments, progress }: {
      moments: readonly Moment[];
      progress: () => number;
    },
  ): Promise<void> {
    for (const [i, { share, delayMs }] of moments.entries()) {
      await until(() => progress() >= share, {
        deadline: 60_000,
        what: () => `${share} of the readings; ${progress()} are acknowledged`,
      });
      await delay(delayMs);
      const killed = performance.now();
      const ready = Promise.withResolvers<void>();
      this.#nextShare = moments[i + 1]?.share ?? 1;
      this.#ready = ready.promise;
      this.#server.kill("SIGKILL");
      await this.#server.ended();
      this.#server = occupancy(this.#args);
      await this.#server.waitFor(/Ready/);
      this.recoveries.push(performance.now() - killed);
      ready.resolve();
    }
  }

  /** Ends the server cleanly. */
  async end(): Promise<void> {
    this.#server.kill("SIGTERM");
    await this.#server.ended();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }
}

/** A moment at which the server is killed. */
export interface Moment {
  /** The share of acknowledged messages, 0 to 1. */
  readonly share: number;
  /** Delay after that share, ms: between receipt and acknowledgement. */
  readonly delayMs: number;
}

/** Chooses moments over the whole run, in order. */
export function momentsOf(kills: number, random: () => number): Moment[] {
  return Array.from({ length: kills }, () => ({
    share: 0.02 + 0.9 * random(),
    delayMs: 10 * random(),
  })).sort((a, b) => a.share - b.share);
}
