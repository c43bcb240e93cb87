import assert from "node:assert/strict";
import fc from "fast-check";
import {
  endOfDigits,
  MAX_INT_BYTES,
  MAX_TIME_BYTES,
  readDigits,
  SLACK_BYTES,
  TimeWriter,
  writeField,
  writeInt,
  writeTime,
} from "../../src/protocol/digits.ts";
import { embedded, pure, textOf, utf8 } from "./support.ts";

function written(
  write: (view: DataView, at: number, n: number) => number,
  max: number,
  n: number,
): string {
  const bytes = new Uint8Array(1 + max + SLACK_BYTES);
  const end = write(new DataView(bytes.buffer), 1, n);
  assert.ok(end <= 1 + max);
  assert.equal(bytes[0], 0);
  return textOf(bytes.subarray(1, end));
}

/** Numbers of every length, and those next to each power of ten. */
function* numbersUpTo(max: number): Iterable<number> {
  for (let power = 1; power <= max; power *= 10) {
    for (const n of [power - 1, power, power + 1, 3 * power, power * 9.99]) {
      if (n <= max) yield Math.trunc(n);
    }
  }
  yield max;
}

pure("writeInt() writes the same as String() for every int32", () => {
  for (const n of numbersUpTo(2 ** 31 - 1)) {
    assert.equal(written(writeInt, MAX_INT_BYTES, n), String(n));
    if (n > 0) assert.equal(written(writeInt, MAX_INT_BYTES, -n), String(-n));
  }
  assert.equal(written(writeInt, MAX_INT_BYTES, -(2 ** 31)), "-2147483648");
  fc.assert(fc.property(fc.integer(), (n) => {
    assert.equal(written(writeInt, MAX_INT_BYTES, n), String(n));
  }));
});

pure("writeTime() writes the same as String() for every time", () => {
  for (const ms of numbersUpTo(1e14)) {
    assert.equal(written(writeTime, MAX_TIME_BYTES, ms), String(ms));
  }
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e14 }), (ms) => {
    assert.equal(written(writeTime, MAX_TIME_BYTES, ms), String(ms));
  }));
  assert.equal(
    written(writeTime, MAX_TIME_BYTES, 1.7e12 + 0.9),
    "1700000000000",
  );
  for (const bad of [NaN, -1, 1e14 + 1, Infinity]) {
    assert.throws(() => written(writeTime, MAX_TIME_BYTES, bad), RangeError);
  }
});

pure("writeField() writes number and comma for every int32", () => {
  const check = (n: number) =>
    assert.equal(written(writeField, MAX_INT_BYTES + 1, n), `${n},`);
  for (let n = 0; n <= 1000; n++) check(n);
  for (const n of numbersUpTo(2 ** 31 - 1)) {
    check(n);
    if (n > 0) check(-n);
  }
  fc.assert(fc.property(fc.integer(), check));
});

pure(
  "TimeWriter.write() writes the same as writeTime() in any sequence",
  () => {
    const time = fc.oneof(
      fc.integer({ min: 0, max: 1e14 }),
      fc.integer({ min: 0, max: 30_000 }),
      fc.integer({ min: 1_699_999_990_000, max: 1_700_000_010_000 }),
      fc.double({ min: 0, max: 1e14, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 20 }), (times) => {
        const writer = new TimeWriter();
        const write = writer.write.bind(writer);
        for (const ms of times) {
          assert.equal(
            written(write, MAX_TIME_BYTES, ms),
            written(writeTime, MAX_TIME_BYTES, ms),
          );
        }
        for (const bad of [NaN, -1, 1e14 + 1, Infinity]) {
          assert.throws(() => written(write, MAX_TIME_BYTES, bad), RangeError);
        }
      }),
      { numRuns: 1000 },
    );
  },
);

pure("readDigits() reads up to fifteen digits exactly", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e15 - 1 }),
      fc.nat(3),
      (n, zeros) => {
        const text = ("0".repeat(zeros) + n).slice(-15);
        const bytes = embedded(utf8(`${text},1`));
        const end = endOfDigits(bytes, 0);
        assert.equal(end, text.length);
        assert.equal(readDigits(bytes, 0, end), Number(text));
      },
    ),
  );
});
