/**
 * Measures the turns of the event loop of a program that runs from source.
 *
 * @module
 */
import { DENO_RUN, ROOT } from "./processes.ts";

/** A line that `watch_turns.ts` writes. */
export const TURN: RegExp = /^turn (\d+) ms\n/gm;

/**
 * Returns the arguments of Deno that run this program, with all permissions
 * that it can use, and measure its turns.
 *
 * @param args the arguments of this program
 */
export function watchedArgs(args: readonly string[]): string[] {
  return [
    ...DENO_RUN,
    ...["--preload", `${ROOT}tests/support/watch_turns.ts`],
    ...["--allow-net", "--allow-read", "--allow-write", "--allow-env"],
    // Its limits follow the memory.
    "--allow-sys=systemMemoryInfo",
    `${ROOT}main.ts`,
    ...args,
  ];
}

/**
 * Returns the turns of an event loop in ms, the longest first; none shorter
 * than 20 ms.
 */
export function turnsIn(stderr: string): number[] {
  return [...stderr.matchAll(TURN)].map(([, ms]) => Number(ms))
    .sort((a, b) => b - a);
}
