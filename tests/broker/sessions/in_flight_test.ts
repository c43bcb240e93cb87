import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { Fifo } from "../../../src/common/fifo.ts";
import { InFlight } from "../../../src/broker/sessions/in_flight.ts";

const pure = { permissions: "none" } as const;

Deno.test("InFlight gives each message an id that no other has", pure, () => {
  const change = fc.oneof(
    { weight: 3, arbitrary: fc.constant(-1) },
    { weight: 2, arbitrary: fc.nat(1_000) },
  );
  fc.assert(fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
    const inFlight = new InFlight<{ packetId: number }>();
    const model = new Map<number, { packetId: number }>();
    for (const change of changes) {
      if (change < 0) {
        const item = { packetId: 0 };
        inFlight.add(item);
        equal(model.has(item.packetId), false);
        equal(item.packetId >= 1 && item.packetId <= 65_535, true);
        model.set(item.packetId, item);
      } else if (model.size > 0) {
        const id = [...model.keys()][change % model.size]!;
        inFlight.delete(id);
        model.delete(id);
      }
      equal(inFlight.count, model.size);
      for (const [id, item] of model) equal(inFlight.get(id), item);
    }
    deepEqual(new Set(inFlight.values()), new Set(model.values()));
  }));
});

Deno.test("InFlight uses all 65,535 ids, and no other", pure, () => {
  const inFlight = new InFlight<{ packetId: number }>();
  const ids = new Set<number>();
  for (let i = 0; i < 65_535; i++) {
    const item = { packetId: 0 };
    inFlight.add(item);
    ids.add(item.packetId);
  }
  equal(ids.size, 65_535);
  equal(ids.has(0), false);
  throws(() => inFlight.add({ packetId: 0 }), RangeError);
  equal(inFlight.get(0), undefined);
  inFlight.delete(777);
  const item = { packetId: 0 };
  inFlight.add(item);
  equal(item.packetId, 777);
});

Deno.test("InFlight skips ids that are in use after 65,535", pure, () => {
  const inFlight = new InFlight<{ packetId: number }>();
  inFlight.restore({ packetId: 2 });
  inFlight.restore({ packetId: 65_534 });
  const ids = [1, 2, 3].map(() => {
    const item = { packetId: 0 };
    inFlight.add(item);
    return item.packetId;
  });
  deepEqual(ids, [65_535, 1, 3]);
  throws(() => inFlight.restore({ packetId: 2 }), RangeError);
});

Deno.test("Fifo returns items in their order", pure, () => {
  const change = fc.constantFrom("push", "push", "shift", "take");
  fc.assert(
    fc.property(fc.array(change, { maxLength: 500 }), (changes) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      let next = 1;
      for (const change of changes) {
        if (change === "push") {
          fifo.push(next);
          model.push(next++);
        } else if (change === "shift") equal(fifo.shift(), model.shift());
        else {
          const isTaken = (item: number) => item % 7 === 0;
          deepEqual(fifo.take(isTaken), model.filter(isTaken));
          model = model.filter((item) => !isTaken(item));
        }
        equal(fifo.length, model.length);
        equal(fifo.first, model[0]);
      }
    }),
  );
  const long = new Fifo<number>();
  for (let i = 0; i < 1_000; i++) long.push(i);
  for (let i = 0; i < 1_000; i++) equal(long.shift(), i);
  equal(long.shift(), undefined);
});
