import { equal } from "node:assert/strict";
import fc from "fast-check";
import { Deadlines } from "../../src/common/deadlines.ts";

Deno.test({
  name: "Deadlines returns the keys that are due, the earliest first",
  permissions: "none",
  fn() {
    const change = fc.tuple(
      fc.constantFrom("set", "set", "delete", "take"),
      fc.nat(9),
      fc.nat(20),
    );
    fc.assert(fc.property(fc.array(change, { maxLength: 100 }), (changes) => {
      const deadlines = new Deadlines<number>();
      const model = new Map<number, number>();
      for (const [name, key, time] of changes) {
        if (name === "set") {
          deadlines.set(key, time);
          model.set(key, time);
        } else if (name === "delete") {
          equal(deadlines.delete(key), model.delete(key));
        } else {
          const taken = deadlines.takeDue(time);
          const first = Math.min(...model.values());
          if (taken === undefined) equal(first > time, true);
          else {
            equal(model.get(taken), first);
            equal(first <= time, true);
            model.delete(taken);
          }
        }
        equal(deadlines.size, model.size);
        equal(deadlines.next ?? Infinity, Math.min(...model.values()));
      }
    }));
  },
});
