import { errorOutput } from "../../terminal/output.ts";

/** How it is going. */
export interface Status {
  /** Readings that were taken in since the start. */
  readonly readings: number;
  /** Cells that are known. */
  readonly cells: number;
  /** The broker, for people. */
  readonly broker: string;
}

/** How often it is looked at, ms. */
const EVERY = 500;
/** What the rate is averaged over, ms. */
const SPAN = 2000;
const CLEAR = "\r\x1b[2K";

/** One line at the bottom of a terminal that is rewritten in place. */
export class StatusLine {
  #timer: ReturnType<typeof setInterval> | undefined;
  #shown = "";
  #status: (() => Status) | undefined;
  #problem: { readonly words: string; readonly at: number } | undefined;
  #counts: { readonly at: number; readonly readings: number }[] = [];

  /** Begins to show it. */
  follow(status: () => Status): void {
    this.#status = status;
    this.#timer ??= setInterval(() => this.#draw(), EVERY);
    this.#draw();
  }

  /** Remembers what went wrong last. */
  noteProblem(words: string): void {
    this.#problem = { words, at: performance.now() };
  }

  /** Writes a line that stays, above this one. */
  above(line: string): void {
    const shown = this.#shown;
    errorOutput(`${shown && CLEAR}${line}\n${shown}`);
  }

  /** Takes it away. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#status = undefined;
    if (this.#shown) errorOutput(CLEAR);
    this.#shown = "";
  }

  #draw(): void {
    if (this.#status === undefined) return;
    const now = performance.now();
    const status = this.#status();
    this.#counts.push({ at: now, readings: status.readings });
    while (this.#counts.length > 2 && now - this.#counts[1]!.at >= SPAN) {
      this.#counts.shift();
    }
    const text = statusText(status, {
      rate: rateOf(this.#counts),
      ...(this.#problem && {
        problem: {
          words: this.#problem.words,
          seconds: Math.floor((now - this.#problem.at) / 1000),
        },
      }),
      columns: columns(),
    });
    if (text === this.#shown) return;
    this.#shown = text;
    errorOutput(CLEAR + text);
  }
}

/** The rest of what a status line tells. */
export interface StatusExtras {
  /** Readings a second. */
  readonly rate: number;
  /** What went wrong last, and how many seconds ago. */
  readonly problem?: { readonly words: string; readonly seconds: number };
  /** Of the terminal. */
  readonly columns: number;
}

/** The line, short enough not to be broken by the terminal. */
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
      : `${ago(problem.seconds)} ago: ${problem.words}`,
    broker,
  ].join(" · ");
  // The last column stays free: some terminals break the line behind it.
  if (text.length < columns) return text;
  return `${text.slice(0, Math.max(0, columns - 2))}…`;
}

function rateOf(
  counts: readonly { readonly at: number; readonly readings: number }[],
): number {
  const [first, last] = [counts[0]!, counts.at(-1)!];
  if (last.at <= first.at) return 0;
  return (last.readings - first.readings) * 1000 / (last.at - first.at);
}

/** In one unit, so that the line does not jump every second for hours. */
function ago(seconds: number): string {
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
