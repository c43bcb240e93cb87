/** The state of a tile at one time. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { startOf } from "../../src/history/hour.ts";
import {
  decodeFrame,
  encodeFrame,
  TileFrame,
} from "../../src/history/tile_frame.ts";
import { changesOf, frame, HOUR, offset, rows } from "./support.ts";

Deno.test("TileFrame.apply equals the last change of each cell", () => {
  fc.assert(fc.property(
    ...[frame, rows(120), offset, fc.nat({ max: 5 })] as const,
    (frame, rows, offset, from) => {
      const to = startOf(HOUR) + offset;
      const model = new Map<number, readonly [number, number, number]>();
      for (let key = 0; key < 1024; key++) {
        if (frame.has[key] === 0) continue;
        model.set(key, [frame.value[key]!, frame.stale[key]!, NaN]);
      }
      const changes = changesOf(rows);
      changes.sort();
      const second = changes.second;
      for (let i = from; i < changes.length; i++) {
        if (second[i]! > to) continue;
        const key = changes.key[i]!;
        const [value, stale] = [changes.value[i]!, changes.stale[i]!];
        const before = model.get(key);
        if (before?.[0] === value && before[1] === stale) continue;
        model.set(key, [value, stale, second[i]!]);
      }
      frame.apply(changes, to, from);
      assert.equal(frame.count, model.size);
      for (let key = 0; key < 1024; key++) {
        assert.equal(frame.has[key], model.has(key) ? 1 : 0);
        const [value, stale, since] = model.get(key) ?? [0, 0, NaN];
        assert.equal(frame.value[key], value);
        assert.equal(frame.stale[key], stale);
        assert.equal(frame.since[key], since);
      }
    },
  ));
});

Deno.test("decodeFrame returns what encodeFrame got, without since", () => {
  fc.assert(fc.property(frame, rows(40), (frame, rows) => {
    frame.apply(changesOf(rows), Infinity);
    const into = new TileFrame();
    into.apply(changesOf([[9, 1, 2, 1]]), Infinity);
    decodeFrame(encodeFrame(frame), into);
    frame.since.fill(NaN);
    assert.deepEqual(into, frame);
    const copy = new TileFrame();
    copy.copy(frame);
    assert.deepEqual(copy, frame);
    copy.clear();
    assert.deepEqual(copy, new TileFrame());
  }));
});

Deno.test("a frame of a full tile takes few bytes", () => {
  const frame = new TileFrame();
  for (let key = 0; key < 1024; key++) {
    frame.apply(changesOf([[key, 1, (key * 7 >> 3) & 1, 0]]), 1);
  }
  assert.ok(encodeFrame(frame).length < 200);
  assert.ok(encodeFrame(new TileFrame()).length < 20);
});

Deno.test("decodeFrame: damaged bytes throw RangeError, or are a frame", () => {
  const damage = fc.array(
    fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })),
    { minLength: 1, maxLength: 4 },
  );
  const into = new TileFrame();
  fc.assert(
    fc.property(frame, damage, (frame, damage) => {
      const bytes = encodeFrame(frame);
      for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
      try {
        decodeFrame(bytes, into);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
        assert.deepEqual(into, new TileFrame());
      }
      assert.equal(into.has.reduce((sum, has) => sum + has, 0), into.count);
    }),
    { numRuns: 300 },
  );
});
