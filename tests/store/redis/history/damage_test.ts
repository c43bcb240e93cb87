/** Keys of the history that are damaged, missing, or of another program. */
import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import { RedisServer } from "../../../support/redis.ts";
import { removeAll } from "../../history_contract.ts";
import {
  bytes,
  DAY,
  type HistoryMember,
  HOUR,
  openHistory,
  textsOf,
} from "./support.ts";

/** Declares a test of one Redis, whose only member writes the history. */
function describe(
  name: string,
  test: (one: HistoryMember, redis: RedisServer) => Promise<void>,
): void {
  Deno.test({
    name,
    ...needs("redis-server"),
    fn: async () => {
      await using redis = await RedisServer.start();
      await using one = await openHistory(redis.url);
      assert.equal(await one.history.shared.lead(1), true);
      await test(one, redis);
    },
  });
}

/** Deletes or changes keys of a layer whose names begin with a text. */
async function eachKey(
  { key }: HistoryMember,
  redis: RedisServer,
  start: string,
  ...change: readonly [command: string, ...string[]]
): Promise<number> {
  // The key of a part ends with bytes that are no text.
  const [command, ...rest] = change;
  const script =
    `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call(ARGV[2], key, unpack(ARGV, 3)) end
     return #redis.call('KEYS', ARGV[1])`;
  const pattern = `${key("a", start)}*`;
  return Number(
    await redis.text("EVAL", script, "0", pattern, command, ...rest),
  );
}

describe(
  "a damaged row is without bytes, and hides no other",
  async (one, redis) => {
    const { history, change, key } = one;
    await change((t) => {
      for (const hour of [HOUR, HOUR + 1, HOUR + 2]) {
        t.putBlock("a", 1, 2, hour, bytes(`block ${hour}`));
      }
    });
    const hash = key("a", `blocks:1:${HOUR + 1}`);
    for (const damaged of ["", "abc", "abcdefgh"]) {
      await redis.command(
        ...[
          "EVAL",
          "redis.call('HSET', KEYS[1], redis.call('HKEYS', KEYS[1])[1], ARGV[1])",
        ],
        ...["1", hash, damaged],
      );
      assert.deepEqual(
        textsOf(await history.blocks("a", 1, 2, HOUR, HOUR + 9)),
        [`block ${HOUR}`, undefined, `block ${HOUR + 2}`],
      );
    }
  },
);

describe(
  "parts that were cut are damaged, and their tile gets its block",
  async (one, redis) => {
    const { history, change } = one;
    const rests = ["abc", "\0\0\0", "\xff\xff\xff\xffabcdef"];
    for (const [i, rest] of rests.entries()) {
      const hour = HOUR + i;
      await change((t) => {
        t.appendPart("a", 1, 2, hour, bytes("first"));
        t.appendPart("a", 1, 2, hour, bytes("second"));
      });
      await eachKey(one, redis, "part:", "APPEND", rest);
      assert.deepEqual(
        textsOf(await history.hourRows("a", 1, 2, hour)),
        ["first", "second", undefined],
      );
      await change((t) => t.putBlock("a", 1, 2, hour, bytes("block")));
      assert.deepEqual(
        textsOf(await history.hourRows("a", 1, 2, hour)),
        ["block"],
      );
    }
  },
);

describe(
  "parts that are missing do not keep their hour open",
  async (one, redis) => {
    const { history, change } = one;
    await change((t) => t.appendPart("a", 1, 2, HOUR, bytes("part")));
    await eachKey(one, redis, "part:", "UNLINK");
    assert.equal((await history.openTiles(HOUR, 9)).length, 1);
    await change((t) => t.dropParts("a", 1, 2, HOUR));
    assert.deepEqual(await history.openTiles(HOUR, 9), []);
    const end = await change((t) => t.endHour(HOUR));
    assert.equal(end.isEnded, true);
    assert.deepEqual(history.openHours(), []);
  },
);

