/** A run of messages has the same effects as its messages one by one. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { Incoming } from "../../src/mqtt/link.ts";
import type { ServerOptions } from "../../src/server/context.ts";
import { Pipeline } from "../../src/server/pipeline.ts";
import type { RefusedInput } from "../../src/server/reports.ts";
import { Server } from "../../src/server/mod.ts";
import { FakeLink, incoming, incomingRun } from "../support/fake_link.ts";
import { FakeStore } from "../support/fake_store.ts";
import { BAD_READINGS } from "../support/bad_payloads.ts";
import { until } from "../support/until.ts";
import { fakeContext, fakeOptions, NOW } from "./support.ts";

/** Messages to one topic. */
interface Messages {
  readonly topic: string;
  readonly payloads: readonly (string | Uint8Array)[];
  readonly rest: Partial<Pick<Incoming, "qos" | "retain" | "contentType">>;
}

/** A pipeline without a server, and what it does. */
class System {
  readonly link = new FakeLink();
  readonly store = new FakeStore({ durable: true });
  readonly map = new OccupancyMap({ maxSkew: 60_000 });
  readonly reports: RefusedInput[] = [];
  readonly context;
  readonly pipeline: Pipeline;

  constructor(options: Partial<ServerOptions>) {
    const { link, store, map } = this;
    this.context = fakeContext({ ...options, link, store, map });
    this.pipeline = new Pipeline(this.context, {
      addReadings: (refused) => this.reports.push(refused),
    }, {
      onReceive: () => {},
      onRequest: () => {},
      onLayerGone: () => {},
      onApplied: () => {},
      onReloaded: () => {},
      onStoreProblem: () => {},
    });
  }

  /** All that clients, operators and a restart can see. */
  get effects() {
    const cells = [...this.map.layers()].map(([layer, grid]) => {
      const found: unknown[] = [];
      grid.scan((...cell) => found.push(cell));
      return [layer, found];
    });
    const { stats } = this.context.telemetry;
    const { journal } = this.store;
    const { reports } = this;
    return { cells, stats, journal, reports, revision: this.map.revision };
  }
}

const number = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(999_999_999, 1_000_000_000, 2 ** 31 - 1, -(2 ** 31), 2 ** 31),
);
const time = fc.constantFrom(
  ...["", `,${NOW}`, `,${NOW - 5000}`, `,${NOW - 20_000}`, `,${NOW + 500}`],
  ...[`,${NOW + 70_000}`, ",5", ",2025-10-09T08:53:20Z", ","],
);
const row = fc.tuple(number, number, number, time).map(
  ([x, y, value, time]) => `${x},${y},${value}${time}`,
);
const lineEnd = fc.constantFrom("", "\n", "\r\n", "\n\n", " \n");
const payload = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(row, lineEnd).map((parts) => parts.join("")),
  },
  { weight: 2, arbitrary: fc.array(row).map((rows) => rows.join("\n")) },
  fc.tuple(number, number, number).map(([x, y, value]) =>
    JSON.stringify({ x, y, value, source: `s${x}` })
  ),
  fc.array(row).map((rows) => `x,y,value,time\n${rows.join("\n")}`),
  fc.constantFrom("", "\ufeff1,2,1", " 1,2,1", "1\t2\t1", "+1,2,1", "1,2,1,"),
  fc.constantFrom(...BAD_READINGS.flatMap(([, payloads]) => payloads)),
);
const messages: fc.Arbitrary<Messages> = fc.record({
  topic: fc.constantFrom(
    ...["occupancy/data", "occupancy/data/default", "occupancy/data/a"],
    ...["occupancy/data/b", "occupancy/data/a//b"],
  ),
  payloads: fc.array(payload, { minLength: 1, maxLength: 12 }),
  rest: fc.record({
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.oneof(
      { weight: 3, arbitrary: fc.constant(false) },
      fc.boolean(),
    ),
    contentType: fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      fc.constantFrom(
        ...["text/csv", "TEXT/CSV; charset=utf-8", "application/json"],
        ...["text/tab-separated-values", "application/x-ndjson"],
        ...["multipart/form-data", "text/plain"],
      ),
    ),
  }),
});

