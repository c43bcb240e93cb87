/** Changes of an hour as bytes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeChanges,
  encodeChanges,
} from "../../src/history/changes_codec.ts";
import { startOf } from "../../src/history/hour.ts";
import { TileChanges } from "../../src/history/tile_changes.ts";
import { changesOf, HOUR, occupancy, rows, rowsOf } from "./support.ts";

const lists = fc.oneof(rows(8), rows(300)).map((rows) => {
  const changes = changesOf(rows);
  changes.sort();
  return changes;
});

Deno.test("decodeChanges returns what encodeChanges got", () => {
  fc.assert(fc.property(lists, fc.boolean(), (changes, compress) => {
    const bytes = encodeChanges(changes, HOUR, { compress });
    const before = [5, 6, 7, 1] as const;
    const into = changesOf([before]);
    decodeChanges(bytes, HOUR, into);
    assert.deepEqual(rowsOf(into), [before, ...rowsOf(changes)]);
    // The same bytes for another hour: the same seconds of that hour.
    const later = new TileChanges();
    decodeChanges(bytes, HOUR + 1, later);
    assert.deepEqual(
      rowsOf(later),
      rowsOf(changes).map(([key, second, ...state]) => [
        ...[key, second + 3600],
        ...state,
      ]),
    );
  }));
});

Deno.test("the codec keeps every cell in every second of an hour", () => {
  const changes = new TileChanges(1024 * 3600);
  for (let key = 0; key < 1024; key++) {
    for (let offset = 0; offset < 3600; offset++) {
      changes.push(key, startOf(HOUR) + offset, offset & 1, 0);
    }
  }
  const bytes = encodeChanges(changes, HOUR, { compress: true });
  assert.ok(bytes.length < 20_000, `${bytes.length} bytes`);
  const into = new TileChanges();
  decodeChanges(bytes, HOUR, into);
  assert.equal(into.length, changes.length);
  assert.ok(into.second.every((second, i) => second === changes.second[i]));
});

Deno.test("decodeChanges: damaged bytes throw, or are changes of the hour", () => {
  const damage = fc.array(
    fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(
      ...[lists, fc.boolean(), damage, fc.nat({ max: 3 })] as const,
      (changes, compress, damage, cut) => {
        const encoded = encodeChanges(changes, HOUR, { compress });
        const bytes = encoded.slice(0, Math.max(0, encoded.length - cut));
        for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
        expectChangesOrError(bytes);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("decodeChanges: random bytes throw, or are changes of the hour", () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((bytes) => {
    bytes[0] = bytes[0]! & 0x80 | 1;
    return bytes;
  });
  fc.assert(fc.property(bytes, expectChangesOrError), { numRuns: 500 });
});

Deno.test("decodeChanges: a few bytes do not make much memory", () => {
  // 1024 cells with 3600 changes each, of which none is there.
  const claim = [1, 128, 8];
  for (let key = 0; key < 1024; key++) claim.push(1, 142, 28);
  const into = new TileChanges();
  const fails = (bytes: readonly number[]) =>
    assert.throws(
      () => decodeChanges(new Uint8Array(bytes), HOUR, into),
      RangeError,
    );
  fails(claim);
  fails([0x81, 0xff, 0xff, 0xff, 0x0f, 0x4b, 0x04, 0x00]);
  assert.ok(into.key.length < 1000, `room for ${into.key.length}`);
});

Deno.test("encodeChanges throws if changes are not sorted or not in the hour", () => {
  const start = startOf(HOUR);
  for (
    const rows of [
      [[1, start - 1, 1, 0]],
      [[1, start + 3600, 1, 0]],
      [[2, start, 1, 0], [1, start, 1, 0]],
      [[1, start, 1, 0], [1, start, 2, 0]],
      [[1, start + 1, 1, 0], [1, start, 2, 0]],
    ] as const
  ) {
    assert.throws(
      () => encodeChanges(changesOf(rows), HOUR, { compress: false }),
      RangeError,
    );
  }
});

Deno.test("a change takes at most 4 bytes", () => {
  const scenes: [string, TileChanges, number][] = [
    ["desks: half an hour", occupancy(1024, 1800), 3.5],
    ["desks: two hours", occupancy(1024, 7200), 3.5],
    ["few desks: two hours", occupancy(20, 7200), 4],
    ["a corridor: 20 s", occupancy(1024, 20), 1.2],
    ["a corridor: 3 s", occupancy(300, 3), 0.7],
  ];
  for (const [scene, changes, bytes] of scenes) {
    const encoded = encodeChanges(changes, HOUR, { compress: true });
    const each = encoded.length / changes.length;
    assert.ok(
      each <= bytes,
      `${scene}: ${each.toFixed(2)} bytes each of ${changes.length}`,
    );
  }
});

function expectChangesOrError(bytes: Uint8Array): void {
  const into = changesOf([[5, 6, 7, 1]]);
  try {
    decodeChanges(bytes, HOUR, into);
  } catch (error) {
    assert.ok(error instanceof RangeError, String(error));
    assert.deepEqual(rowsOf(into), [[5, 6, 7, 1]]);
    return;
  }
  const found = rowsOf(into, 1);
  for (const [i, [key, second, value, stale]] of found.entries()) {
    const before = found[i - 1];
    assert.ok(key < 1024 && Math.floor(second / 3600) === HOUR);
    assert.ok(value >= 0 || stale === 0);
    assert.ok(
      before === undefined || before[0] < key ||
        before[0] === key && before[1] < second,
    );
  }
}
