/** The clocks of a server and of Redis: when the log says that they differ. */
import assert from "node:assert/strict";
import { ClockWatch } from "../../../src/store/redis/clock_watch.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { openMember } from "./redis_members.ts";

const MINUTE = 60_000;

/** A watch, and its lines with `warning` or `info`. */
function start() {
  let now = 0;
  const lines: string[] = [];
  const watch = new ClockWatch({
    onWarning: (line) => lines.push(`warning: ${line}`),
    onInfo: (line) => lines.push(`info: ${line}`),
    monotonic: () => now,
  });
  return {
    /** Notes a difference, and returns the new lines. */
    note(ahead: number, uncertainty = 1): string[] {
      watch.note({ ahead, uncertainty }, "redis-1:6379");
      return lines.splice(0);
    },
    wait: (ms: number) => void (now += ms),
  };
}

Deno.test({
  name:
    "ClockWatch warns once of clocks that differ: how much, which way, and what to do",
  permissions: "none",
  fn: () => {
    const { note, wait } = start();
    for (const fine of [0, 1000, -1000, 1001]) assert.deepEqual(note(fine), []);
    const [behind, ...more] = note(1500);
    assert.match(
      behind!,
      /^warning: The clock of this server is 1\.5 s behind/,
    );
    assert.match(behind!, /Redis at redis-1:6379 \(± 1 ms\)/);
    assert.match(behind!, /Synchronize the clocks .* NTP/);
    assert.deepEqual(more, []);
    for (let i = 0; i < 100; i++) {
      wait(MINUTE / 2);
      assert.deepEqual(note(1500 + i), []);
    }
    const other = start();
    assert.match(other.note(-61_000)[0]!, /61\.0 s ahead of that of Redis/);
  },
});

Deno.test({
  name: "ClockWatch warns again of a large change, and after an hour",
  permissions: "none",
  fn: () => {
    const { note, wait } = start();
    assert.equal(note(5000).length, 1);
    wait(MINUTE);
    assert.deepEqual(note(7400), [], "less than half of it");
    assert.match(note(-2000)[0]!, /2\.0 s ahead/, "the other direction");
    wait(MINUTE - 1);
    assert.deepEqual(note(9000), [], "at most one line a minute");
    wait(1);
    assert.match(note(9000)[0]!, /9\.0 s behind/);
    wait(60 * MINUTE - 1);
    assert.deepEqual(note(9000), []);
    wait(1);
    assert.match(note(9000)[0]!, /9\.0 s behind/);
  },
});

Deno.test({
  name:
    "ClockWatch says once that the clocks agree again, and does not alternate at the limit",
  permissions: "none",
  fn: () => {
    const { note, wait } = start();
    assert.equal(note(1100).length, 1);
    for (let i = 0; i < 10; i++) {
      wait(MINUTE);
      assert.deepEqual(note(i % 2 === 0 ? 990 : 1100), []);
    }
    wait(MINUTE);
    assert.deepEqual(note(20, 600), [], "too uncertain");
    assert.match(
      note(20)[0]!,
      /^info: .* agrees .* again: they differ by 20 ms/,
    );
    wait(MINUTE);
    assert.deepEqual(note(20), []);
    assert.deepEqual(note(3000, 501), [], "too uncertain");
    assert.equal(note(3000).length, 1);
  },
});

Deno.test({
  name: "a member whose clock differs from that of Redis says so in its log",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    let offset = -5000;
    const infos: string[] = [];
    let elapsed = 0;
    await using late = await openMember(redis.url, {
      name: "late",
      now: () => Date.now() + offset,
      monotonic: () => performance.now() + elapsed,
      onInfo: (line) => infos.push(line),
    });
    await using right = await openMember(redis.url, { name: "right" });
    const clockLines = ({ warnings }: typeof late) =>
      warnings.filter((line) => line.includes("clock"));
    assert.equal(clockLines(late).length, 1, "at its start");
    assert.match(clockLines(late)[0]!, /is 5\.0 s behind that of Redis/);
    // While it runs: the clock is set, too far.
    elapsed = MINUTE;
    offset = 8000;
    await until(() => clockLines(late).length === 2);
    assert.match(clockLines(late)[1]!, /is 8\.0 s ahead of that of Redis/);
    elapsed = 2 * MINUTE;
    offset = 0;
    await until(() => infos.length > 0);
    assert.match(infos[0]!, /agrees with that of Redis .* again/);
    assert.deepEqual(clockLines(right), []);
  },
});
