/**
 * What the output can show: its colors and its size.
 *
 * @module
 */
import { env } from "../env.ts";
import type { ColorDepth } from "./map/mod.ts";

const DEFAULT_COLUMNS = 80;

/** When to use colors: `auto` is on a terminal only. */
export type ColorMode = "auto" | "always" | "never";

/**
 * Returns the colors that the output can show. `auto` respects NO_COLOR
 * (https://no-color.org) and TERM=dumb. COLORTERM announces 24-bit colors; all
 * other terminals get 256.
 *
 * @param env reads an environment variable
 * @param terminal whether the output is a terminal
 */
export function colorDepth(
  mode: ColorMode,
  env: (name: string) => string | undefined,
  terminal: boolean,
): ColorDepth {
  if (mode === "never") return "none";
  const isColorful = terminal && !env("NO_COLOR") && env("TERM") !== "dumb";
  if (mode === "auto" && !isColorful) return "none";
  return /^(truecolor|24bit)$/i.test(env("COLORTERM") ?? "")
    ? "truecolor"
    : "256";
}

/**
 * Returns the columns and lines for a picture on stdout: those of the terminal,
 * without the line of the prompt; else COLUMNS and LINES; else 80 columns, and
 * as many lines as columns.
 */
export function outputSize(): { width: number; height: number } {
  if (Deno.stdout.isTerminal()) {
    const { columns, rows } = Deno.consoleSize();
    // Some terminals report 0.
    if (columns > 0 && rows > 1) return { width: columns, height: rows - 1 };
  }
  const width = sizeFromEnv("COLUMNS") ?? DEFAULT_COLUMNS;
  return { width, height: sizeFromEnv("LINES") ?? width };
}

/** Returns the width of help texts on an output, and whether to use colors. */
export function helpLayout(
  output: { isTerminal(): boolean },
  mode: ColorMode = "auto",
): { columns: number; color: boolean } {
  const terminal = output.isTerminal();
  const depth = colorDepth(mode, env, terminal);
  const columns = terminal ? Deno.consoleSize().columns : 0;
  return {
    columns: columns > 0 ? columns : sizeFromEnv("COLUMNS") ?? DEFAULT_COLUMNS,
    color: depth !== "none",
  };
}

/** Returns a plausible size from an environment variable. */
function sizeFromEnv(name: string): number | undefined {
  const size = Number(env(name));
  return Number.isInteger(size) && size > 0 && size <= 10_000
    ? size
    : undefined;
}
