/**
 * The command line that gives what is seen.
 *
 * @module
 */

import type { Region } from "../../grid/mod.ts";

/** What a shell takes as it is. */
const PLAIN = /^[\w./:@%+,=-]+$/;

/** The `occupancy request` that prints these cells of a layer. */
export function requestCommand(layer: string, region: Region): string {
  const { x0, y0, x1, y1 } = region;
  // With "=", as the first number may be negative and would pass for an option.
  return `occupancy request --layer${
    option(layer)
  } --region=${x0},${y0},${x1},${y1}`;
}

function option(value: string): string {
  const quoted = PLAIN.test(value)
    ? value
    : `'${value.replaceAll("'", `'\\''`)}'`;
  return value.startsWith("-") ? `=${quoted}` : ` ${quoted}`;
}

/** The `occupancy client` that sends readings to a layer. */
export function sendCommand(layer: string): string {
  const to = layer === "default" ? "" : ` --layer${option(layer)}`;
  return `occupancy client${to} --file client1.json`;
}
