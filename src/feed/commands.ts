/**
 * The options with which `occupancy` commands reach the broker, as a shell needs
 * them. Pure: runs in server and page.
 *
 * @module
 */
import type { ClientAccess } from "./messages.ts";

/** Characters that need no quotes in a shell. */
const UNQUOTED = /^[\w./:@%+,=-]+$/;

/** Returns `--broker`, `--prefix` and `--ca` of a command. */
export function accessOptions(
  { broker, prefix, ca }: Pick<ClientAccess, "broker" | "prefix" | "ca">,
): string {
  return [
    `--broker${optionValue(broker)}`,
    `--prefix${optionValue(prefix)}`,
    ...(ca === undefined ? [] : [`--ca${optionValue(ca)}`]),
  ].join(" ");
}

/**
 * Formats the value of an option: after a space or `=`, quoted for a shell.
 */
export function optionValue(value: string): string {
  const quoted = UNQUOTED.test(value)
    ? value
    : `'${value.replaceAll("'", `'\\''`)}'`;
  return value.startsWith("-") ? `=${quoted}` : ` ${quoted}`;
}
