/**
 * Limits the rate of log lines that any client can cause.
 *
 * @module
 */

const INTERVAL_MS = 60_000;

/** A line; a function builds it only if it is written. */
export type Line = string | (() => string);

/** The lines of one kind since the last one that was written. */
interface Kind {
  /** How many were not written. */
  count: number;
  /** The last of them. */
  latest: Line;
  /** Writes a line of this kind. */
  readonly write: (line: string) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * Writes at most one line of a kind in a minute: the first at once. At the end
 * of the minute it writes the latest of the further ones, with the number of
 * the others.
 */
export class LineLimiter implements Disposable {
  /** Called for each line that is not written at once. */
  onLimited: (() => void) | undefined;
  readonly #kinds = new Map<string, Kind>();

  /**
   * Writes a line now, or counts it.
   *
   * @param kind a constant of the code in kebab case, never input of a client:
   * memory is kept for each
   * @param line the line
   * @param write writes lines of this kind
   */
  add(kind: string, line: Line, write: (line: string) => void): void {
    const known = this.#kinds.get(kind);
    if (known !== undefined) {
      known.count++;
      this.onLimited?.();
      known.latest = line;
      return;
    }
    write(textOf(line));
    this.#startMinute(kind, write);
  }

  /** Writes what is counted, and starts again. */
  [Symbol.dispose](): void {
    for (const kind of this.#kinds.values()) {
      clearTimeout(kind.timer);
      this.#writeLatest(kind);
    }
    this.#kinds.clear();
  }

  #startMinute(kind: string, write: (line: string) => void): void {
    const timer = setTimeout(() => this.#endMinute(kind), INTERVAL_MS);
    Deno.unrefTimer(timer);
    this.#kinds.set(kind, { count: 0, latest: "", write, timer });
  }

  #endMinute(kind: string): void {
    const ended = this.#kinds.get(kind)!;
    this.#kinds.delete(kind);
    if (ended.count === 0) return;
    this.#writeLatest(ended);
    this.#startMinute(kind, ended.write);
  }

  #writeLatest({ count, latest, write }: Kind): void {
    if (count === 0) return;
    const more = count === 1
      ? ""
      : ` (and ${count - 1} more in the last minute)`;
    write(textOf(latest) + more);
  }
}

function textOf(line: Line): string {
  return typeof line === "string" ? line : line();
}
