/** Payloads parsed in slices: the same readings, refusals and lines. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  PARSE_SLICE_BYTES,
  parseReadings,
  parseReadingsInSlices,
  ReadingBatch,
} from "../../src/protocol/mod.ts";
import { errorOf, pure, rowsOf, utf8 } from "./support.ts";

const LINES = {
  "text/csv": ["1,2,3", "-4,5,6,1700000000000", "x,1,1", "", "1,2", '#{"a":1}'],
  "text/tab-separated-values": ["1\t2\t3", "4\t5", ""],
  "application/x-ndjson": [
    '{"x":1,"y":2,"value":3}',
    '{"source":"a","cells":[[1,2,3],[4,5,6]]}',
    "[]",
    "{",
    "",
  ],
} as const;

/** A payload of up to four slices, and what was found in it. */
const payloads = fc.constantFrom(
  ...Object.keys(LINES) as (keyof typeof LINES)[],
).chain((contentType) =>
  fc.record({
    contentType: fc.constant(contentType),
    first: fc.constantFrom("", "\n", "\ufeff", "x,y,value\n", "#{}\n"),
    lines: fc.array(fc.constantFrom(...LINES[contentType]), {
      minLength: 1,
      maxLength: 12,
    }),
    bytes: fc.integer({
      min: PARSE_SLICE_BYTES + 1,
      max: 4 * PARSE_SLICE_BYTES,
    }),
  })
);

function result(batch: ReadingBatch, parse: () => { byCode: unknown }) {
  try {
    const refusals = parse();
    const lines = Array.from(
      { length: batch.length },
      (_, i) => batch.lineOf(i, 0),
    );
    return { rows: rowsOf(batch), lines, refusals };
  } catch (error) {
    return { error: String(error), rows: rowsOf(batch) };
  }
}

pure("parseReadingsInSlices() has the result of parseReadings()", () => {
  fc.assert(
    fc.property(payloads, ({ contentType, first, lines, bytes }) => {
      const block = lines.join("\n") + "\n";
      const text = first + block.repeat(Math.ceil(bytes / block.length));
      const payload = utf8(text);
      const options = { contentType, layer: "default" };
      const whole = new ReadingBatch();
      const expected = result(
        whole,
        () => parseReadings(payload, whole, options),
      );
      const batch = new ReadingBatch();
      let pauses = 0;
      const actual = result(batch, () => {
        const parsing = parseReadingsInSlices(payload, batch, options);
        for (;;) {
          const step = parsing.next();
          if (step.done) return step.value;
          pauses++;
        }
      });
      assert.deepEqual(actual, expected);
      assert.ok("error" in actual || pauses >= 1, `${pauses} pauses`);
    }),
    { numRuns: 30 },
  );
});

pure("parseReadingsInSlices() leaves the batch as it was if it throws", () => {
  const batch = new ReadingBatch();
  batch.push(7, 7, 7);
  const text = "1,2,3\n".repeat(PARSE_SLICE_BYTES / 4) + "#{bad\n";
  const error = errorOf(() => {
    for (const _pause of parseReadingsInSlices(utf8(text), batch));
  });
  assert.equal(error.code, "bad-json");
  assert.deepEqual(rowsOf(batch), [[7, 7, 7]]);
});
