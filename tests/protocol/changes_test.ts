import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ChangesFollower,
  type ChangesHeader,
  type ChangesPart,
  ChangesWriter,
  parseChanges,
  ReadingBatch,
} from "../../src/protocol/mod.ts";
import {
  attempt,
  embedded,
  errorOf,
  jsonOf,
  pure,
  type Row,
  rowsOf,
  textOf,
  utf8,
} from "./support.ts";

type Cell = readonly [x: number, y: number, value: number, time: number];

const HEADER: ChangesHeader = {
  layer: "default",
  from: 812,
  to: 815,
  time: 1e12,
};

function write(
  cells: Iterable<Cell>,
  options: Partial<ConstructorParameters<typeof ChangesWriter>[0]> = {},
): Uint8Array<ArrayBuffer>[] {
  const writer = new ChangesWriter({ ...HEADER, ...options });
  for (const cell of cells) writer.cell(...cell);
  return writer.finish();
}

/** A delta in one part, as it arrives. */
function delta(
  from: number,
  to: number,
  cells: readonly Cell[] = [],
  rest: Partial<ChangesHeader> = {},
): ChangesPart {
  const [payload] = write(cells, { from, to, ...rest });
  return parseChanges(payload!);
}

pure("ChangesWriter writes the JSON of the specification", () => {
  const [part, ...more] = write([[1, 2, 1, 1e12 - 1], [-1, 3, -1, 0]], {
    layer: "campus2/l2",
    staleAfter: 60_000,
    began: 1e12 - 5,
  });
  assert.deepEqual(more, []);
  assert.equal(
    textOf(part!),
    '{"layer":"campus2/l2","from":812,"to":815,"time":1000000000000,' +
      '"staleAfter":60000,"began":999999999995,"part":1,"parts":1,' +
      '"cells":[[1,2,1,999999999999],[-1,3,-1,0]]}',
  );
  const [never] = write([], { staleAfter: Infinity });
  assert.equal("staleAfter" in jsonOf(never!), false);
});

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const cell = fc.tuple(int32, int32, int32, fc.integer({ min: 0, max: 1e14 }));

pure("parseChanges() reads the parts that ChangesWriter wrote", () => {
  fc.assert(
    fc.property(
      fc.array(cell, { maxLength: 200 }),
      fc.integer({ min: 1024, max: 3000 }),
      fc.integer({ min: 0, max: 1000 }),
      (cells, maxBytes, from) => {
        const header = { ...HEADER, from, to: from + 3, staleAfter: 5 };
        const payloads = write(cells, { ...header, maxBytes });
        const rows: Row[] = [];
        payloads.forEach((payload, i) => {
          assert.ok(payload.length <= maxBytes);
          const { part, parts, cells, ...rest } = parseChanges(
            embedded(payload),
          );
          assert.deepEqual(rest, header);
          assert.deepEqual([part, parts], [i + 1, payloads.length]);
          rows.push(...rowsOf(cells));
        });
        assert.deepEqual(rows, cells as unknown as Row[]);
      },
    ),
  );
});

pure("ChangesWriter splits at 256 KiB by default", () => {
  const cells = Array.from(
    { length: 20_000 },
    (_, i): Cell => [i, -i, 1, 1e12],
  );
  const payloads = write(cells);
  assert.ok(payloads.length > 1);
  for (const { length } of payloads) assert.ok(length <= 256 * 1024);
});

pure("parseChanges() refuses other input", () => {
  const good = {
    layer: "a",
    from: 1,
    to: 2,
    time: 5,
    part: 1,
    parts: 1,
    cells: [[1, 2, 3, 4]],
  };
  assert.equal(parseChanges(utf8(JSON.stringify(good))).to, 2);
  const bad: Record<string, unknown>[] = [
    { layer: 5 },
    { from: -1 },
    { from: 1.5 },
    { from: 3 },
    { to: null },
    { time: -1 },
    { time: "5" },
    { staleAfter: -1 },
    { began: "x" },
    { part: 0 },
    { part: 2 },
    { parts: undefined },
    { cells: undefined },
    { cells: [[1, 2, 3]] },
    { cells: [[1, 2, 2 ** 31, 4]] },
    { cells: [[1, 2, 3, null]] },
  ];
  for (const wrong of bad) {
    const payload = utf8(JSON.stringify({ ...good, ...wrong }));
    const { code } = errorOf(() => parseChanges(payload));
    assert.equal(code, "bad-changes", JSON.stringify(wrong));
  }
  assert.equal(errorOf(() => parseChanges(utf8("[]"))).code, "bad-changes");
  assert.equal(errorOf(() => parseChanges(utf8("{"))).code, "bad-json");
});

