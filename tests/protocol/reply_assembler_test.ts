import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ReadingBatch,
  ReplyAssembler,
  type ReplyHeader,
  type ReplyPart,
} from "../../src/protocol/mod.ts";
import { errorOf, pure, rowsOf } from "./support.ts";

const HEADER: ReplyHeader = { layer: "default", revision: 812, time: 1e12 };

function partsOf(count: number, revision = 812): ReplyPart[] {
  return Array.from({ length: count }, (_, i): ReplyPart => {
    const cells = new ReadingBatch();
    cells.push(i, i, 1, 5);
    const header = { ...HEADER, revision };
    return { status: "ok", ...header, part: i + 1, parts: count, cells };
  });
}

pure("ReplyAssembler accepts parts in any order, and twice", () => {
  const shuffled = fc.shuffledSubarray([...partsOf(6), ...partsOf(6)], {
    minLength: 12,
  });
  fc.assert(fc.property(shuffled, (parts) => {
    const assembler = new ReplyAssembler();
    const seen = new Set<number>();
    for (const part of parts) {
      seen.add(part.part);
      assert.equal(assembler.add(part), seen.size === 6);
      assert.equal(assembler.received, seen.size);
    }
    assert.deepEqual(
      rowsOf(assembler.cells()).map(([x]) => x),
      [0, 1, 2, 3, 4, 5],
    );
  }));
});

pure(
  "ReplyAssembler refuses a part of another reply and keeps its parts",
  () => {
    const [one, two] = partsOf(2) as [ReplyPart, ReplyPart];
    const assembler = new ReplyAssembler();
    assert.equal(assembler.header, undefined);
    assert.equal(assembler.complete, false);
    assert.throws(() => assembler.cells(), /0 of unknown parts have arrived/);
    assembler.add(one);
    const others: [Partial<ReplyPart>, RegExp][] = [
      [{ revision: 813 }, /another revision/],
      [{ parts: 3 }, /another parts/],
      [{ layer: "l2" }, /another layer/],
      [{ transaction: "t" }, /another transaction/],
      [{ time: 1 }, /another time/],
      [{ staleAfter: 1 }, /another staleAfter/],
    ];
    for (const [difference, reason] of others) {
      const error = errorOf(() => assembler.add({ ...two, ...difference }));
      assert.equal(error.code, "bad-part");
      assert.match(error.message, reason);
    }
    assert.equal(assembler.received, 1);
    assert.throws(() => assembler.cells(), /1 of 2 parts have arrived/);
    assert.equal(assembler.add(two), true);
    assert.equal(assembler.header, one);
  },
);
