/**
 * The status of a server at the bottom of a terminal.
 *
 * @module
 */
import { env } from "../../env.ts";
import { columnsOfText, splitIntoLines } from "../../terminal/columns.ts";
import { writeError } from "../../terminal/output.ts";
import type { SharedStatus } from "../../../http/mod.ts";
import { shareText } from "./shared_status.ts";

/** The state of a server that the status line shows. */
export interface Status {
  /** Readings accepted since the start. */
  readonly readings: number;
  /** Cells with a value. */
  readonly cells: number;
  /** The broker's description. */
  readonly broker: string;
  /** Of a store that several servers share. */
  readonly shared?: SharedStatus | undefined;
}

const UPDATE_INTERVAL_MS = 500;
/** The period over which the rate is averaged. */
const RATE_WINDOW_MS = 2000;
/** A long problem takes more than one line. */
const MAX_LINES = 3;
const MIN_COLUMNS = 3;

/** Lines at the bottom of a terminal that are rewritten in place. */
export class StatusLine {
  #timer: ReturnType<typeof setInterval> | undefined;
  #shown: readonly string[] = [];
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

  /** Prints a line above the status. */
  printAbove(line: string): void {
    writeError(`${this.#erase()}${line}\n${this.#shown.join("\n")}`);
  }

  /** Removes the status. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#status = undefined;
    const erase = this.#erase();
    if (erase) writeError(erase);
    this.#shown = [];
  }

  /** Returns what erases the shown lines. */
  #erase(): string {
    return this.#shown.length === 0
      ? ""
      : eraseLines(this.#shown, columns(), rewraps());
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
    const lines = statusLines(status, {
      rate: rateOf(samples),
      ...(this.#problem && {
        problem: {
          message: this.#problem.message,
          seconds: Math.floor((now - this.#problem.at) / 1000),
        },
      }),
      columns: columns(),
    });
    if (lines.join("\n") === this.#shown.join("\n")) return;
    const erase = eraseLines(this.#shown, columns(), rewraps());
    this.#shown = lines;
    writeError(erase + lines.join("\n"));
  }
}

/** Further data of {@linkcode statusLines}. */
export interface StatusExtras {
  /** Readings per second. */
  readonly rate: number;
  /** The last problem, and how many seconds ago it was. */
  readonly problem?: { readonly message: string; readonly seconds: number };
  /** The width of the terminal. */
  readonly columns: number;
}

/**
 * Returns the status as lines that are shorter than the terminal is wide. In a
 * narrow terminal the parts are omitted that matter least; a problem that is
 * longer than a line takes up to {@linkcode MAX_LINES}.
 */
export function statusLines(
  { cells, broker, shared }: Status,
  { rate, problem, columns }: StatusExtras,
): string[] {
  const number = (n: number) => Math.round(n).toLocaleString("en");
  const rateText = `${number(rate)} readings/s`;
  const cellsText = `${number(cells)} ${cells === 1 ? "cell" : "cells"}`;
  const state = problem === undefined
    ? "no errors"
    : `${formatSeconds(problem.seconds)} ago: ${problem.message}`;
  const short = problem === undefined
    ? [[rateText, cellsText], [rateText]]
    : [[rateText, state], [state]];
  const share = shared === undefined ? [] : [shareText(shared)];
  const texts = [
    [rateText, cellsText, ...share, state, broker],
    [rateText, cellsText, ...share, state],
    [rateText, cellsText, state],
    ...short,
  ].map((parts) => parts.join(" · "));
  const fitting = texts.find((text) => columnsOfText(text) < columns);
  return splitIntoLines(
    fitting ?? texts.at(-1)!,
    Math.max(columns, MIN_COLUMNS),
    MAX_LINES,
  );
}

/**
 * Returns what erases lines above the cursor, which is at the end of the last.
 *
 * @param lines the lines as they were written
 * @param columns the present width of the terminal: it may be narrower now
 * @param rewraps whether the terminal wraps lines again when it is resized
 */
export function eraseLines(
  lines: readonly string[],
  columns: number,
  rewraps: boolean,
): string {
  const rows = lines.map((line) =>
    rewraps ? Math.max(1, Math.ceil(columnsOfText(line) / columns)) : 1
  ).reduce((sum, rows) => sum + rows, 0);
  return rows <= 1 ? "\r\x1b[2K" : `\r\x1b[${rows - 1}A\x1b[J`;
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

/** Most terminals wrap lines again. xterm and the Linux console cut them off. */
function rewraps(): boolean {
  return !env("XTERM_VERSION") && env("TERM") !== "linux";
}
