import assert from "node:assert/strict";
import fc from "fast-check";
import {
  describeRefused,
  type RefusedInput,
  Reports,
} from "../../src/server/reports.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink } from "../support/fake_link.ts";
import { fakeContext } from "./support.ts";

interface Sent {
  readonly code: string;
  readonly count: number;
  readonly suppressed: number;
  readonly time: number;
  readonly at: number;
}

/** A link that records when each report was published. */
class ReportLink extends FakeLink {
  readonly sent: Sent[] = [];

  constructor(readonly clock: FakeClock) {
    super();
  }

  override publish(_topic: string, payload: Uint8Array): Promise<void> {
    const report = JSON.parse(new TextDecoder().decode(payload));
    this.sent.push({ ...report, at: this.clock.now });
    return Promise.resolve();
  }
}

function start(clock: FakeClock) {
  const log: string[] = [];
  const link = new ReportLink(clock);
  const context = fakeContext({ link, clock: () => clock.now }, log);
  const reports = new Reports(context);
  return { reports, sent: link.sent, log, stats: context.telemetry.stats };
}

function refused(count = 1, code = "bad-x"): RefusedInput {
  return { topic: "occupancy/data", code, message: "x is empty", count };
}

Deno.test({
  name:
    "Reports.add() publishes ten reports a second; the next one counts the others",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { reports, sent, log, stats } = start(clock);
    for (let i = 0; i < 25; i++) reports.add(refused());
    assert.equal(sent.length, 10);
    clock.tick(1000);
    assert.equal(sent.length, 11);
    assert.deepEqual([sent[10]!.count, sent[10]!.suppressed], [1, 14]);
    assert.equal(log.length, 25, "the log limits them");
    assert.equal(clock.pending, 0);
    assert.equal(stats.refused.get("bad-x"), 25);
  },
});

Deno.test({
  name: "Reports.add() includes the suppressed count in the next second",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { reports, sent } = start(clock);
    for (let i = 0; i < 10; i++) reports.add(refused());
    clock.tick(500);
    reports.add(refused(3)); // kept until 1.5 s
    clock.tick(600);
    reports.add(refused(2, "late"));
    const { code, count, suppressed } = sent[10]!;
    assert.deepEqual([code, count, suppressed], ["late", 2, 1]);
    clock.tick(5000);
    assert.equal(sent.length, 11);
  },
});

Deno.test({
  name: "Reports.add() continues after the clock was set back",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { reports, sent } = start(clock);
    for (let i = 0; i < 10; i++) reports.add(refused());
    clock.now -= 86_400_000;
    reports.add(refused());
    assert.equal(sent.length, 11);
  },
});

Deno.test({
  name: "Reports.flush() publishes what is suppressed; close() drops it",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { reports, sent } = start(clock);
    for (let i = 0; i < 12; i++) reports.add(refused());
    reports.flush();
    assert.equal(sent.length, 11);
    reports.flush();
    assert.equal(sent.length, 11);
    reports.add(refused());
    reports.close();
    assert.equal(clock.pending, 0);
    clock.tick(10_000);
    reports.flush();
    assert.equal(sent.length, 11);
  },
});

Deno.test({
  name:
    "Reports keeps the latest report of each topic and source, up to a hundred",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { reports, sent } = start(clock);
    for (let i = 0; i < 500; i++) reports.add(refused());
    reports.add({ ...refused(7), source: "me" });
    reports.add({ ...refused(8), topic: "occupancy/data/l2" });
    assert.equal(sent.length, 10);
    reports.publishKept(); // before a reply
    assert.deepEqual(
      sent.slice(10).map(({ count, suppressed }) => [count, suppressed]),
      [[1, 489], [7, 0], [8, 0]],
    );
    for (let i = 0; i < 150; i++) {
      reports.add({ ...refused(), source: `s${i}` });
    }
    reports.publishKept();
    assert.equal(sent.length, 113);
    assert.equal(sent[13]!.suppressed, 50);
    clock.tick(1000);
    assert.equal(sent.length, 113);
  },
});

Deno.test({
  name:
    "Reports publishes or counts each report once and limits the rate, at any pace",
  permissions: "none",
  fn: () => {
    const wait = fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      fc.nat(700),
    );
    fc.assert(fc.property(
      fc.array(fc.tuple(wait, fc.integer({ min: 1, max: 1000 })), {
        maxLength: 200,
      }),
      (arrivals) => {
        using clock = new FakeClock();
        const { reports, sent } = start(clock);
        for (const [wait, count] of arrivals) {
          clock.tick(wait);
          reports.add(refused(count));
        }
        clock.tick(2000);
        const counted = sent.reduce(
          (sum, { suppressed }) => sum + 1 + suppressed,
          0,
        );
        assert.equal(counted, arrivals.length);
        for (const { at } of sent) {
          const within = sent.filter((other) =>
            other.at >= at && other.at < at + 1000
          );
          assert.ok(within.length <= 21, `${within.length} in a second`);
        }
      },
    ));
  },
});

Deno.test({
  name: "describeRefused() returns one line",
  permissions: "none",
  fn: () => {
    const full = { ...refused(3), line: 7, source: "north" };
    assert.equal(
      describeRefused(full),
      'Refused on occupancy/data, row 7, of "north": x is empty [bad-x] (3 times)',
    );
    const escape = { ...refused(), topic: "data/\x1b[2J", source: "\x1b[m" };
    assert.equal(
      describeRefused(escape),
      'Refused on data/\\x1b[2J, of "\\x1b[m": x is empty [bad-x]',
    );
    assert.equal(
      describeRefused(refused()),
      "Refused on occupancy/data: x is empty [bad-x]",
    );
  },
});
