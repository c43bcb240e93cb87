/** Budgets: who loses its share, who waits, who is served first. */
import assert from "node:assert/strict";
import { LimitCounts } from "../../src/common/limit_counts.ts";
import { Budget } from "../../src/http/budget.ts";
import { Exchange } from "../../src/http/exchange.ts";
import { FairTurns } from "../../src/http/fair_turns.ts";

/** A budget of three, with a clock that the test sets. */
function setUp(replaceAfterMs?: number) {
  const clock = { ms: 0 };
  const now = () => clock.ms;
  const reached = new LimitCounts();
  const budget = new Budget({
    waitMs: 300,
    name: "http-streams",
    max: 3,
    reached,
    replaceAfterMs,
    now,
  });
  const cut: string[] = [];
  const open = (name: string, address = "10.0.0.1") => {
    const exchange = new Exchange(address, {
      now,
      graceMs: 1000,
      minBytesPerSecond: 1000,
    });
    exchange.onCut = () => cut.push(name);
    return exchange;
  };
  return { clock, budget, reached, cut, open };
}

Deno.test({
  name: "Exchange: a client is slow after its grace and the time of its bytes",
  permissions: "none",
  fn: () => {
    const { clock, open } = setUp();
    const exchange = open("a");
    assert.equal(exchange.slowAt, Infinity);
    exchange.waitForClient();
    assert.equal(exchange.slowAt, 1000);
    clock.ms = 400;
    exchange.clientProgressed(200);
    assert.equal(exchange.slowAt, Infinity);
    clock.ms = 5000; // the server worked
    exchange.waitForClient();
    assert.equal(exchange.slowAt, 5000 + 1000); // the grace came back
    // One byte a second lets the credit run out.
    for (let byte = 0; byte < 3; byte++) {
      clock.ms += 1000;
      exchange.clientProgressed(1);
      exchange.waitForClient();
    }
    assert.ok(exchange.slowAt < clock.ms);
  },
});

Deno.test({
  name: "Budget: the client that is slow for the longest time loses its share",
  permissions: "none",
  fn: () => {
    const { clock, budget, reached, cut, open } = setUp();
    const shares = ["a", "b", "c"].map((name, index) => {
      const exchange = open(name);
      const share = budget.tryTake(exchange, 1);
      clock.ms = index * 10;
      exchange.waitForClient();
      return share;
    });
    assert.equal(budget.tryTake(open("d"), 1), undefined); // all in their grace
    assert.equal(reached.of("http-streams"), 1);
    clock.ms = 1005;
    assert.ok(budget.tryTake(open("d"), 1));
    assert.deepEqual(cut, ["a"]);
    assert.equal(reached.of("http-streams"), 2);
    shares[0]!.release(); // it was cut: nothing to free
    assert.equal(budget.used, 3);
    assert.equal(shares[1]!.tryResize(2), false); // c is not slow yet
    clock.ms = 2000;
    assert.equal(shares[1]!.tryResize(2), true);
    assert.deepEqual(cut, ["a", "c"]); // never its own share
    assert.equal(shares[2]!.tryResize(0), false);
    shares[1]!.release();
    shares[1]!.release();
    assert.equal(budget.used, 1);
  },
});

Deno.test({
  name: "Budget: a client for which the server works is never slow",
  permissions: "none",
  fn: () => {
    const { clock, budget, cut, open } = setUp();
    for (const name of ["a", "b", "c"]) budget.tryTake(open(name), 1);
    clock.ms = 1e6;
    assert.equal(budget.tryTake(open("d"), 1), undefined);
    assert.deepEqual(cut, []);
  },
});

Deno.test({
  name:
    "Budget: an old share of the address with the most goes to a new client",
  permissions: "none",
  fn: () => {
    const { clock, budget, cut, open } = setUp(60_000);
    budget.tryTake(open("other", "10.0.0.2"), 1);
    clock.ms = 1000;
    budget.tryTake(open("first"), 1);
    budget.tryTake(open("second"), 1);
    clock.ms = 61_000;
    assert.equal(budget.tryTake(open("early"), 1), undefined);
    clock.ms = 61_001;
    assert.ok(budget.tryTake(open("new", "10.0.0.2"), 1));
    assert.deepEqual(cut, ["first"]);
    // Now 10.0.0.2 has more.
    assert.ok(budget.tryTake(open("again"), 1));
    assert.deepEqual(cut, ["first", "other"]);
  },
});

Deno.test({
  name: "Budget: the address that holds the least is served first",
  permissions: "none",
  fn: async () => {
    const { budget, open } = setUp();
    const held = ["a", "b", "c"].map((name) => budget.tryTake(open(name), 1)!);
    const order: string[] = [];
    const waiting = [["d", "10.0.0.1"], ["e", "10.0.0.1"], ["f", "10.0.0.2"]]
      .map(async ([name, address]) => {
        const share = await budget.take(open(name!, address), 1);
        assert.ok(share);
        order.push(name!);
        return share;
      });
    held[0]!.release();
    await waiting[2];
    held[1]!.release();
    held[2]!.release();
    await Promise.all(waiting);
    assert.deepEqual(order, ["f", "d", "e"]);
    assert.equal(budget.used, 3);
  },
});

Deno.test({
  name: "Budget: a wait ends at its time limit, or when a client becomes slow",
  permissions: "none",
  fn: async () => {
    const { clock, budget, cut, open } = setUp();
    for (const name of ["a", "b", "c"]) {
      const exchange = open(name);
      budget.tryTake(exchange, 1);
      exchange.waitForClient();
    }
    assert.equal(await budget.take(open("d"), 1), undefined);
    const share = budget.take(open("e"), 1);
    clock.ms = 1001;
    assert.ok(await share);
    assert.deepEqual(cut, ["a"]);
  },
});

Deno.test({
  name: "Budget: many waiting clients of one address do not exclude another",
  permissions: "none",
  fn: async () => {
    const { budget, open } = setUp();
    const held = budget.tryTake(open("a"), 3)!;
    const waiting = Array.from(
      { length: 65 },
      (_, index) => budget.take(open(String(index)), 1),
    );
    assert.equal(await waiting[64], undefined); // at most 64 wait
    const other = budget.take(open("other", "10.0.0.2"), 1);
    assert.equal(await waiting[63], undefined);
    held.release();
    assert.ok(await other);
    for (let index = 0; index < 63; index++) {
      (await waiting[index])!.release();
      if (index === 0) (await other)!.release();
    }
  },
});

Deno.test({
  name: "FairTurns: addresses take turns, and other work runs in between",
  permissions: "none",
  fn: async () => {
    const turns = new FairTurns();
    const order: string[] = [];
    const run = (address: string, name: string) =>
      turns.run(address, () => void order.push(name));
    await Promise.all([
      run("a", "a1"),
      run("a", "a2"),
      run("a", "a3"),
      run("b", "b1"),
      run("b", "b2"),
    ]);
    assert.deepEqual(order, ["a1", "b1", "a2", "b2", "a3"]);
    await assert.rejects(
      turns.run("a", () => {
        throw new Error("failed");
      }),
      /failed/,
    );
    // A timer fires long before the work of 100 long pieces is done.
    let done = 0;
    const work = Promise.all(
      Array.from({ length: 100 }, () =>
        turns.run("a", () => {
          const end = performance.now() + 2;
          while (performance.now() < end);
          done++;
        })),
    );
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.ok(done < 50, String(done));
    await work;
  },
});
