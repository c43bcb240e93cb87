/** Keys of three integers. */
import assert from "node:assert/strict";
import { KeyTable } from "../../src/grid/mod.ts";
import { randomIntegers } from "../support/random.ts";

Deno.test("KeyTable numbers keys as a Map does, also after it was cleared", () => {
  const random = randomIntegers(7);
  const table = new KeyTable();
  for (const size of [10, 5000, 300]) {
    table.clear();
    assert.equal(table.length, 0);
    const expected = new Map<string, number>();
    for (let i = 0; i < 3 * size; i++) {
      const number = () => random(2 * size) - size;
      const key: [number, number, number] = [number(), number(), number()];
      if (i % 5 === 0) key[0] = i % 2 === 0 ? -(2 ** 31) : 2 ** 31 - 1;
      if (i % 3 === 0) key.splice(1, 2, 0, 0);
      const name = key.join();
      assert.equal(table.find(...key), expected.get(name) ?? -1);
      if (!expected.has(name)) expected.set(name, expected.size);
      assert.equal(table.insert(...key), expected.get(name));
    }
    assert.equal(table.length, expected.size);
    for (const [name, row] of expected) {
      const [a, b, c] = name.split(",").map(Number);
      assert.equal(table.find(a!, b!, c!), row);
    }
  }
});
