import { writeError } from "../../terminal/output.ts";

/** The state of a server that the status line shows. */
export interface Status {
  /** Readings accepted since the start. */
  readonly readings: number;
  /** Cells with a value. */
  readonly cells: number;
  /** The broker's description. */
  readonly broker: string;
}

const UPDATE_INTERVAL_MS = 500;
/** The period over which the rate is averaged. */
const RATE_WINDOW_MS = 2000;
const CLEAR_LINE = "\r\x1b[2K";

/** A line at the bottom of a terminal that is rewritten in place. */
export class StatusLine {
  #timer: ReturnType<typeof setInterval> | undefined;
  #shown = "";
  #status: (() => Status) | undefined;
  #problem: { readonly message: string; readonly at: number } | undefined;
  #samples: { readonly at: number; readonly readings: number }[] = [];

  /** Shows the status, and updates it twice a second. */
  show(status: () => Status): void {
    this.#status = status;
    this.#timer ??= setInterval(() => this.#draw(), UPDATE_INTERVAL_MS);
    this.#draw();
  }

  /** Sets the last problem to show. */
  setProblem(message: string): void {
    this.#problem = { message, at: performance.now() };
  }

  /** Prints a line above this one. */
  printAbove(line: string): void {
    const shown = this.#shown;
    writeError(`${shown && CLEAR_LINE}${line}\n${shown}`);
  }

  /** Removes the line. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#status = undefined;
    if (this.#shown) writeError(CLEAR_LINE);
    this.#shown = "";
  }

  #draw(): void {
    if (this.#status === undefined) return;
    const now = performance.now();
    const status = this.#status();
    const samples = this.#samples;
    samples.push({ at: now, readings: status.readings });
    while (samples.length > 2 && now - samples[1]!.at >= RATE_WINDOW_MS) {
      samples.shift();
    }
    const text = statusText(status, {
      rate: rateOf(samples),
      ...(this.#problem && {
        problem: {
          message: this.#problem.message,
          seconds: Math.floor((now - this.#problem.at) / 1000),
        },
      }),
      columns: columns(),
    });
    if (text === this.#shown) return;
    this.#shown = text;
    writeError(CLEAR_LINE + text);
  }
}

/** Further data of {@linkcode statusText}. */
export interface StatusExtras {
  /** Readings per second. */
  readonly rate: number;
  /** The last problem, and how many seconds ago it was. */
  readonly problem?: { readonly message: string; readonly seconds: number };
  /** The width of the terminal. */
  readonly columns: number;
}

/** The text of the status line, cut to the width of the terminal. */
export function statusText(
  { cells, broker }: Status,
  { rate, problem, columns }: StatusExtras,
): string {
  const number = (n: number) => Math.round(n).toLocaleString("en");
  const text = [
    `${number(rate)} readings/s`,
    `${number(cells)} ${cells === 1 ? "cell" : "cells"}`,
    problem === undefined
      ? "no errors"
      : `${formatSeconds(problem.seconds)} ago: ${problem.message}`,
    broker,
  ].join(" · ");
  // Some terminals wrap a line that fills the last column.
  if (text.length < columns) return text;
  return `${text.slice(0, Math.max(0, columns - 2))}…`;
}

function rateOf(
  samples: readonly { readonly at: number; readonly readings: number }[],
): number {
  const [first, last] = [samples[0]!, samples.at(-1)!];
  if (last.at <= first.at) return 0;
  return (last.readings - first.readings) * 1000 / (last.at - first.at);
}

/** Formats a duration in one unit, so that the text changes rarely. */
function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}
