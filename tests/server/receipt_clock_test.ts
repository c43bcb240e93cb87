/** Dates of readings when the system clock is set, forward or back. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import { describeStep, ReceiptClock } from "../../src/server/receipt_clock.ts";
import { Server } from "../../src/server/mod.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { FakeStore } from "../support/fake_store.ts";
import { until } from "../support/until.ts";
import { fakeOptions, NOW } from "./support.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DATA = "occupancy/data";

/** A server whose clock the test sets, and that can restart with its map. */
class System implements AsyncDisposable {
  now = NOW;
  readonly map: OccupancyMap;
  readonly store = new FakeStore();
  link = new FakeLink();
  server: Server | undefined;

  constructor(ageing: ConstructorParameters<typeof OccupancyMap>[0] = {}) {
    this.map = new OccupancyMap({ maxSkew: 60 * SECOND_MS, ...ageing });
  }

  async start(): Promise<this> {
    await this.server?.stop();
    this.link = new FakeLink();
    this.server = new Server({
      ...fakeOptions(),
      link: this.link,
      store: this.store,
      map: this.map,
      clock: () => this.now,
      changesInterval: 0,
    });
    await this.server.start();
    return this;
  }

  /** Sends a payload and waits for its acknowledgement. */
  async send(payload: string, rest: { retain?: boolean } = {}): Promise<void> {
    const message = incoming(DATA, payload, rest);
    this.link.handlers.message(message);
    await until(() => this.link.acknowledged.includes(message));
  }

  /** Returns a cell. */
  cell(x: number, y: number) {
    return this.map.layer("default")?.get(x, y);
  }

  /** Returns the counts of refused readings since the start, by reason. */
  refused(): Record<string, number> {
    return Object.fromEntries(this.server!.stats.refused);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server?.stop();
  }
}

Deno.test({
  name: "a reading without a time is never late, after any change of the clock",
  permissions: "none",
  fn: async () => {
    const small = fc.integer({ min: 0, max: 2 });
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ x: small, y: small }) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          ...[
            SECOND_MS,
            10 * SECOND_MS,
            59 * SECOND_MS,
            61 * SECOND_MS,
            HOUR_MS,
            DAY_MS,
          ]
            .flatMap((ms) => [{ jump: ms }, { jump: -ms }]),
        ),
      },
      { weight: 1, arbitrary: fc.constant({ restart: true }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 30 }),
        async (steps) => {
          await using system = await new System().start();
          for (const [value, step] of steps.entries()) {
            if ("jump" in step) system.now += step.jump;
            else if ("restart" in step) await system.start();
            else {
              await system.send(`${step.x},${step.y},${value}`);
              assert.equal(system.cell(step.x, step.y)?.value, value);
            }
          }
          assert.deepEqual(system.refused(), {});
        },
      ),
      { numRuns: 60 },
    );
  },
});

Deno.test({
  name: "a clock set back by less than the skew: cells keep their times",
  permissions: "none",
  fn: async () => {
    await using system = await new System().start();
    await system.send("1,2,1");
    system.now -= 30 * SECOND_MS;
    await system.send("1,2,2");
    const { value, time } = system.cell(1, 2)!;
    assert.deepEqual({ value, time }, { value: 2, time: NOW });
    await system.send("5,5,1");
    assert.equal(system.cell(5, 5)?.time, NOW - 30 * SECOND_MS);
    // A reading with a time is compared by that time.
    await system.send(`1,2,3,${NOW - 1}`);
    assert.equal(system.cell(1, 2)?.value, 2);
    assert.deepEqual(system.refused(), { late: 1 });
  },
});

