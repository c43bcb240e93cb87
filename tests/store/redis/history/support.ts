/** Members that write and read the history in Redis, for tests. */
import assert from "node:assert/strict";
import type { RedisHistory } from "../../../../src/store/redis/history/redis_history.ts";
import type { HistoryRow, HistoryTables } from "../../../../src/store/store.ts";
import { until } from "../../../support/until.ts";
import { QueuedWork } from "../../history_support.ts";
import {
  type MemberOptions,
  openMember,
  type TestMember,
} from "../redis_members.ts";

export const HOUR = 480_000;
export const DAY = 20_000;

/** A member, and what it writes to its history. */
export interface HistoryMember extends AsyncDisposable {
  readonly member: TestMember;
  readonly history: RedisHistory;
  readonly work: QueuedWork;
  /** The key of a shard. */
  key(layer: string, name: string): string;
  /** Changes the tables and commits, once. */
  change<T>(work: (tables: HistoryTables) => T): Promise<T>;
  /** Changes the tables; what fails is tried again, as the server does. */
  changeSurely(work: (tables: HistoryTables) => void): Promise<void>;
}

/** Opens a member that does not write before `history.shared.lead()`. */
export async function openHistory(
  url: string,
  options: MemberOptions = {},
): Promise<HistoryMember> {
  const member = await openMember(url, { follow: false, ...options });
  const { store, map } = member;
  const work = new QueuedWork();
  store.historyWork = work;
  return {
    ...{ member, work, history: store.history },
    key: (layer, name) =>
      store.keys.ofShard(map.shardOf(layer), `history:${name}`),
    change: async (step) => {
      let result: ReturnType<typeof step>;
      work.add((tables) => {
        result = step(tables);
      });
      assert.equal(await store.commitHistory(), undefined);
      return result!;
    },
    changeSurely: async (step) => {
      work.add(step);
      let error: unknown;
      await until(async () => {
        error = await store.commitHistory();
        return error === undefined && !work.hasWork;
      }, { what: () => String(error) });
    },
    [Symbol.asyncDispose]: () => member[Symbol.asyncDispose](),
  };
}

/** The texts of rows without those that repeat the one before. */
export function textsOf(rows: readonly HistoryRow[]): (string | undefined)[] {
  return rows.map(({ bytes }) => bytes && new TextDecoder().decode(bytes))
    .filter((text, i, all) => i === 0 || text !== all[i - 1]);
}

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
