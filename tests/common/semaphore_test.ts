import assert from "node:assert/strict";
import { Semaphore } from "../../src/common/semaphore.ts";

Deno.test({
  name:
    "Semaphore starts work in order, within its maximum; heavier runs alone",
  permissions: "none",
  fn: async () => {
    const semaphore = new Semaphore(10);
    const started: string[] = [];
    const ends = new Map<string, PromiseWithResolvers<void>>();
    const run = (name: string, weight: number) => {
      ends.set(name, Promise.withResolvers());
      return semaphore.run(weight, () => {
        started.push(name);
        return ends.get(name)!.promise;
      });
    };
    const end = async (name: string) => {
      ends.get(name)!.resolve();
      await new Promise((resolve) => setTimeout(resolve));
    };
    const all = [run("a", 6), run("b", 4), run("heavy", 99), run("c", 1)];
    await end("a");
    assert.deepEqual(started, ["a", "b"], "the heavy one waits for both");
    await end("b");
    assert.deepEqual(started, ["a", "b", "heavy"]);
    await end("heavy");
    assert.deepEqual(started, ["a", "b", "heavy", "c"]);
    await end("c");
    await Promise.all(all);
  },
});

Deno.test({
  name: "Semaphore passes on results and errors, and continues after an error",
  permissions: "none",
  fn: async () => {
    const semaphore = new Semaphore(1);
    await assert.rejects(
      semaphore.run(1, () => Promise.reject(new Error("failed"))),
      /failed/,
    );
    assert.equal(await semaphore.run(5, () => Promise.resolve(7)), 7);
  },
});