pure(
  "parseChanges() throws only ProtocolError for arbitrary bytes",
  () => {
    fc.assert(fc.property(
      fc.uint8Array({ maxLength: 400 }),
      (bytes) => void attempt(() => parseChanges(bytes)),
    ));
    const [payload] = write([[1, 2, 3, 4], [5, 6, 7, 8]]);
    fc.assert(fc.property(
      fc.nat(payload!.length - 1),
      fc.nat(255),
      (at, byte) => {
        const damaged = payload!.slice();
        damaged[at] = byte;
        attempt(() => parseChanges(damaged));
      },
    ));
  },
);

pure(
  "ChangesFollower.receive() applies contiguous and overlapping deltas",
  () => {
    const follower = new ChangesFollower({ revision: 10 });
    const contiguous = follower.receive(delta(10, 12, [[1, 2, 3, 4]]));
    assert.deepEqual(rowsOf(contiguous as ReadingBatch), [[1, 2, 3, 4]]);
    assert.equal(follower.revision, 12);
    assert.ok(follower.receive(delta(5, 13)) instanceof ReadingBatch);
    assert.equal(follower.revision, 13);
  },
);

pure("ChangesFollower.receive() ignores known deltas", () => {
  const follower = new ChangesFollower({ revision: 10 });
  assert.equal(follower.receive(delta(8, 10)), "wait");
  assert.equal(follower.receive(delta(7, 9)), "wait");
  assert.equal(
    follower.receive(delta(10, 10)),
    "wait",
    "an announcement of the known revision",
  );
  assert.equal(follower.revision, 10);
});

pure("ChangesFollower.receive() reports a gap and keeps its revision", () => {
  const follower = new ChangesFollower({ revision: 10 });
  assert.equal(follower.receive(delta(11, 12, [[1, 2, 3, 4]])), "gap");
  assert.equal(
    follower.receive(delta(12, 12)),
    "gap",
    "an announcement of a newer revision",
  );
  assert.equal(
    follower.receive(delta(9, 9)),
    "gap",
    "an announcement of an older revision: the map was restored",
  );
  assert.equal(follower.revision, 10);
  assert.ok(follower.receive(delta(10, 12)) instanceof ReadingBatch);
});

pure("ChangesFollower.receive() reports another map by its start", () => {
  const stored = new ChangesFollower({ revision: 10 });
  assert.equal(stored.receive(delta(10, 11, [], { began: 5 })), "other-map");
  const inMemory = new ChangesFollower({ revision: 10, began: 5 });
  assert.equal(inMemory.receive(delta(10, 11)), "other-map");
  assert.equal(inMemory.receive(delta(10, 11, [], { began: 6 })), "other-map");
  assert.ok(
    inMemory.receive(delta(10, 11, [], { began: 5 })) instanceof ReadingBatch,
  );
});

pure("ChangesFollower.receive() waits for all parts, in any order", () => {
  const cells = Array.from(
    { length: 100 },
    (_, i): Cell => [i, 7 - i, i, 1e12],
  );
  const parts = write(cells, { maxBytes: 1024 }).map(parseChanges);
  assert.ok(parts.length > 2);
  fc.assert(fc.property(
    fc.shuffledSubarray(parts, { minLength: parts.length }),
    fc.nat(parts.length - 2),
    (shuffled, twice) => {
      const follower = new ChangesFollower({ revision: 812 });
      for (const part of shuffled.slice(0, -1)) {
        assert.equal(follower.receive(part), "wait");
        assert.equal(follower.receive(shuffled[0]!), "wait");
      }
      assert.equal(follower.receive(shuffled[twice]!), "wait");
      assert.equal(
        follower.revision,
        812,
        "unchanged until all parts have arrived",
      );
      const all = follower.receive(shuffled.at(-1)!);
      assert.deepEqual(rowsOf(all as ReadingBatch), cells as unknown as Row[]);
      assert.equal(follower.revision, 815);
    },
  ));
});

