/** The binary messages of the live feed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { deflateFast } from "../../src/http/feed/snapshots.ts";
import { type CellColumns, newColumns } from "../../src/feed/columns.ts";
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameError,
} from "../../src/feed/frames.ts";
import { inflateRaw } from "../../src/page/feed/inflate.ts";

const permissions = "none";

interface PlainCell {
  readonly x: number;
  readonly y: number;
  readonly value: number;
  readonly stale: boolean;
  readonly time: number;
}

function columnsOf(cells: readonly PlainCell[]): CellColumns {
  const columns = newColumns(cells.length);
  for (const { x, y, value, stale, time } of cells) {
    const row = columns.length++;
    columns.x[row] = x;
    columns.y[row] = y;
    columns.value[row] = value;
    columns.stale[row] = stale && value >= 0 ? 1 : 0;
    columns.time[row] = time;
  }
  return columns;
}

const int32 = fc.oneof(
  fc.integer({ min: -40, max: 40 }),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
);
const uint53 = fc.maxSafeNat();
const time = fc.oneof(
  fc.integer({ min: 1_790_000_000_000, max: 1_790_000_100_000 }),
  fc.maxSafeInteger(),
);
const cell = fc.record({
  x: int32,
  y: int32,
  value: int32,
  stale: fc.boolean(),
  time,
});
const anyTimes = fc.record({
  x: int32,
  y: int32,
  value: int32,
  stale: fc.boolean(),
  time: fc.double({ noNaN: true }),
});
/** Rows of neighbouring cells, as on a floor. */
const rows = fc.array(
  fc.record({ x: int32, y: int32, length: fc.integer({ min: 1, max: 70 }) }),
  { maxLength: 8 },
).map((runs) =>
  runs.flatMap(({ x, y, length }) =>
    Array.from({ length }, (_, i): PlainCell => ({
      x: x + i | 0,
      y,
      value: i % 3 - 1,
      stale: i % 5 === 0,
      time: 1_790_000_000_000 + i,
    }))
  )
);
const cells = fc.oneof(
  fc.array(cell, { maxLength: 60 }),
  fc.array(anyTimes, { maxLength: 20 }),
  rows,
).map(columnsOf);
const layer = fc.string({ unit: "grapheme", maxLength: 20 });
const region = fc.option(
  fc.record({ x0: int32, y0: int32, x1: int32, y1: int32 }),
);
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    kind: fc.constant("snapshot" as const),
    layer,
    region,
    revision: uint53,
    time,
    part: fc.nat(),
    parts: fc.nat(),
    cells,
  }),
  fc.record({
    kind: fc.constant("delta" as const),
    layer,
    from: uint53,
    to: uint53,
    time,
    cells,
  }),
);

/** Returns a plain object, to compare values and not types. */
function plain(frame: Frame): unknown {
  return JSON.parse(JSON.stringify(frame, (_, value) => {
    if (Object.is(value, -0)) return "-0";
    return ArrayBuffer.isView(value)
      ? Array.from(value as Int32Array, String)
      : value;
  }));
}

Deno.test({
  name: "decodeFrame() returns the frame of encodeFrame(), compressed or not",
  permissions,
  fn: async () => {
    await fc.assert(fc.asyncProperty(frame, async (frame) => {
      for (const deflate of [undefined, deflateFast]) {
        const bytes = encodeFrame(frame, deflate);
        assert.deepEqual(
          plain(await decodeFrame(bytes, inflateRaw)),
          plain(frame),
        );
      }
    }));
  },
});

Deno.test({
  name: "decodeFrame() returns a frame or throws FrameError for damaged bytes",
  permissions,
  fn: async () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        frame,
        fc.boolean(),
        damage,
        fc.nat(),
        async (frame, deflated, damage, cut) => {
          const bytes = encodeFrame(frame, deflated ? deflateFast : undefined);
          for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
          await assertFrameOrError(bytes);
          await assertFrameOrError(bytes.subarray(0, cut % (bytes.length + 1)));
        },
      ),
      { numRuns: 300 },
    );
  },
});

async function assertFrameOrError(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  try {
    const { cells } = await decodeFrame(bytes, inflateRaw);
    assert.ok(cells.length <= cells.x.length);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    assert.match(error.message, /^Cannot read the frame: /);
  }
}

Deno.test({
  name: "decodeFrame() refuses false lengths without allocating memory",
  permissions,
  fn: async () => {
    // Version, plain delta, layer "", from 0, to 0, time, then 2^32 cells.
    const claim = Uint8Array.of(
      1,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      128,
      128,
      128,
      128,
      16,
    );
    await assert.rejects(
      decodeFrame(claim, inflateRaw),
      {
        name: "FrameError",
        message: "Cannot read the frame: it is too short for 4294967296 cells",
      },
    );
    // Compressed, of 2^33 bytes.
    const bomb = Uint8Array.of(1, 2, 128, 128, 128, 128, 32, 0);
    await assert.rejects(
      decodeFrame(bomb, inflateRaw),
      /its length of 8589934592 bytes is too large/,
    );
    const zeros = deflateFast(new Uint8Array(1_000_000));
    await assert.rejects(inflateRaw(new Uint8Array(zeros), 10), RangeError);
    await assert.rejects(
      decodeFrame(Uint8Array.of(9, 0), inflateRaw),
      /it has version 9, expected 1/,
    );
    await assert.rejects(
      decodeFrame(new Uint8Array(), inflateRaw),
      /it is empty/,
    );
    await assert.rejects(
      decodeFrame(Uint8Array.of(1, 8), inflateRaw),
      /its kind is unknown/,
    );
  },
});

Deno.test({
  name:
    "encodeFrame() takes few bytes for a full floor and for scattered changes",
  permissions,
  fn: () => {
    const floor: PlainCell[] = [];
    for (let y = 0; y < 100; y++) {
      for (let x = 0; x < 100; x++) {
        floor.push({
          x,
          y,
          value: (x ^ y) & 1,
          stale: false,
          time: 1_790_000_000_000,
        });
      }
    }
    const size = (cells: PlainCell[]) =>
      encodeFrame({
        kind: "delta",
        layer: "default",
        from: 1,
        to: 2,
        time: 1_790_000_000_000,
        cells: columnsOf(cells),
      }, deflateFast).length;
    assert.ok(
      size(floor) < 1000,
      `${size(floor)} bytes for 10,000 similar cells`,
    );
    const scattered = floor.filter(({ x, y }) => (x * 31 + y * 17) % 10 === 0)
      .map((cell, i) => ({ ...cell, time: cell.time + i * 7919 % 100 }));
    assert.ok(
      size(scattered) < 4 * scattered.length,
      `${size(scattered)} bytes for ${scattered.length} scattered cells`,
    );
  },
});
