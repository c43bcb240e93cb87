/**
 * Numbers as a line of blocks, as wide as a terminal allows.
 *
 * @module
 */

/** Of 0, and of seven parts of the largest number (Unicode block elements). */
const BLOCKS = "▁▂▃▄▅▆▇█";
/** In place of what is not known. */
export const UNKNOWN_MARK = "·";
const SHADES = " ░▒▓█";

/**
 * Returns a sparkline: one character for each number; if there are more numbers
 * than columns, for the mean of several neighbours. Unknown numbers are `·`, and
 * do not count in a mean.
 *
 * @param values 0 or more; null is unknown
 * @param columns maximum width
 * @param max the number of a full block. Default: the largest one
 */
export function sparkline(
  values: readonly (number | null)[],
  columns: number,
  max: number = largest(values),
): string {
  return resampled(values, columns).map((value) => {
    if (value === null) return UNKNOWN_MARK;
    if (value <= 0 || max <= 0) return BLOCKS[0]!;
    const level = Math.ceil(value / max * (BLOCKS.length - 1));
    return BLOCKS[Math.min(level, BLOCKS.length - 1)]!;
  }).join("");
}

/**
 * Returns a character for a part of a whole: a shade, or `·` if it is unknown.
 *
 * @param part 0 to 1; null is unknown
 */
export function shade(part: number | null): string {
  if (part === null) return UNKNOWN_MARK;
  const level = Math.ceil(part * (SHADES.length - 1));
  return SHADES[Math.max(0, Math.min(level, SHADES.length - 1))]!;
}

function resampled(
  values: readonly (number | null)[],
  columns: number,
): readonly (number | null)[] {
  const width = Math.max(1, Math.floor(columns));
  if (values.length <= width) return values;
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor(column * values.length / width);
    const to = Math.floor((column + 1) * values.length / width);
    const known = values.slice(from, to).filter((one) => one !== null);
    if (known.length === 0) return null;
    return known.reduce((sum, one) => sum + one, 0) / known.length;
  });
}

function largest(values: readonly (number | null)[]): number {
  return values.reduce<number>((max, one) => Math.max(max, one ?? 0), 0);
}
