import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Complaint,
  describeComplaint,
  Reports,
} from "../../src/server/reports.ts";
import { FakeClock } from "../support/fake_clock.ts";

interface Sent {
  readonly code: string;
  readonly count: number;
  readonly suppressed: number;
  readonly time: number;
  readonly at: number;
}

function reports(clock: FakeClock) {
  const sent: Sent[] = [];
  const logged: string[] = [];
  const reports = new Reports({
    publish: (payload) =>
      sent.push({
        ...JSON.parse(new TextDecoder().decode(payload)),
        at: clock.now,
      }),
    log: (complaint, suppressed) =>
      logged.push(describeComplaint(complaint, suppressed)),
    clock: () => clock.now,
  });
  return { reports, sent, logged };
}

function complaint(count = 1, code = "bad-x"): Complaint {
  return { topic: "occupancy/data", code, message: "x is empty", count };
}

Deno.test({
  name: "Reports.add() publishes ten a second, and counts the rest in the next",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { reports: it, sent, logged } = reports(clock);
    for (let i = 0; i < 25; i++) it.add(complaint());
    assert.equal(sent.length, 10);
    clock.tick(1000);
    assert.equal(sent.length, 11);
    assert.deepEqual([sent[10]!.count, sent[10]!.suppressed], [1, 14]);
    assert.equal(logged.length, 11);
    assert.match(logged[10]!, /14 more not shown$/);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name: "Reports.add() in the next second takes what was held back along",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { reports: it, sent } = reports(clock);
    for (let i = 0; i < 10; i++) it.add(complaint());
    clock.tick(500);
    it.add(complaint(3)); // held back until 1.5 s
    clock.tick(600);
    it.add(complaint(2, "late"));
    const { code, count, suppressed } = sent[10]!;
    assert.deepEqual([code, count, suppressed], ["late", 2, 3]);
    clock.tick(5000);
    assert.equal(sent.length, 11);
  },
});

Deno.test({
  name: "Reports.add() is not stopped by a clock that jumps back",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { reports: it, sent } = reports(clock);
    for (let i = 0; i < 10; i++) it.add(complaint());
    clock.now -= 86_400_000;
    it.add(complaint());
    assert.equal(sent.length, 11);
  },
});

Deno.test({
  name: "Reports.flush() publishes what is held back; close() forgets it",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { reports: it, sent } = reports(clock);
    for (let i = 0; i < 12; i++) it.add(complaint());
    it.flush();
    assert.equal(sent.length, 11);
    it.flush();
    assert.equal(sent.length, 11);
    it.add(complaint());
    it.close();
    assert.equal(clock.pending, 0);
    clock.tick(10_000);
    it.flush();
    assert.equal(sent.length, 11);
  },
});

Deno.test({
  name: "Reports: at any pace all are counted once, at a bounded rate",
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
        const { reports: it, sent } = reports(clock);
        let total = 0;
        for (const [wait, count] of arrivals) {
          clock.tick(wait);
          it.add(complaint(count));
          total += count;
        }
        clock.tick(2000);
        const counted = sent.reduce(
          (sum, { count, suppressed }) => sum + count + suppressed,
          0,
        );
        assert.equal(counted, total);
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
  name: "describeComplaint() says it in one line",
  permissions: "none",
  fn: () => {
    const full = { ...complaint(3), line: 7, source: "north" };
    assert.equal(
      describeComplaint(full, 2),
      "Refused on occupancy/data, row 7: x is empty [bad-x] (3 times); 2 more not shown",
    );
    assert.equal(
      describeComplaint(complaint(), 0),
      "Refused on occupancy/data: x is empty [bad-x]",
    );
  },
});
