/** Tables of a history that answer later, as those of a database elsewhere. */
import { setImmediate } from "node:timers/promises";
import type { HistoryTables } from "../../../src/store/store.ts";
import { randomIntegers } from "../../support/random.ts";

/** The members that may answer later. */
const READS: ReadonlySet<keyof HistoryTables> = new Set([
  ...["openTiles", "tileRows", "hourRows", "blocks"] as const,
  ...["frameBefore", "tilesOf", "cellDays", "cellDayBefore"] as const,
  ...["zoneDays", "zones", "refresh"] as const,
]);

/**
 * Returns the same tables. Their reads of rows resolve some turns later, with
 * what the rows are at a moment between.
 *
 * @param onRead called before each read, with the number of those before
 */
export function laterTables(
  tables: HistoryTables,
  onRead: (before: number) => void = () => {},
): HistoryTables {
  const random = randomIntegers(7);
  let reads = 0;
  const later = async (read: () => unknown) => {
    onRead(reads++);
    await turns(random(3));
    const answer = read();
    await turns(random(3));
    return answer;
  };
  return new Proxy(tables, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return READS.has(name as keyof HistoryTables)
        ? (...args: unknown[]) => later(() => member.apply(target, args))
        : member.bind(target);
    },
  });
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate();
}