for (
  const missing of ["part:", "open:", "blocks:", "frames:", "cell-days:"]
) {
  describe(
    `a layer is deleted although its keys ${missing} are missing`,
    async (one, redis) => {
      const { history, change } = one;
      const fill = (layer: string) =>
        change((t) => {
          for (let tx = 0; tx < 9; tx++) {
            t.appendPart(layer, tx, 0, HOUR + 1, bytes("part"));
            t.putBlock(layer, tx, 0, HOUR, bytes("block"));
            t.putFrame(layer, tx, 0, HOUR, bytes("frame"));
            t.putCellDay(layer, tx, 0, DAY, bytes("day"));
          }
        });
      await fill("a");
      await eachKey(one, redis, missing, "UNLINK");
      await change((t) => t.deleteLayer("a"));
      await removeAll(() => change((t) => t.deleteRest(5)));
      assert.deepEqual(history.layers(), []);
      await fill("a");
      assert.equal((await history.openTiles(HOUR + 1, 99)).length, 9);
      await removeAll(() => change((t) => t.deleteCellDaysBefore(DAY + 1, 5)));
      assert.deepEqual(await history.cellDays("a", 0, 0, 0, DAY), []);
    },
  );
}

describe(
  "rollups of days are pruned although some are missing",
  async (one, redis) => {
    const { history, change } = one;
    await change((t) => {
      for (let day = DAY; day < DAY + 4; day++) {
        t.putCellDay("a", 1, 2, day, bytes("cells"));
        t.putZoneDay("z", "a", day, bytes("zone"));
      }
    });
    await eachKey(one, redis, "cell-days:", "UNLINK");
    await eachKey(one, redis, "zone-days:", "UNLINK");
    await removeAll(() => change((t) => t.deleteCellDaysBefore(DAY + 2, 1)));
    await removeAll(() => change((t) => t.deleteZoneDaysBefore(DAY + 2, 1)));
    await change((t) => t.putCellDay("a", 1, 2, DAY + 3, bytes("new")));
    assert.deepEqual(
      textsOf(await history.cellDays("a", 1, 2, DAY, DAY + 9)),
      ["new"],
    );
  },
);

describe(
  "values of other programs are reported, or passed over",
  async (one, redis) => {
    const { history, change, key } = one;
    await change((t) => {
      t.putBlock("a", 1, 2, HOUR, bytes("block"));
      t.putZoneDay("z", "a", DAY, bytes("zone"));
    });
    await redis.command("ZADD", key("a", "tiles:1"), "0", "foreign");
    await redis.command("HSET", key("a", "zones"), "y", "foreign");
    await redis.command("HSET", key("a", "gaps"), "foreign", "");
    await redis.command("HINCRBY", key("a", "sizes"), "zones-version", "1");
    await history.open();
    assert.deepEqual(await history.tilesOf("a", undefined, 9), [
      { tx: 1, ty: 2 },
    ]);
    assert.deepEqual(
      (await history.zones()).map(({ zone }) => zone),
      ["z"],
    );
    await change((t) => t.putZoneDay("y", "a", DAY, bytes("new")));
    assert.deepEqual(textsOf(await history.zoneDays("y", 0, DAY)), ["new"]);
    await removeAll(() => change((t) => t.deleteZoneDaysBefore(DAY + 1, 9)));
    assert.deepEqual(await history.zones(), []);
    // A key of another type: said so, until it is gone.
    await redis.command("SET", key("a", `blocks:1:${HOUR}`), "foreign");
    await assert.rejects(
      Promise.resolve(history.blocks("a", 1, 2, HOUR, HOUR)),
      /WRONGTYPE/,
    );
    one.work.add((t) => t.putBlock("a", 1, 2, HOUR, bytes("again")));
    const error = await one.member.store.commitHistory();
    assert.match(error!.message, /WRONGTYPE/);
    assert.match(error!.hint!, /prefix/);
    assert.equal(one.member.store.historyProblem, error);
    await redis.command("UNLINK", key("a", `blocks:1:${HOUR}`));
    await one.changeSurely(() => {});
    assert.deepEqual(
      textsOf(await history.blocks("a", 1, 2, HOUR, HOUR)),
      ["again"],
    );
  },
);
