import type { ColorDepth } from "./map/mod.ts";

/** When there are colours: where a person sees them, or always, or never. */
export type ColorWhen = "auto" | "always" | "never";

/**
 * How many colours the output can have. `auto` heeds NO_COLOR
 * (https://no-color.org) and TERM=dumb; COLORTERM tells of 24-bit colours, all
 * others get 256.
 *
 * @param env Reads a variable of the environment
 * @param terminal Whether the output goes to a terminal
 */
export function colorDepth(
  when: ColorWhen,
  env: (name: string) => string | undefined,
  terminal: boolean,
): ColorDepth {
  if (when === "never") return "none";
  const able = terminal && !env("NO_COLOR") && env("TERM") !== "dumb";
  if (when === "auto" && !able) return "none";
  return /^(truecolor|24bit)$/i.test(env("COLORTERM") ?? "")
    ? "truecolor"
    : "256";
}