Deno.test({
  name:
    "a sensor whose clock is fast does not block the readings of others: a reading has at most the time of its receipt",
  permissions: "none",
  fn: async () => {
    await using system = await new System().start();
    const fast = NOW + 50 * SECOND_MS;
    await system.send(`1,2,1,${fast}`);
    assert.equal(system.cell(1, 2)?.time, NOW);
    await system.send("1,2,2");
    assert.equal(system.cell(1, 2)?.value, 2);
    await system.send(`1,2,3,${NOW}`);
    assert.equal(system.cell(1, 2)?.value, 3);

    // Within one payload, over HTTP, and retained.
    await system.send(`1,2,4,${fast}\n1,2,5,${NOW}\n1,2,6`);
    assert.equal(system.cell(1, 2)?.value, 6);
    const body = new TextEncoder().encode(`1,2,7,${fast}\n1,3,7,${fast}`);
    await system.server!.submit("default", body);
    await system.send(`1,2,8,${NOW}`);
    assert.equal(system.cell(1, 2)?.value, 8);
    assert.equal(system.cell(1, 3)?.time, NOW);
    await system.send(`1,2,9,${fast}`, { retain: true });
    await system.send(`1,2,10,${NOW}`);
    assert.equal(system.cell(1, 2)?.value, 10);

    system.now += 10 * SECOND_MS;
    await system.send(`1,2,11,${NOW + 9 * SECOND_MS}`);
    assert.deepEqual(system.cell(1, 2)?.time, NOW + 9 * SECOND_MS);
    assert.deepEqual(system.refused(), {});
    await system.send(`1,2,12,${system.now + 60 * SECOND_MS + 1}`);
    assert.deepEqual(system.refused(), { future: 1 });
  },
});

Deno.test({
  name:
    "a reading that waits while the store fails has at most the time of its receipt",
  permissions: "none",
  fn: async () => {
    await using system = await new System().start();
    system.store.failing = true;
    system.link.handlers.message(incoming(DATA, "9,9,9"));
    await until(() => system.server!.storeProblem !== undefined);
    const first = incoming(DATA, `1,2,1,${NOW + 50 * SECOND_MS}`);
    system.link.handlers.message(first);
    system.now += 5 * SECOND_MS;
    const second = incoming(DATA, "1,2,2");
    system.link.handlers.message(second);
    system.now += 5 * SECOND_MS;
    system.store.failing = false;
    await until(() => system.link.acknowledged.includes(second));
    const { value, time } = system.cell(1, 2)!;
    assert.deepEqual([value, time], [2, NOW + 5 * SECOND_MS]);
    assert.deepEqual(system.refused(), {});
  },
});

Deno.test({
  name:
    "a reading without a time on a cell ahead of the clock is accepted, before and after a restart",
  permissions: "none",
  fn: async () => {
    await using system = await new System().start();
    await system.send("1,2,1");
    for (const restart of [false, true]) {
      system.now = NOW - 30 * SECOND_MS; // the clock was set back
      if (restart) await system.start();
      await system.send("1,2,2");
      assert.equal(system.cell(1, 2)?.value, 2);
      // So is one whose clock was not set back: it is as far ahead.
      await system.send(`1,2,3,${NOW}`);
      assert.equal(system.cell(1, 2)?.value, 3);
      assert.equal(system.cell(1, 2)?.time, NOW);
      assert.deepEqual(system.refused(), {});
      // The order of two times ahead of the clock is still known.
      await system.send(`1,2,4,${NOW - 1}`);
      assert.equal(system.cell(1, 2)?.value, 3);
      assert.deepEqual(system.refused(), { late: 1 });
    }
  },
});

Deno.test({
  name:
    "a clock that is a day ahead for a while: cells age, then are fresh again",
  permissions: "none",
  fn: async () => {
    await using system = await new System({
      staleAfter: HOUR_MS,
      forgetAfter: 12 * HOUR_MS,
    }).start();
    const freshness = () => {
      const { fresh, stale, forgotten } = countsOf(system.map);
      return { fresh, stale, forgotten };
    };
    await system.send("1,2,1\n3,4,0");
    const before = system.map.revision;
    system.now += DAY_MS;
    await aged(system);
    assert.deepEqual(freshness(), { fresh: 0, stale: 0, forgotten: 2 });
    assert.equal(system.cell(1, 2)?.value, -1, "unknown, not free");
    assert.ok(system.map.revision > before);

    await system.send("3,4,5");
    assert.deepEqual(freshness(), { fresh: 1, stale: 0, forgotten: 1 });
    system.now -= DAY_MS;
    await aged(system);
    assert.deepEqual(freshness(), { fresh: 2, stale: 0, forgotten: 0 });
    assert.equal(system.cell(1, 2)?.value, 1, "nothing was lost");

    await system.send(`3,4,6,${NOW}`);
    assert.equal(system.cell(3, 4)?.value, 6, "a time in the future loses");
    assert.equal(system.cell(3, 4)?.time, NOW);
    assert.deepEqual(system.refused(), {});
  },
});

