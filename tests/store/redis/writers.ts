/** Writers that note what was acknowledged to them. */
import assert from "node:assert/strict";
import { readingsEntry } from "../support.ts";
import { within } from "../../support/until.ts";
import type { TestMember } from "./redis_members.ts";

export const T0 = 1_700_000_000_000;
export const LAYER = "default";

/** Commits readings one after the other, each of a new cell. */
export class Writer {
  /** The x of the cells that were acknowledged. */
  readonly acknowledged: number[] = [];
  readonly #done: Promise<void>;
  #next: number;
  #stopped = false;

  /**
   * @param member commits
   * @param first x of the first cell
   * @param layer default: `default`
   */
  constructor(member: TestMember, first: number, readonly layer = LAYER) {
    this.#next = first;
    this.#done = this.#run(member);
    this.#done.catch(() => {}); // if an assertion fails first
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await within(this.#done, "the writer's last commit");
  }

  async #run({ store }: TestMember): Promise<void> {
    while (!this.#stopped) {
      const x = this.#next++;
      await store.commit([readingsEntry(T0, [[x, 0, 1]], this.layer)]);
      this.acknowledged.push(x);
    }
  }
}

/** The x of all cells of a layer. */
export function cellsOf({ map }: TestMember, layer = LAYER): Set<number> {
  const cells = new Set<number>();
  map.layer(layer)?.scan((x) => cells.add(x));
  return cells;
}

/** Fails unless the map of a member has all that was acknowledged. */
export function assertAllThere(
  member: TestMember,
  writers: readonly Writer[],
): void {
  for (const { acknowledged, layer } of writers) {
    const cells = cellsOf(member, layer);
    assert.deepEqual(acknowledged.filter((x) => !cells.has(x)), []);
  }
}
