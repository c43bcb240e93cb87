import assert from "node:assert/strict";
import fc from "fast-check";
import { CellSlab, MAX_SIZE_CLASS } from "../../src/grid/cell_slab.ts";

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

interface Block {
  address: number;
  sizeClass: number;
}

/** Asserts that blocks are aligned and do not overlap. */
function assertApart(blocks: readonly Block[]): void {
  let end = 0;
  for (
    const { address, sizeClass } of blocks.toSorted((a, b) =>
      a.address - b.address
    )
  ) {
    assert.equal(address % (1 << sizeClass), 0);
    assert.ok(
      address >= end,
      `${address} overlaps the block before, which ends at ${end}`,
    );
    end = address + (1 << sizeClass);
  }
}

/** Fills a block with unique content, or asserts that it is unchanged. */
function mark(
  slab: CellSlab,
  { address, sizeClass }: Block,
  check: boolean,
): void {
  const chunk = slab.chunkOf(address);
  const start = slab.offsetOf(address);
  for (let slot = start; slot < start + (1 << sizeClass); slot++) {
    if (check) {
      assert.equal(chunk.meta[slot], 1024 + address % 1024);
      assert.equal(chunk.value[slot], address);
      assert.equal(chunk.order[slot], address);
    }
    chunk.meta[slot] = 1024 + address % 1024;
    chunk.value[slot] = address;
    chunk.order[slot] = address;
  }
}

test("CellSlab allocates empty blocks that never overlap, in any order of release", () => {
  const step = fc.tuple(
    fc.boolean(),
    fc.nat(MAX_SIZE_CLASS),
    fc.nat(),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const slab = new CellSlab();
      const blocks: Block[] = [];
      for (const [allocate, sizeClass, pick] of steps) {
        if (allocate || blocks.length === 0) {
          const block = { address: slab.allocate(sizeClass), sizeClass };
          const { meta } = slab.chunkOf(block.address);
          const start = slab.offsetOf(block.address);
          const cells = meta.subarray(start, start + (1 << sizeClass));
          assert.equal(cells.length, 1 << sizeClass);
          assert.ok(cells.every((meta) => meta === 0));
          mark(slab, block, false);
          blocks.push(block);
        } else {
          const [block] = blocks.splice(pick % blocks.length, 1);
          mark(slab, block!, true);
          slab.release(block!.address, block!.sizeClass);
        }
      }
      assertApart(blocks);
      for (const block of blocks) mark(slab, block, true);
    }),
    { numRuns: 200 },
  );
});

test("CellSlab joins released blocks for a larger one", () => {
  const slab = new CellSlab();
  const small = Array.from({ length: 1024 }, () => slab.allocate(0));
  const { bytes } = slab;
  for (const address of small.toSorted((a, b) => a % 7 - b % 7)) {
    slab.release(address, 0);
  }
  assert.equal(slab.allocate(MAX_SIZE_CLASS), 0);
  assert.equal(slab.bytes, bytes);
});

test("CellSlab keeps the content of its chunks when it grows", () => {
  const slab = new CellSlab();
  const blocks = Array.from({ length: 400 }, (_, i): Block => {
    const sizeClass = i % 11;
    const block = { address: slab.allocate(sizeClass), sizeClass };
    mark(slab, block, false);
    return block;
  });
  assertApart(blocks);
  for (const block of blocks) mark(slab, block, true);
  assert.ok(slab.chunkOf(0) !== slab.chunkOf(blocks.at(-1)!.address));
});
