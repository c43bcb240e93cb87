/**
 * The colours of utilisation, from 0 to 100%: the colour of free cells, then
 * those of occupied ones, lighter or darker in steady steps, so that the scale is
 * also read without colour.
 *
 * @module
 */

import { type Colors, mix, type Rgb } from "../map/palette.ts";

/** Number of colours: one for each percent, and 0. */
export const HEAT_STEPS = 101;
/** How much of the first occupied colour is in that of a quarter, 0 to 1. */
const QUARTER_STRENGTH = 0.5;

/** Returns the colours from 0 to 100%. */
export function heatColorsOf({ free, ramp }: Colors): Rgb[] {
  const end = ramp.length - 1;
  const stops = [
    free,
    mix(free, ramp[0]!, QUARTER_STRENGTH),
    ramp[0]!,
    ramp[Math.round(end / 2)]!,
    ramp[end]!,
  ];
  return Array.from({ length: HEAT_STEPS }, (_, step) => {
    const position = step / (HEAT_STEPS - 1) * (stops.length - 1);
    const stop = Math.min(Math.floor(position), stops.length - 2);
    return mix(stops[stop]!, stops[stop + 1]!, position - stop);
  });
}

/** Returns the step of a value. @param value 0 to 1, not NaN */
export function heatStepOf(value: number): number {
  return Math.round(Math.min(Math.max(value, 0), 1) * (HEAT_STEPS - 1));
}