Deno.test({
  name:
    "a run makes the same map, reports, counts and journal as its messages one by one",
  permissions: "none",
  fn: () => {
    const limits = fc.record({
      maxPayload: fc.constantFrom(20, 1000),
      maxLayers: fc.constantFrom(1, 10),
      maxCells: fc.constantFrom(4, Infinity),
      isUncertain: fc.boolean(),
    });
    fc.assert(fc.property(
      fc.array(fc.array(messages, { maxLength: 6 }), { maxLength: 4 }),
      limits,
      (groups, { maxCells, isUncertain, ...options }) => {
        const cellLimits = { maxCells };
        const [byRun, byMessage] = [
          new System({ ...options, cellLimits }),
          new System({ ...options, cellLimits }),
        ];
        for (const { context, pipeline } of [byRun, byMessage]) {
          pipeline.push(incoming("occupancy/data/a", `1,1,1,${NOW - 10_000}`));
          pipeline.flush();
          if (isUncertain) context.clock.markDisconnected(NOW - 15_000);
        }
        for (const group of groups) {
          for (const { topic, payloads, rest } of group) {
            byRun.pipeline.push(incomingRun(topic, payloads, rest));
            for (const payload of payloads) {
              byMessage.pipeline.push(incoming(topic, payload, rest));
            }
          }
          assert.ok(byRun.pipeline.flush());
          assert.ok(byMessage.pipeline.flush());
          assert.deepEqual(byRun.effects, byMessage.effects);
        }
      },
    ));
  },
});

Deno.test({
  name: "a refused reading of a run is reported with its line and source",
  permissions: "none",
  fn: () => {
    const { pipeline, reports } = new System({});
    pipeline.push(incomingRun("occupancy/data/a", [
      `1,1,1,${NOW}`,
      "1,2,1\n1,three,1",
      `1,1,1,${NOW}\n1,1,0,${NOW - 1}`,
      JSON.stringify({ x: 1, y: 1, value: 0, time: NOW - 1, source: "s" }),
      "hello",
    ]));
    pipeline.flush();
    assert.deepEqual(
      reports.map(({ topic, code, line, source }) => [
        topic,
        code,
        line,
        source,
      ]),
      [
        ["occupancy/data/a", "bad-y", 2, undefined],
        ["occupancy/data/a", "bad-fields", 1, undefined],
        ["occupancy/data/a", "late", 2, undefined],
        ["occupancy/data/a", "late", 1, "s"],
      ],
    );
  },
});

Deno.test({
  name: "a large run takes several turns, also with a large message in it",
  permissions: "none",
  fn: async () => {
    const row = (_: unknown, i: number) =>
      `${i % 1000},${Math.floor(i / 1000)},1`;
    const single = Array.from({ length: 40_000 }, row);
    const large = Array.from({ length: 80_000 }, row).join("\n");
    const run = incomingRun("occupancy/data", [...single, large, "0,0,7"]);
    const { pipeline, link, map, store, context } = new System({});
    pipeline.push(run);
    await until(() => link.acknowledged.length > 0);
    assert.deepEqual(link.acknowledged, [run]);
    assert.equal(map.size, 80_000);
    assert.equal(map.layer("default")!.get(0, 0)!.value, 7);
    assert.equal(context.telemetry.stats.messages, 40_002);
    assert.ok(store.journal.length > 10, "entries are small");
  },
});

Deno.test({
  name: "while the store fails runs wait, and at QoS 0 too many are refused",
  permissions: "none",
  fn: async () => {
    const { pipeline, link, store, map, reports, context } = new System({});
    store.failing = true;
    const first = incomingRun("occupancy/data", ["1,1,1"]);
    pipeline.push(first);
    assert.equal(pipeline.flush(), false);
    const space = " ".repeat(1024 * 1024);
    const waiting = Array.from(
      { length: 33 },
      () =>
        incomingRun("occupancy/data", ["2,2,2", "3,3,3" + space], { qos: 0 }),
    );
    for (const run of waiting) pipeline.push(run);
    assert.deepEqual(link.acknowledged, waiting.slice(32));
    assert.deepEqual(
      reports.map(({ code, count }) => [code, count]),
      [["overloaded", 2]],
    );
    const last = incomingRun("occupancy/data", ["4,4,4"]); // at QoS 1
    pipeline.push(last);
    store.failing = false;
    await until(() => link.acknowledged.includes(last));
    assert.deepEqual(
      link.acknowledged,
      [waiting[32], first, ...waiting.slice(0, 32), last],
    );
    assert.equal(map.size, 3);
    assert.equal(context.telemetry.stats.messages, 2 * 33 + 2);
  },
});

Deno.test({
  name: "Server handles runs in order with messages",
  permissions: "none",
  fn: async () => {
    const options = fakeOptions();
    const { link, map } = options;
    const server = new Server(options);
    await server.start();
    try {
      const run = incomingRun("occupancy/data", ["1,1,1", "2,2,2"]);
      link.handlers.message(incoming("occupancy/data", "1,1,5"));
      link.handlers.run!(run);
      link.handlers.message(incoming("occupancy/data", "2,2,5"));
      await until(() => link.acknowledged.length === 3);
      assert.equal(link.acknowledged[1], run);
      const values = [1, 2].map((x) => map.layer("default")!.get(x, x)!.value);
      assert.deepEqual(values, [1, 5]);
    } finally {
      await server.stop();
    }
  },
});
