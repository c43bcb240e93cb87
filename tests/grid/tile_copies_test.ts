/** Copies of encoded tiles: their content, and the memory that they need. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { TileCopies } from "../../src/grid/tile_copies.ts";
import { randomIntegers } from "../support/random.ts";
import { columns, nextSaved, type Reading } from "./model.ts";

const NOW = 1_700_000_000_000;

Deno.test({
  name: "copies are returned in any order and their memory is freed",
  permissions: "none",
  fn() {
    const random = randomIntegers(7);
    const copies = new TileCopies();
    const expected = new Map<number, Uint8Array>();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 500; i++) {
        const bytes = new Uint8Array(1 + random(3000)).fill(i);
        const address = copies.add((into, from) => {
          into.set(bytes, from);
          return from + bytes.length;
        });
        assert.ok(address > 0 && !expected.has(address));
        expected.set(address, bytes);
      }
      const addresses = [...expected.keys()].sort((a, b) => a % 7 - b % 7);
      for (const address of addresses.slice(round === 2 ? 0 : 100)) {
        assert.deepEqual(copies.read(address), expected.get(address));
        copies.release(address);
        expected.delete(address);
      }
    }
    assert.equal(expected.size, 0);
    assert.ok(copies.bytes <= 256 * 1024, `${copies.bytes} bytes`);
  },
});

Deno.test({
  name: "a copy remains until its last owner has released it",
  permissions: "none",
  fn() {
    const copies = new TileCopies();
    const add = (byte: number) =>
      copies.add((into, from) => {
        into.fill(byte, from, from + 1000);
        return from + 1000;
      });
    const shared = add(7);
    copies.retain(shared);
    for (let i = 0; i < 1000; i++) copies.release(add(1));
    copies.release(shared);
    assert.deepEqual(copies.read(shared), new Uint8Array(1000).fill(7));
    copies.release(shared);
    for (let i = 0; i < 1000; i++) copies.release(add(1));
    assert.ok(copies.bytes <= 256 * 1024, `${copies.bytes} bytes`);
  },
});

Deno.test({
  name: "cells that change during a save need at most 80 more bytes each",
  permissions: "none",
  fn() {
    const tiles = 20_000;
    const rows = (value: number) =>
      columns(Array.from(
        { length: tiles },
        (_, i): Reading => [i % 200 * 32, Math.floor(i / 200) * 32, value, NOW],
      ));
    const map = new OccupancyMap();
    map.apply("default", rows(1), NOW);
    const grid = map.layer("default")!;
    const before = grid.bytes;
    grid.beginSave();
    map.apply("default", rows(2), NOW);
    const added = (grid.bytes - before) / tiles;
    assert.ok(added <= 80, `${added} bytes a cell`);
    while (nextSaved(grid) !== undefined);
    grid.endSave(true);
    assert.equal(grid.bytes, before);
  },
});
