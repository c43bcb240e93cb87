import { Exit } from "../exit.ts";

/** Signals that end a command in order, and the exit codes of that. */
const SIGNALS: readonly (readonly [Deno.Signal, number])[] =
  Deno.build.os === "windows" ? [["SIGINT", Exit.interrupted]] : [
    ["SIGINT", Exit.interrupted],
    ["SIGTERM", Exit.terminated],
    ["SIGHUP", Exit.hungUp],
  ];

/** When and how something ends that would go on for ever. */
export class Ending {
  readonly #abort = new AbortController();
  readonly #listening: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #exitCode: number | undefined;

  /** Aborted when it ends. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What the command ends with. */
  get exitCode(): number {
    return this.#exitCode ?? Exit.ok;
  }

  /** Ends it; the first reason counts. */
  end(exitCode: number): void {
    this.#exitCode ??= exitCode;
    this.#abort.abort();
  }

  /** Ends it after so many ms. */
  endIn(ms: number): void {
    this.#timer ??= setTimeout(() => this.end(Exit.ok), ms);
  }

  /**
   * Lets signals end it in order, so that what was begun is finished.
   *
   * @param again Is called at a signal that comes when it is ending already
   */
  heedSignals(again?: (exitCode: number) => void): void {
    for (const [signal, exitCode] of SIGNALS) {
      const on = () => {
        if (this.signal.aborted) again?.(exitCode);
        this.end(exitCode);
      };
      Deno.addSignalListener(signal, on);
      this.#listening.push(() => Deno.removeSignalListener(signal, on));
    }
  }

  /** Lets go of timers and signals. */
  stop(): void {
    clearTimeout(this.#timer);
    for (const stop of this.#listening.splice(0)) stop();
  }
}
