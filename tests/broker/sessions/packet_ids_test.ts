/** The set of packet ids. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { PacketIds } from "../../../src/broker/sessions/packet_ids.ts";

Deno.test({
  name: "PacketIds is a set",
  permissions: "none",
  fn: () => {
    const id = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(65_535));
    const changes = fc.array(fc.tuple(fc.boolean(), id), { maxLength: 200 });
    fc.assert(fc.property(changes, (changes) => {
      const ids = new PacketIds();
      const expected = new Set<number>();
      for (const [isAdded, id] of changes) {
        equal(ids.has(id), expected.has(id));
        if (isAdded) {
          ids.add(id);
          expected.add(id);
        } else equal(ids.delete(id), expected.delete(id));
        equal(ids.size, expected.size);
      }
      deepEqual([...ids], [...expected]);
    }));
  },
});
