/**
 * Reads the metrics of a server (docs/HTTP.md). Pure.
 *
 * @module
 */

/** A line of a Prometheus exposition. */
export interface Figure {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

/** Reads the text format of Prometheus; what is not a sample is left out. */
export function parseMetrics(text: string): Figure[] {
  return text.split("\n").flatMap((line) => {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match === null) return [];
    const [, name, labels = "", value] = match;
    return [{ name: name!, labels, value: Number(value) }];
  });
}

/** Returns the sum of a figure over its labels; undefined if it is missing. */
export function total(
  figures: readonly Figure[],
  name: string,
): number | undefined {
  const found = figures.filter((one) => one.name === name);
  if (found.length === 0) return undefined;
  return found.reduce((sum, { value }) => sum + value, 0);
}
