/**
 * Finds names that are similar to a misspelt one.
 *
 * @module
 */

/**
 * Returns the names that are similar to a misspelt one, the most similar first.
 *
 * @param given the misspelt name; case and leading dashes are ignored
 * @param names the names that exist
 */
export function similarNames(
  given: string,
  names: readonly string[],
): { readonly name: string; readonly edits: number }[] {
  const bare = (name: string) => name.replace(/^-+/, "").toLowerCase();
  const word = bare(given);
  // A third of the letters may be wrong.
  const allowed = (name: string) =>
    Math.max(1, Math.floor(bare(name).length / 3));
  const isStart = (name: string) =>
    word.length > 2 && bare(name).startsWith(word);
  return names
    // Of thousands of names, most differ too much in their length.
    .filter((name) =>
      Math.abs(bare(name).length - word.length) <= allowed(name) ||
      isStart(name)
    )
    .map((name) => ({ name, edits: editDistance(word, bare(name)) }))
    .filter(({ name, edits }) => edits <= allowed(name) || isStart(name))
    .sort((a, b) => a.edits - b.edits);
}

/**
 * The number of edits between two words: insert, delete or replace a letter, or
 * swap two adjacent ones (optimal string alignment distance).
 */
function editDistance(a: string, b: string): number {
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