Deno.test({
  name:
    "a clock that is a day behind: readings with times are refused as future",
  permissions: "none",
  fn: async () => {
    await using system = await new System().start();
    system.now -= DAY_MS;
    await system.send(`1,2,1,${NOW}\n1,3,1`);
    assert.equal(system.cell(1, 2), undefined);
    assert.equal(system.cell(1, 3)?.value, 1);
    assert.deepEqual(system.refused(), { future: 1 });
    const [report] = system.link.textsOn("occupancy/errors");
    assert.match(report!, /observed in the future: check the sender's clock/);
  },
});

Deno.test({
  name:
    "times in seconds, negative or as strings are refused with a hint, other readings accepted",
  permissions: "none",
  fn: async () => {
    await using system = await new System().start();
    const seconds = NOW / 1000;
    await system.send(
      `1,1,1,${seconds}\n2,1,1,-5\n3,1,1,yesterday\n4,1,1,${NOW}000\n5,1,1`,
    );
    await system.send(
      `{"cells":[[1,2,1,"${NOW}"],[2,2,1,"2025-10-09T08:53:20Z"],[3,2,1,${NOW}]]}`,
    );
    assert.deepEqual(system.refused(), { "bad-time": 5 });
    assert.equal(countsOf(system.map).cells, 3);
    const reports = system.link.textsOn("occupancy/errors")
      .map((text) => JSON.parse(text));
    assert.deepEqual(reports.map(({ line, count }) => [line, count]), [
      [1, 4],
      [1, 1],
    ]);
    assert.match(
      reports[0].message,
      /looks like seconds: send milliseconds since 1970/,
    );
    assert.match(reports[1].message, /is a string: send the number/);
  },
});

Deno.test({
  name: "a retained reading is dated with its time, and refused without one",
  permissions: "none",
  fn: async () => {
    await using system = await new System({ staleAfter: HOUR_MS }).start();
    await system.send(`1,2,1,${NOW - 2 * HOUR_MS}\n1,3,7`, { retain: true });
    assert.deepEqual(countsOf(system.map).stale, 1);
    assert.equal(system.cell(1, 3), undefined);
    assert.deepEqual(system.refused(), { retained: 1 });
  },
});

Deno.test({
  name: "ReceiptClock.checkStep() returns by how much the clock was set",
  permissions: "none",
  fn: () => {
    let wall = NOW;
    let ticks = 0;
    const steps: number[] = [];
    const clock = new ReceiptClock(new OccupancyMap(), {
      clock: () => wall,
      monotonic: () => ticks,
    });
    const advance = (ms: number, set = 0) => {
      ticks += ms;
      wall += ms + set;
      const step = clock.checkStep();
      if (step !== undefined) steps.push(step);
    };
    for (let i = 0; i < 100; i++) advance(SECOND_MS, 20);
    advance(DAY_MS);
    assert.deepEqual(steps, []);
    advance(SECOND_MS, HOUR_MS);
    advance(SECOND_MS);
    advance(SECOND_MS, -2 * HOUR_MS);
    advance(SECOND_MS);
    assert.deepEqual(steps, [HOUR_MS, -2 * HOUR_MS]);
    assert.match(describeStep(HOUR_MS), /set forward by 3600 s/);
    assert.match(describeStep(-HOUR_MS), /set back by 3600 s/);
  },
});

function countsOf(map: OccupancyMap) {
  const counts = { cells: 0, fresh: 0, stale: 0, forgotten: 0 };
  map.layer("default")?.scan((_x, _y, _value, _time, _revision, freshness) => {
    counts.cells++;
    counts[(["fresh", "stale", "forgotten"] as const)[freshness]]++;
  });
  return counts;
}

/** Sends a request: the server ages the cells before it replies. */
async function aged({ link }: System): Promise<void> {
  const before = link.published.length;
  link.handlers.message(incoming("occupancy/request", "{}"));
  await until(() => link.published.length > before);
}

Deno.test({
  name:
    "in a group, a reading that waited while the server stood still wins over no later one",
  permissions: "none",
  fn: () => {
    const map = new OccupancyMap();
    const batch = new ReadingBatch();
    batch.push(1, 2, 7, NOW, undefined);
    map.apply("l", batch, NOW);
    for (const isGroup of [false, true]) {
      const clock = new ReceiptClock(map, { clock: () => NOW, isGroup });
      const dated = () => clock.dateReading("l", 1, 2, "t", NOW);
      assert.equal(dated(), NOW);
      clock.markStalled(NOW - SECOND_MS);
      assert.equal(dated(), isGroup ? NOW - SECOND_MS : NOW);
      clock.markSocketsRead();
      clock.markCaughtUp();
      assert.equal(dated(), NOW);
    }
  },
});
