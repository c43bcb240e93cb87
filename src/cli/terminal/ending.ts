import { abortable, doneWithin } from "../../common/async.ts";
import { Exit } from "../exit_codes.ts";

type ExitCode = typeof Exit[keyof typeof Exit];

/** The signals that end a command, with its exit codes. */
export const ENDING_SIGNALS: readonly (readonly [Deno.Signal, ExitCode])[] =
  Deno.build.os === "windows" ? [["SIGINT", Exit.interrupted]] : [
    ["SIGINT", Exit.interrupted],
    ["SIGTERM", Exit.terminated],
    ["SIGHUP", Exit.hungUp],
  ];

/** Thrown by work that an {@linkcode Ending} interrupts. Not a failure. */
export class CommandEnded extends Error {
  override readonly name = "CommandEnded";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("The command has been ended");
    this.exitCode = exitCode;
  }
}

/** Options of {@linkcode Ending}. */
export interface EndingOptions {
  /** Called at SIGHUP. If set, SIGHUP does not end the command. */
  readonly onHangup?: (() => void) | undefined;
  /**
   * How long the command may take to end after a signal, in ms. Then the
   * process is ended: it may be blocked because its output is not read. Default
   * 5,000.
   */
  readonly timeoutMs?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 5000;
/**
 * A signal within this time after the first one is the same: a launcher passes
 * on what the terminal has sent to all its processes.
 */
const SAME_SIGNAL_MS = 250;
/** Maximum time for the steps before the process is ended at once. */
const LAST_STEPS_TIMEOUT_MS = 300;

/**
 * Decides when a command ends and with which exit code. The first SIGINT,
 * SIGTERM or SIGHUP aborts {@linkcode signal}, so that the command can finish
 * in order. A later one ends the process at once.
 */
export class Ending implements Disposable {
  readonly #abort = new AbortController();
  readonly #listeners: (readonly [Deno.Signal, () => void])[] = [];
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #lastSteps = new Set<() => Promise<void>>();
  #exitCode: number | undefined;
  /** When the first signal came, as `performance.now()`. */
  #firstSignal: number | undefined;

  /** Listens to signals until disposed. */
  constructor(
    { onHangup, timeoutMs = DEFAULT_TIMEOUT_MS }: EndingOptions = {},
  ) {
    this.#timeoutMs = timeoutMs;
    for (const [name, exitCode] of ENDING_SIGNALS) {
      const listener = name === "SIGHUP" && onHangup !== undefined
        ? onHangup
        : () => this.#receive(exitCode);
      Deno.addSignalListener(name, listener);
      this.#listeners.push([name, listener]);
    }
  }

  /** Aborted when the command must end; the reason is a CommandEnded. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The exit code of the command. */
  get exitCode(): number {
    return this.#exitCode ?? Exit.ok;
  }

  /** Ends the command; the first exit code counts. */
  end(exitCode: number): void {
    this.#exitCode ??= exitCode;
    this.#abort.abort(new CommandEnded(this.#exitCode));
  }

  /** Ends the command after a time, in ms, with {@linkcode Exit.ok}. */
  endIn(ms: number): void {
    this.#timer ??= setTimeout(() => this.end(Exit.ok), ms);
  }

  /**
   * Waits for work, at most until the command must end. The work itself is not
   * cancelled.
   *
   * @throws {CommandEnded} if the command must end first
   */
  until<T>(work: Promise<T>): Promise<T> {
    return abortable(work, this.signal);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const [name, listener] of this.#listeners.splice(0)) {
      Deno.removeSignalListener(name, listener);
    }
  }

  /**
   * Ends the process although work is blocked, after the steps of {@linkcode
   * beforeExit}.
   *
   * @param exitCode default: that of the command
   */
  async exit(exitCode: number = this.exitCode): Promise<void> {
    const steps = [...this.#lastSteps].map((step) => step());
    await doneWithin(Promise.allSettled(steps), LAST_STEPS_TIMEOUT_MS);
    Deno.exit(exitCode);
  }

  /**
   * Adds a step to take before {@linkcode exit} ends the process, such as
   * restoring the terminal.
   */
  beforeExit(step: () => Promise<void>): void {
    this.#lastSteps.add(step);
  }

  #receive(exitCode: ExitCode): void {
    const now = performance.now();
    const first = this.#firstSignal ??= now;
    if (now !== first && now - first < SAME_SIGNAL_MS) return;
    if (this.signal.aborted) {
      this.exit(exitCode);
      return;
    }
    this.end(exitCode);
    if (this.#timeoutMs === Infinity) return;
    Deno.unrefTimer(setTimeout(() => this.exit(exitCode), this.#timeoutMs));
  }
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