pure(
  "ChangesFollower.receive() keeps a bounded part of a delta that never ends",
  () => {
    const follower = new ChangesFollower({ revision: 812 });
    const part = delta(812, 815);
    const endless = (number: number): ChangesPart => ({
      ...part,
      part: number,
      parts: 1_000_000,
    });
    for (let number = 1; number <= 10_000; number++) {
      assert.equal(follower.receive(endless(number)), "wait");
    }
    assert.equal(
      follower.receive(endless(10_001)),
      "gap",
      "the parts are dropped",
    );
    assert.equal(follower.receive(endless(10_002)), "wait");

    const cells = new ReadingBatch();
    for (let i = 0; i < 600_000; i++) cells.push(i, 0, 1, 1e12);
    assert.equal(follower.receive({ ...endless(1), cells }), "wait");
    assert.equal(
      follower.receive({ ...endless(1), cells }),
      "wait",
      "repeated",
    );
    assert.equal(follower.receive({ ...endless(2), cells }), "gap");
    assert.ok(follower.receive(part) instanceof ReadingBatch);
  },
);

pure("ChangesFollower.receive() reports a gap after a lost part", () => {
  const cells = Array.from(
    { length: 100 },
    (_, i): Cell => [i, 7 - i, i, 1e12],
  );
  const parts = write(cells, { maxBytes: 1024 }).map(parseChanges);
  const follower = new ChangesFollower({ revision: 812 });
  for (const part of parts.slice(1)) {
    assert.equal(follower.receive(part), "wait");
  }
  assert.equal(follower.receive(delta(815, 816)), "gap");
  assert.ok(follower.receive(delta(812, 816)) instanceof ReadingBatch);
});

/** Each revision changes a cell. Some revisions end a delta. */
const history = fc.record({
  changes: fc.array(fc.tuple(fc.nat(5), fc.nat(9)), { minLength: 1 }),
  ends: fc.array(fc.boolean()),
  deliveries: fc.array(fc.constantFrom("arrives", "lost", "twice", "late")),
});

pure(
  "ChangesFollower has the server's map after lost, late and repeated deltas",
  () => {
    fc.assert(fc.property(history, ({ changes, ends, deliveries }) => {
      const server: number[] = [];
      const changedAt: number[] = [];
      const since = (revision: number): Cell[] =>
        server.flatMap((value, x): Cell[] =>
          changedAt[x]! > revision ? [[x, 0, value, 0]] : []
        );
      const client: number[] = [];
      let follower = new ChangesFollower({ revision: 0 });
      const applyCells = (cells: ReadingBatch) => {
        for (let i = 0; i < cells.length; i++) {
          client[cells.x[i]!] = cells.value[i]!;
        }
      };
      const late: ChangesPart[] = [];
      let published = 0;
      const receive = (part: ChangesPart, revision: number) => {
        const result = follower.receive(part);
        if (typeof result !== "string") applyCells(result);
        else if (result === "gap") {
          applyCells(
            delta(follower.revision, revision, since(follower.revision))
              .cells,
          );
          follower = new ChangesFollower({ revision });
        }
        if (follower.revision === revision) assert.deepEqual(client, server);
      };
      changes.forEach(([x, value], i) => {
        const revision = i + 1;
        server[x] = value;
        changedAt[x] = revision;
        if (!ends[i % (ends.length || 1)]) return;
        const part = delta(published, revision, since(published));
        published = revision;
        const delivery = deliveries[i % (deliveries.length || 1)];
        if (delivery === "late") late.push(part);
        if (delivery === "lost" || delivery === "late") return;
        receive(part, revision);
        if (delivery === "twice") receive(part, revision);
        for (const old of late.splice(0)) receive(old, revision);
      });
      receive(delta(changes.length, changes.length), changes.length);
      assert.equal(follower.revision, changes.length);
      assert.deepEqual(client, server);
    }));
  },
);
