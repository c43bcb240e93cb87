/** PUBACKs in the order of the messages, also if ids are used again. */
import assert from "node:assert/strict";
import { Acknowledgements } from "../../src/mqtt/acknowledgements.ts";

Deno.test({
  name: "an id that is used again is that of the later message",
  permissions: "none",
  fn: () => {
    const acknowledgements = new Acknowledgements();
    const connection = {};
    const idsOf = (pubacks: Uint8Array) =>
      Array.from({ length: pubacks.length / 4 }, (_, i) => pubacks[4 * i + 3]);
    acknowledgements.add(1, connection); // waits for the store
    acknowledgements.add(2, connection); // a request, answered before
    assert.deepEqual(idsOf(acknowledgements.later(2)), []);
    assert.deepEqual(idsOf(acknowledgements.acknowledge([2])), [2]);
    acknowledgements.add(2, connection); // a reading
    acknowledgements.add(3, connection);
    assert.deepEqual(idsOf(acknowledgements.acknowledge([1])), [1]);
    assert.deepEqual(idsOf(acknowledgements.acknowledge([3])), []);
    assert.deepEqual(idsOf(acknowledgements.acknowledge([2])), [2, 3]);
  },
});
