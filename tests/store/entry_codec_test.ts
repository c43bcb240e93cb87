import assert from "node:assert/strict";
import fc from "fast-check";
import { ColumnPool } from "../../src/store/column_pool.ts";
import { decodeEntries, EntryEncoder } from "../../src/store/entry_codec.ts";
import type { Entry } from "../../src/store/store.ts";

const int32 = fc.oneof(
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  fc.integer({ min: -3, max: 300 }),
  fc.constantFrom(-0x8000_0000, 0x7fff_ffff),
);
const ms = fc.oneof(
  fc.integer({ min: 0, max: 1e14 }),
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_070_000 }),
);
const rows = fc.array(fc.tuple(int32, int32, int32, ms), { maxLength: 50 });
const threshold = fc.oneof(fc.constant(Infinity), fc.nat());

const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ layer: fc.string({ minLength: 1 }), rows, now: ms }).map(
    ({ layer, rows, now }): Entry => ({
      kind: "apply",
      now,
      layer: layer.toWellFormed(),
      readings: {
        length: rows.length,
        x: Int32Array.from(rows, ([x]) => x),
        y: Int32Array.from(rows, ([, y]) => y),
        value: Int32Array.from(rows, ([, , value]) => value),
        time: Float64Array.from(rows, ([, , , time]) => time),
      },
    }),
  ),
  fc.tuple(fc.constantFrom("age" as const, "alive" as const), ms).map(
    ([kind, now]): Entry => ({ kind, now }),
  ),
  fc.record({ layer: fc.string({ minLength: 1 }), now: ms }).map(
    ({ layer, now }): Entry => ({
      kind: "delete",
      now,
      layer: layer.toWellFormed(),
    }),
  ),
  fc.record({
    layer: fc.string({ minLength: 1 }),
    rows,
    now: ms,
    isRemoval: fc.boolean(),
  }).map(
    ({ layer, rows, now, isRemoval }): Entry => {
      const coordinates = {
        length: rows.length,
        x: Int32Array.from(rows, ([x]) => x),
        y: Int32Array.from(rows, ([, y]) => y),
      };
      const head = { now, layer: layer.toWellFormed() };
      return isRemoval
        ? { ...head, kind: "remove", cells: coordinates }
        : { ...head, kind: "age-tiles", tiles: coordinates };
    },
  ),
  fc.record({
    kind: fc.constant("records" as const),
    now: ms,
    owner: fc.constantFrom(
      "broker" as const,
      "zones" as const,
      "home-assistant" as const,
      "zone-memories" as const,
      "sources" as const,
    ),
    mark: fc.maxSafeNat(),
    guard: fc.maxSafeNat(),
    changes: fc.array(
      fc.record({
        id: fc.maxSafeNat(),
        value: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
      }, { noNullPrototype: true }),
      { maxLength: 5 },
    ),
  }, { noNullPrototype: true }),
  fc.record({ now: ms, a: threshold, b: threshold, c: threshold }).map(
    ({ now, a, b, c }): Entry => ({
      kind: "configure",
      now,
      ageing: { staleAfter: a, forgetAfter: b, maxSkew: c },
    }),
  ),
);

Deno.test({
  name: "decodeEntries() decodes what EntryEncoder encoded",
  permissions: "none",
  fn() {
    const encoder = new EntryEncoder();
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
        const bytes = encoder.encode(entries).slice();
        assert.deepEqual([...decodeEntries(bytes)], entries);
      }),
      { numRuns: 500 },
    );
  },
});

Deno.test({
  name: "entries that are decoded into a pool are whole until it is used again",
  permissions: "none",
  fn() {
    const encoder = new EntryEncoder();
    const pool = new ColumnPool();
    fc.assert(
      fc.property(
        fc.array(fc.array(entry, { maxLength: 4 }), { maxLength: 3 }),
        (groups) => {
          pool.reuse();
          const decoded = groups.map((entries) => [
            ...decodeEntries(encoder.encode(entries).slice(), pool),
          ]);
          assert.deepEqual(decoded, groups);
        },
      ),
      { numRuns: 500 },
    );
  },
});

Deno.test({
  name: "a pool returns the same memory again, also after it had too little",
  permissions: "none",
  fn() {
    const pool = new ColumnPool();
    pool.take(Int32Array, 3);
    pool.reuse();
    const bytes = pool.take(Uint8Array, 3);
    const times = pool.take(Float64Array, 1);
    assert.equal(times.buffer, bytes.buffer);
    assert.equal(times.byteOffset, 8);
    assert.notEqual(pool.take(Float64Array, 1000).buffer, bytes.buffer);
    pool.reuse();
    const many = pool.take(Float64Array, 1000);
    assert.equal(pool.take(Int32Array, 1).buffer, many.buffer);
    assert.equal(pool.take(Uint8Array, 1 << 21).length, 1 << 21);
  },
});

Deno.test({
  name: "EntryEncoder needs few bytes for readings of one place and time",
  permissions: "none",
  fn() {
    const length = 1000;
    const bytes = new EntryEncoder().encode([{
      kind: "apply",
      now: 1e12,
      layer: "default",
      readings: {
        length,
        x: Int32Array.from({ length }, (_, i) => 7000 + i % 200),
        y: Int32Array.from({ length }, (_, i) => 9000 + i % 90),
        value: Int32Array.from({ length }, (_, i) => i % 2),
        time: new Float64Array(length).fill(1e12),
      },
    }]);
    assert.ok(bytes.length < 3.2 * length, `${bytes.length} bytes`);
  },
});

Deno.test({
  name: "decodeEntries() throws only RangeError or TypeError for invalid bytes",
  permissions: "none",
  fn() {
    const decode = (bytes: Uint8Array) => {
      try {
        for (const entry of decodeEntries(bytes)) void entry;
      } catch (error) {
        assert.ok(
          error instanceof RangeError || error instanceof TypeError,
          String(error),
        );
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decode));
    fc.assert(
      fc.property(entry, fc.nat(), fc.nat(255), (entry, at, byte) => {
        const bytes = new EntryEncoder().encode([entry]).slice();
        bytes[at % bytes.length] = byte;
        decode(bytes);
        decode(bytes.subarray(0, at % bytes.length));
      }),
      { numRuns: 1000 },
    );
  },
});
