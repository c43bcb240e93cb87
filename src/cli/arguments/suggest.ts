/**
 * Says which name was probably meant.
 *
 * @param names What there is
 * @returns `Did you mean --broker?`, or nothing if no name is near
 */
export function didYouMean(given: string, names: readonly string[]): string {
  const bare = (name: string) => name.replace(/^-+/, "").toLowerCase();
  const far = (name: string) => distance(bare(given), bare(name));
  const near = names
    .map((name) => ({ name, far: far(name) }))
    // A third of the letters may be wrong.
    .filter(({ name, far }) =>
      far <= Math.max(1, Math.floor(bare(name).length / 3)) ||
      (bare(given).length > 2 && bare(name).startsWith(bare(given)))
    )
    .sort((a, b) => a.far - b.far);
  const best = near.filter(({ far }) => far === near[0]!.far).slice(0, 3);
  if (best.length === 0) return "";
  return `Did you mean ${best.map(({ name }) => name).join(" or ")}?`;
}

/**
 * How many letters differ: put in, left out, changed, or two that follow each
 * other swapped (optimal string alignment).
 */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(
        rows[i - 1]![j]! + 1,
        row[j - 1]! + 1,
        rows[i - 1]![j - 1]! + (same ? 0 : 1),
      );
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] &&
        a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
