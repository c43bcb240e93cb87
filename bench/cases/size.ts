import { resolve } from "node:path";

/** How much of everything a run does. */
export interface Size {
  readonly rounds: number;
  /** True for a run of minutes instead of a quarter of an hour. */
  readonly quick: boolean;
  /** Another checkout, to measure beside this one. */
  readonly against?: string;
  /** A count of messages or readings, made smaller for a quick run. */
  count(full: number): number;
}

/** The size of a run. */
export function sizeOf(
  { quick, rounds, against }: {
    readonly quick: boolean;
    readonly rounds?: number;
    readonly against?: string;
  },
): Size {
  return {
    quick,
    rounds: rounds ?? (quick ? 3 : 5),
    ...(against !== undefined && { against: `${resolve(against)}/` }),
    count: (full) => quick ? Math.ceil(full / 4) : full,
  };
}
