import assert from "node:assert/strict";
import fc from "fast-check";
import { didYouMean } from "../../../src/cli/arguments/suggest.ts";

const NAMES = ["--broker", "--batch", "--timeout", "--format", "--no-request"];

Deno.test({
  name: "didYouMean() finds names with one mistake",
  permissions: "none",
  fn: () => {
    assert.equal(didYouMean("--brokr", NAMES), "Did you mean --broker?");
    assert.equal(didYouMean("--tiemout", NAMES), "Did you mean --timeout?");
    assert.equal(didYouMean("-format", NAMES), "Did you mean --format?");
    assert.equal(didYouMean("--form", NAMES), "Did you mean --format?");
    assert.equal(didYouMean("--BROKER", NAMES), "Did you mean --broker?");
    assert.equal(didYouMean("bat", ["cat", "bar"]), "Did you mean cat or bar?");
  },
});

Deno.test({
  name: "didYouMean() is empty if no name is similar",
  permissions: "none",
  fn: () => {
    assert.equal(didYouMean("--elephant", NAMES), "");
    assert.equal(didYouMean("x", NAMES), "");
    assert.equal(didYouMean("anything", []), "");
  },
});

Deno.test({
  name: "didYouMean() accepts any one letter missing, added or swapped",
  permissions: "none",
  fn: () => {
    const name = "session-expiry";
    const at = fc.nat({ max: name.length - 2 });
    fc.assert(fc.property(at, fc.constantFrom(0, 1, 2), (i, how) => {
      const [head, tail] = [name.slice(0, i), name.slice(i)];
      const misspelt = how === 0
        ? head + tail.slice(1)
        : how === 1
        ? `${head}q${tail}`
        : head + tail[1] + tail[0] + tail.slice(2);
      assert.equal(didYouMean(misspelt, [name]), `Did you mean ${name}?`);
    }));
  },
});
