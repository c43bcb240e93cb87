import assert from "node:assert/strict";
import { parseReadings, ReadingBatch } from "../../src/protocol/mod.ts";
import { errorOf, pure, rowsOf, utf8 } from "./support.ts";

const PAD = " ".repeat(300); // long enough for the fast path

function parseFor(layer: string | undefined, payload: string, type?: string) {
  const batch = new ReadingBatch();
  const refusals = parseReadings(utf8(payload), batch, {
    layer,
    contentType: type,
  });
  return { rows: rowsOf(batch), refusals };
}

pure("a payload that names the layer of its topic is accepted", () => {
  const payloads = [
    '{"layer":"l1","cells":[[1,2,3]]}',
    `{"layer":"l1",${PAD}"cells":[[1,2,3]]}`,
    '{"x":1,"y":2,"value":3,"layer":"l1"}',
    '[{"x":1,"y":2,"value":3,"layer":"l1"}]',
    '{"layer":null,"cells":[[1,2,3]]}',
    '#{"layer":"l1","revision":7}\n1,2,3\n',
    "layer,x,y,value\nl1,1,2,3\n",
  ];
  for (const payload of payloads) {
    assert.deepEqual(parseFor("l1", payload).rows, [[1, 2, 3]], payload);
  }
});

pure("a payload that names another layer is refused as bad-layer", () => {
  const whole = [
    '{"layer":"l2","cells":[[1,2,3]]}',
    `{"layer":"l2",${PAD}"cells":[[1,2,3]]}`,
    `{"layer":7,"cells":[[1,2,3]]}`,
    '{"layer":"a//b","cells":[[1,2,3]]}',
    '#{"layer":"l2"}\n1,2,3\n',
    '1,2,3\n#{"layer":"l2"}\n4,5,6\n',
  ];
  for (const payload of whole) {
    const error = errorOf(() => parseFor("l1", payload));
    assert.equal(error.code, "bad-layer", payload);
  }
  const { rows, refusals } = parseFor(
    "l1",
    '[{"x":1,"y":2,"value":3,"layer":"l2","source":"cam"},{"x":4,"y":5,"value":6}]',
  );
  assert.deepEqual(rows, [[4, 5, 6]]);
  assert.deepEqual(
    refusals.kept.map(({ code, line, source }) => [code, line, source]),
    [["bad-layer", 1, "cam"]],
  );
});

pure("a payload refused for its layer leaves the batch unchanged", () => {
  const batch = new ReadingBatch();
  parseReadings(utf8("8,9,0"), batch);
  const payloads = [
    '1,2,3\n#{"layer":"l2"}\n4,5,6\n',
    `{"source":"a","layer":"l2",${PAD}"cells":[[1,2,3]]}`,
  ];
  for (const payload of payloads) {
    errorOf(() => parseReadings(utf8(payload), batch, { layer: "l1" }));
    assert.deepEqual(rowsOf(batch), [[8, 9, 0]]);
    assert.deepEqual(batch.sources, [""]);
  }
});

pure("batchOf receives the readings of each layer", () => {
  const batches = new Map<string, ReadingBatch>();
  const batchOf = (layer: string) => {
    const batch = batches.get(layer) ?? new ReadingBatch();
    batches.set(layer, batch);
    return batch;
  };
  const unnamed = new ReadingBatch();
  parseReadings(
    utf8(
      '[{"x":1,"y":2,"value":3,"layer":"a"},{"x":4,"y":5,"value":6,"layer":"b"},{"x":7,"y":8,"value":9}]',
    ),
    unnamed,
    { batchOf },
  );
  assert.deepEqual(rowsOf(batches.get("a")!), [[1, 2, 3]]);
  assert.deepEqual(rowsOf(batches.get("b")!), [[4, 5, 6]]);
  assert.deepEqual(rowsOf(unnamed), [[7, 8, 9]]);
});

pure("JSON lines are read with the content type, and refused by line", () => {
  const text =
    '{"x":1,"y":2,"value":3}\n\n{"cells":[[4,5,6],[7]]}\r\nnonsense' +
    '\n[{"x":8,"y":9,"value":0}]\n{"layer":"l2","cells":[[1,1,1]]}';
  const types = [
    "application/x-ndjson",
    "application/ndjson; charset=utf-8",
    "Application/JSONL",
  ];
  for (const type of types) {
    const { rows, refusals } = parseFor("l1", text, type);
    assert.deepEqual(rows, [[1, 2, 3], [4, 5, 6], [8, 9, 0]]);
    assert.deepEqual(
      refusals.kept.map(({ code, line }) => [code, line]),
      [["bad-fields", 3], ["bad-json", 4], ["bad-layer", 6]],
    );
  }
});

pure("tab-separated values are read with their content type", () => {
  const { rows } = parseFor(
    undefined,
    "1\t2\t3\toccupied\t2023-11-14T22:13:20.123Z\n4\t5\t-1\tunknown\t\n",
    "text/tab-separated-values",
  );
  assert.deepEqual(rows, [[1, 2, 3, 1_700_000_000_123], [4, 5, -1]]);
});

pure("a multipart payload is refused with a hint", () => {
  const error = errorOf(() =>
    parseFor("l1", "--x\r\n", "multipart/form-data; boundary=x")
  );
  assert.equal(error.code, "bad-content-type");
  assert.match(error.hint ?? "", /--data-binary/);
});

pure("a payload with a header only has no readings", () => {
  assert.equal(errorOf(() => parseFor("l1", "x,y,value\n")).code, "empty");
});
