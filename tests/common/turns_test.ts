/** Long work shares the turns of the event loop. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import {
  inTurns,
  MAX_TURN_MS,
  settled,
  type WaitingWork,
} from "../../src/common/turns.ts";

function test(name: string, fn: () => Promise<void>) {
  Deno.test({ name, permissions: "none", fn });
}

/** Work of steps that take a millisecond each. */
function* work(
  steps: number,
  onStep: () => void = () => {},
): Generator<void, number, void> {
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    while (performance.now() - start < 1);
    onStep();
    yield;
  }
  return steps;
}

test("works of inTurns() at the same time take no more of a turn than one", async () => {
  let steps = 0;
  let most = 0;
  const works = Array.from(
    { length: 30 },
    () => inTurns(work(20, () => steps++)),
  );
  let isDone = false;
  const results = Promise.all(works).finally(() => isDone = true);
  steps = 0; // the first step of each is done at once
  while (!isDone) {
    await setImmediate();
    most = Math.max(most, steps);
    steps = 0;
  }
  assert.deepEqual(new Set(await results), new Set([20]));
  assert.ok(most <= 2 * MAX_TURN_MS, `${most} steps in a turn`);
});

test("a short work of inTurns() does not wait for the end of a long one", async () => {
  const ended: string[] = [];
  const note = (name: string) => () => void ended.push(name);
  await Promise.all([
    inTurns(work(200)).then(note("long")),
    inTurns(work(5)).then(note("short")),
  ]);
  assert.deepEqual(ended, ["short", "long"]);
});

test("inTurns() rejects with the error of the work, and others continue", async () => {
  function* failing(): Generator<void, number, void> {
    yield;
    throw new RangeError("broken");
  }
  const good = inTurns(work(5));
  await assert.rejects(inTurns(failing()), /broken/);
  assert.equal(await good, 5);
});

test("a work of inTurns() waits for what is not there yet, and others continue", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  function* waiting(): WaitingWork<string> {
    const first = yield* settled("one");
    return `${first} ${yield* settled(promise)}`;
  }
  let isDone = false;
  const result = inTurns(waiting()).finally(() => isDone = true);
  assert.equal(await inTurns(work(5)), 5);
  assert.equal(isDone, false);
  resolve("two");
  assert.equal(await result, "one two");
});

test("settled() takes no step for what is there, and throws in the work", async () => {
  const { done, value } = settled(7).next();
  assert.deepEqual([done, value], [true, 7]);
  function* caught(): WaitingWork<string> {
    try {
      return yield* settled(Promise.reject(new RangeError("no rows")));
    } catch (error) {
      return (error as Error).message;
    }
  }
  assert.equal(await inTurns(caught()), "no rows");
  const failing = inTurns(settled(Promise.reject(new RangeError("no rows"))));
  await assert.rejects(failing, /no rows/);
});
