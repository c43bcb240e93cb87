/**
 * Replies: exact for every combination of request fields, and of one revision
 * while readings arrive.
 */
import assert from "node:assert/strict";
import { Freshness, OccupancyMap } from "../../src/grid/mod.ts";
import {
  encodeRequest,
  parseOriginal,
  parseReply,
  ReadingBatch,
  ReplyAssembler,
  type ReplyFormat,
  type RequestFields,
  Topics,
} from "../../src/protocol/mod.ts";
import { Server } from "../../src/server/mod.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { FakeStore } from "../support/fake_store.ts";
import { needs } from "../support/needs.ts";
import { serverLog } from "../support/server_log.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";

const NOW = 1_760_000_000_000;
const REPLY_TOPIC = "occupancy/response/me";
const STALE_AFTER_MS = 60_000;
/** Number of cells that change together during the requests. */
const CELLS = 5000;

/** Starts a server with two layers: cells are fresh, stale, unknown or changed twice. */
async function startServer() {
  const link = new FakeLink();
  const map = new OccupancyMap({
    staleAfter: STALE_AFTER_MS,
    forgetAfter: 10 * STALE_AFTER_MS,
  });
  const clock = { now: NOW };
  const server = new Server({
    link,
    store: new FakeStore(),
    map,
    topics: new Topics(),
    name: "me",
    version: "0.0.0",
    log: serverLog(),
    clock: () => clock.now,
  });
  await server.start();
  const revisions = [map.revision];
  for (let step = 0; step < 6; step++) {
    const lines: string[] = [];
    for (let i = 0; i < 400; i++) {
      const n = (i * 7 + step * 131) % 900;
      const time = NOW - (i % 13) * STALE_AFTER_MS / 2;
      lines.push(`${n % 30 - 15},${Math.floor(n / 30) - 15},${i % 4},${time}`);
    }
    const topic = step % 3 === 2 ? "occupancy/data/l2" : "occupancy/data";
    const before = map.revision;
    link.handlers.message(incoming(topic, lines.join("\n")));
    await until(() => map.revision > before);
    revisions.push(map.revision);
  }
  return {
    link,
    map,
    clock,
    revisions,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

type Combination = Pick<
  RequestFields,
  "region" | "since" | "layer" | "format" | "maxBytes"
>;

function* combinations(
  revisions: readonly number[],
): Iterable<Combination> {
  const regions = [
    undefined,
    { x0: -3, y0: -20, x1: 5, y1: 2 },
    { x0: 7, y0: 7, x1: 7, y1: 7 },
    { x0: -(2 ** 31), y0: -(2 ** 31), x1: 2 ** 31 - 1, y1: 2 ** 31 - 1 },
    { x0: 100, y0: 100, x1: 200, y1: 200 },
  ];
  const formats: (ReplyFormat | undefined)[] = [
    undefined,
    "json",
    "csv",
    "original",
  ];
  for (const region of regions) {
    for (const since of [undefined, 0, revisions[2], revisions.at(-1), 1e9]) {
      for (const layer of [undefined, "default", "l2", "nowhere"]) {
        for (const format of formats) {
          for (const maxBytes of [undefined, 1024, 1_000_000]) {
            yield { region, since, layer, format, maxBytes };
          }
        }
      }
    }
  }
}

/** Returns the cells that a reply must have, as sorted lines. */
function expected(
  map: OccupancyMap,
  { region, since = 0, layer = "default", format }: Combination,
): string[] {
  const lines: string[] = [];
  // A revision that the map has not reached is of another map: all cells.
  const from = since > map.revision ? 0 : since;
  map.layer(layer)?.scan((x, y, value, time, revision) => {
    const inside = region === undefined ||
      x >= region.x0 && x <= region.x1 && y >= region.y0 && y <= region.y1;
    if (!inside || revision <= from) return;
    lines.push(lineOf(x, y, value, format === "original" ? NaN : time));
  });
  return lines.sort();
}

function lineOf(x: number, y: number, value: number, time: number): string {
  return Number.isNaN(time)
    ? `${x},${y},${value}`
    : `${x},${y},${value},${time}`;
}

function linesOf({ length, x, y, value, time }: ReadingBatch): string[] {
  return Array.from(
    { length },
    (_, i) => lineOf(x[i]!, y[i]!, value[i]!, time[i]!),
  ).sort();
}

Deno.test({
  name: "requests: replies are exact for 1,200 combinations of fields",
  permissions: "none",
  fn: async () => {
    await using system = await startServer();
    let count = 0;
    for (const fields of combinations(system.revisions)) {
      const transaction = ++count;
      system.link.published.length = 0;
      system.link.handlers.message(incoming(
        "occupancy/request",
        encodeRequest({ ...fields, transaction, replyTo: REPLY_TOPIC }),
      ));
      const what = JSON.stringify(fields);
      const payloads = () =>
        system.link.published.filter(({ topic }) => topic === REPLY_TOPIC)
          .map(({ payload }) => payload);
      await until(() => payloads().length > 0, { what });
      if (fields.format === "original") {
        assert.equal(payloads().length, 1, what);
        const cells = parseOriginal(payloads()[0]!);
        assert.deepEqual(linesOf(cells), expected(system.map, fields), what);
        continue;
      }
      const assembler = new ReplyAssembler();
      let complete = false;
      const received: Uint8Array[] = [];
      await until(() => {
        for (const payload of payloads().slice(received.length)) {
          received.push(payload);
          assert.ok(payload.length <= (fields.maxBytes ?? 256 * 1024), what);
          assert.equal(payload[0] === 0x23, fields.format === "csv", what);
          const part = parseReply(payload);
          assert.ok(part.status === "ok", what);
          assert.equal(part.transaction, transaction);
          assert.equal(part.layer, fields.layer ?? "default");
          assert.equal(part.revision, system.map.revision);
          complete = assembler.add(part);
        }
        return complete;
      }, { what });
      const cells = assembler.cells();
      assert.deepEqual(linesOf(cells), expected(system.map, fields), what);
    }
    assert.equal(count, 5 * 5 * 4 * 4 * 3);
  },
});

Deno.test({
  name: "requests: replies have cells that have become stale or unknown",
  permissions: "none",
  fn: async () => {
    await using system = await startServer();
    const send = async (transaction: number, since: number) => {
      system.link.handlers.message(incoming(
        "occupancy/request",
        encodeRequest({ transaction, since, replyTo: REPLY_TOPIC }),
      ));
      const reply = await until(() =>
        system.link.published.filter(({ topic }) => topic === REPLY_TOPIC)
          .map(({ payload }) => parseReply(payload))
          .find((reply) => reply.transaction === transaction)
      );
      assert.ok(reply.status === "ok");
      return reply;
    };
    let { revision } = await send(1, 0);
    const grid = system.map.layer("default")!;
    for (let n = 2; n < 14; n++) {
      const before = new Map<string, Freshness>();
      grid.scan((x, y, _v, _t, _r, freshness) => {
        before.set(`${x},${y}`, freshness);
      });
      system.clock.now += STALE_AFTER_MS - 1; // before the server's tick
      const reply = await send(n, revision);
      revision = reply.revision;
      assert.equal(reply.time, system.clock.now);
      const received = new Set<string>();
      const { x, y, value, time, length } = reply.cells;
      for (let i = 0; i < length; i++) {
        received.add(`${x[i]},${y[i]}`);
        const age = reply.time - time[i]!;
        if (age > 10 * STALE_AFTER_MS) assert.equal(value[i], -1);
      }
      grid.scan((x, y, value, time, _revision, freshness) => {
        const age = system.clock.now - time;
        const expected = age > 10 * STALE_AFTER_MS
          ? Freshness.Forgotten
          : age > STALE_AFTER_MS
          ? Freshness.Stale
          : Freshness.Fresh;
        assert.equal(freshness, expected, `${x},${y} at ${age}`);
        if (expected === Freshness.Forgotten) assert.equal(value, -1);
        const hasChanged = before.get(`${x},${y}`) !== freshness;
        assert.equal(received.has(`${x},${y}`), hasChanged, `${x},${y}`);
      });
    }
  },
});

for (const kind of BROKERS) {
  Deno.test({
    name:
      `requests over ${kind}: all parts of a reply have one revision while readings arrive`,
    ...needs("mosquitto"),
    fn: async () => {
      const { Connection } = await import("../../src/mqtt/connection.ts");
      const { Requester } = await import("../../src/request/mod.ts");
      const { encodeCsv } = await import("../../src/protocol/mod.ts");
      await using system = await startSystem(kind);
      const load = new Connection({ url: system.url, clientId: "load" });
      await load.open({ message: () => {} });
      const requester = new Requester({
        topics: new Topics(),
        name: "requester",
      });
      const link = new Connection({
        url: system.url,
        clientId: requester.name,
        subscriptions: requester.subscriptions,
      });
      await link.open(requester.handlersFor(link));

      // Each message sets all cells to its number: a revision has one value.
      let done = false;
      const sending = (async () => {
        const batch = new ReadingBatch(CELLS);
        for (let round = 1; !done; round++) {
          batch.clear();
          for (let i = 0; i < CELLS; i++) batch.push(i % 100, i / 100, round);
          await load.publish("occupancy/data", encodeCsv(batch), { qos: 1 });
        }
      })();
      try {
        await until(() => system.map.size === CELLS);
        const revisions = new Set<number>();
        const request = async (maxBytes: number) => {
          const { cells, revision } = await requester.request(link, {
            timeout: 10_000,
            maxBytes,
          });
          assert.equal(cells.length, CELLS);
          const [first] = cells.value;
          for (let i = 0; i < CELLS; i++) assert.equal(cells.value[i], first);
          revisions.add(revision!);
        };
        for (let n = 0; n < 20; n++) {
          await Promise.all([request(1024), request(16_384)]);
        }
        assert.ok(revisions.size > 10, `${revisions.size} revisions`);
      } finally {
        done = true;
        await sending;
        await link.close();
        await load.close();
      }
    },
  });
}
