/** Requests for the past over a fake link. */
import assert from "node:assert/strict";
import {
  encodeErrorReply,
  PastReplyWriter,
  ReplyWriter,
  type Series,
  SeriesReplyWriter,
  Topics,
} from "../../src/protocol/mod.ts";
import {
  type PastMapQuery,
  type PastSeriesQuery,
  RefusedError,
  Requester,
  requestPastMap,
  requestSeries,
} from "../../src/request/mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";

const NOW = 1_760_000_000_000;

async function start() {
  const link = new FakeLink();
  const requester = new Requester({ topics: new Topics(), name: "me" });
  await link.open(requester.handlersFor(link));
  return {
    mapAt: (query: Omit<PastMapQuery, "timeout">) =>
      requestPastMap(requester, link, { timeout: 5000, ...query }),
    series: (query: Partial<PastSeriesQuery>) =>
      requestSeries(requester, link, { timeout: 5000, ...query }),
    /** The last request that was published. */
    sent: () => JSON.parse(link.textsOn("occupancy/request").at(-1)!),
    receive: (payload: string | Uint8Array) =>
      link.handlers.message(incoming("occupancy/response/me", payload)),
  };
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

function mapOf(transaction: string, layer = "default"): Uint8Array[] {
  const writer = new PastReplyWriter({
    ...{ transaction, layer, at: NOW - 9, gap: true, time: NOW },
    ...{ format: "json", maxBytes: 1024 },
  });
  for (let x = 0; x < 100; x++) {
    const since = x === 0 ? NaN : NOW - x;
    writer.state(x, 1, x, since, x === 5 ? "stale" : "occupied");
  }
  return writer.finish();
}

test("requestPastMap() joins the parts of the map", async () => {
  using _ = new FakeClock();
  const { mapAt, sent, receive } = await start();
  const answer = mapAt({ at: new Date(NOW - 9), timezone: "UTC" });
  const { transaction, replyTo: _replyTo, ...rest } = sent();
  assert.deepEqual(rest, { at: NOW - 9, timezone: "UTC" });
  for (const part of mapOf(transaction, "l2")) receive(part);
  const parts = mapOf(transaction);
  assert.ok(parts.length > 2);
  for (const part of [...parts.toReversed(), parts[0]!]) receive(part);
  const map = await answer;
  assert.deepEqual(
    [map.size, map.layer, map.at, map.gap, map.damaged],
    [100, "default", NOW - 9, true, false],
  );
  assert.deepEqual(map.get(5, 1), {
    ...{ x: 5, y: 1, value: 5, since: NOW - 5, stale: true },
  });
  assert.ok(Number.isNaN(map.get(0, 1)!.since));
  assert.equal(map.get(0, 0), undefined);
  assert.equal([...map].length, 100);
});

test("requestSeries() joins the parts of the series", async () => {
  using _ = new FakeClock();
  const { series, sent, receive } = await start();
  const answer = series({ zone: "lobby", from: "-7d", to: NOW, step: "1d" });
  const { transaction, replyTo: _replyTo, ...rest } = sent();
  assert.deepEqual(rest, { zone: "lobby", from: "-7d", to: NOW, step: "1d" });
  const column = Array.from({ length: 30 }, (_, i) => i % 2 ? null : i);
  const expected: Series = {
    ...{ from: NOW - 30, to: NOW, step: "1d", timezone: "UTC" },
    ...{ layer: "l2", zone: { name: "lobby", title: "Lobby" }, gaps: [] },
    start: column.map((_, i) => NOW - 30 + i),
    ...{ least: column, mean: column, most: column, occupied: column },
    ...{ entries: column, known: column.map(() => 0.5) },
  };
  const writer = new SeriesReplyWriter({
    ...{ transaction, time: NOW, series: expected, maxBytes: 1024 },
  });
  expected.start.forEach((_, index) => writer.step(index));
  for (const part of writer.finish()) receive(part);
  assert.deepEqual(await answer, expected);
  void series({ region: { x0: 0, y0: 1, x1: 2, y1: 3 } }).catch(() => {});
  assert.deepEqual([sent().region, sent().step], [[0, 1, 2, 3], "1h"]);
});

test("a server without a history, or of an older version, refuses", async () => {
  using _ = new FakeClock();
  const { mapAt, series, sent, receive } = await start();
  for (const ask of [() => mapAt({ at: "-1h" }), () => series({})]) {
    const refused = ask();
    receive(encodeErrorReply({
      transaction: sent().transaction,
      ...{ code: "history-off", message: "no history" },
    }));
    await assert.rejects(
      refused,
      (error) => error instanceof RefusedError && error.code === "history-off",
    );
    const old = ask();
    const [present] = new ReplyWriter({
      ...{ transaction: sent().transaction, layer: "default", revision: 1 },
      ...{ time: NOW, format: "json", maxBytes: 1024 },
    }).finish();
    receive(present!);
    await assert.rejects(
      old,
      (error) => error instanceof RefusedError && error.code === "no-history",
    );
  }
});

test("a reply that is not valid is ignored, and counted", async () => {
  using clock = new FakeClock();
  const { series, sent, receive } = await start();
  const answer = series({});
  receive(JSON.stringify({
    ...{ transaction: sent().transaction, status: "ok", time: NOW },
    ...{ part: 1, parts: 1, series: [{ start: "x" }] },
  }));
  const failed = assert.rejects(answer, /ignored 1 message/);
  clock.tick(5000);
  await failed;
});
