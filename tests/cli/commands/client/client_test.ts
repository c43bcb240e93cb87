/** `occupancy client` as a process: files, pipes, flags, exit codes. */
import assert from "node:assert/strict";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import {
  type Ended,
  forEachAtOnce,
  runOccupancy,
  type SpawnOptions,
} from "../../../support/processes.ts";
import { RawConnection } from "../../../support/raw_connection.ts";
import { startSystem } from "../../../support/system.ts";
import { tempDir } from "../../../support/temp.ts";
import { until } from "../../../support/until.ts";

/** Files that fail before the client connects. */
const UNUSABLE: {
  name: string;
  content: string | Uint8Array;
  message: RegExp;
  hint: RegExp;
}[] = [
  {
    name: "broken.json",
    content: '{"x":1,',
    message: /Cannot read \S+broken\.json: the JSON does not parse/,
    hint: /Check the JSON/,
  },
  {
    name: "text.json",
    content: "1,2,1\n",
    message: /Cannot read \S+text\.json: the JSON does not parse/,
    hint: /name the file \.csv/,
  },
  {
    name: "number.json",
    content: "5",
    message: /the JSON is neither an object nor an array but 5/,
    hint: /./,
  },
  {
    name: "latin1.json",
    content: Uint8Array.of(0x5b, 0x22, 0xe9, 0x22, 0x5d),
    message: /not valid UTF-8/,
    hint: /UTF-8/,
  },
];

/** Files without readings. */
const EMPTY: { name: string; content: string; message: RegExp }[] = [
  { name: "empty.csv", content: "", message: /No readings in \S+empty\.csv/ },
  { name: "empty.json", content: "", message: /No readings in/ },
  { name: "empty.ndjson", content: "", message: /No readings in/ },
  { name: "array.json", content: "[]", message: /No readings in/ },
  { name: "blank.csv", content: "\n \r\n\n", message: /No readings in/ },
  { name: "header.csv", content: "x,y,value\n", message: /No readings in/ },
  {
    name: "bad.csv",
    content: "NaN,1,1\n1e99,1,1\n",
    message: /None of the 2 rows of \S+bad\.csv is a reading/,
  },
  {
    name: "one.csv",
    content: "NaN,1,1\n",
    message: /The only row of \S+one\.csv is not a reading/,
  },
  {
    name: "long.csv",
    content: "1".repeat(3_000_000),
    message: /the line has 3000000 bytes, more than the maximum of 1048576/,
  },
];

/** No broker listens here. */
const NOWHERE = "mqtt://127.0.0.1:1";

Deno.test({
  name: "client describes a file that it cannot read, without connecting",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    for (const { name, content, message, hint } of UNUSABLE) {
      const file = await folder.file(name, content);
      assertFailure(await client(file, NOWHERE), 1, message, hint);
    }
    assertFailure(
      await client(`${folder.path}/absent.csv`, NOWHERE),
      1,
      /No such file: \S+absent\.csv/,
      /path/,
    );
    assertFailure(
      await client(folder.path, NOWHERE),
      1,
      /Cannot read \S+: it is a directory/,
    );
  },
});

Deno.test({
  name: "client fails if there are no readings",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using system = await startSystem("mosquitto");
    for (const { name, content, message } of EMPTY) {
      const file = await folder.file(name, content);
      assertFailure(
        await client(file, system.url),
        1,
        message,
        /A row is x,y,value/,
      );
    }
    assertFailure(
      await client("-", system.url, [], { input: "" }),
      1,
      /No readings in standard input/,
    );
    assert.equal(system.map.size, 0);
  },
});

Deno.test({
  name: "client reads CSV with a BOM, CRLF, a header and negative coordinates",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using system = await startSystem("mosquitto");
    const file = await folder.file(
      "windows.csv",
      "\ufeffx,y,value\r\n-1,-2,1\r\n2147483647,-2147483648,-1\r\n3,4,0",
    );
    const { code, stdout, stderr } = await client(file, system.url, ["--json"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(cellsOf(stdout), [
      [-1, -2, 1],
      [3, 4, 0],
      [2147483647, -2147483648, -1],
    ]);
  },
});

Deno.test({
  name: "client prints bad rows with file and line, skips them, and exits 3",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using system = await startSystem("mosquitto");
    const file = await folder.file(
      "mixed.csv",
      `1,1,1\nNaN,1,1\n2,2,1\n\n1,1e99,1\n${"9".repeat(3000)}\n3,3,1\n1,2\n`,
    );
    const { code, stdout, stderr } = await client(file, system.url, ["--json"]);
    assert.equal(code, 3, stderr);
    assert.deepEqual(cellsOf(stdout), [[1, 1, 1], [2, 2, 1], [3, 3, 1]]);
    const printed = stderr.match(/^Skipped \S+mixed\.csv row \d+: .+$/gm) ?? [];
    assert.deepEqual(
      printed.map((line) => Number(/row (\d+)/.exec(line)![1])),
      [2, 5, 6, 8],
    );
    assert.match(printed[0]!, /x is not an integer: "NaN"/);

    const ndjson = await folder.file(
      "mixed.ndjson",
      '{"x":7,"y":7,"value":1}\n{"x":7}\nnonsense\n[]\n{"x":8,"y":8,"value":null}\n',
    );
    const second = await client(ndjson, system.url, ["--no-request"]);
    assert.equal(second.code, 3, second.stderr);
    assert.match(second.stderr, /Skipped \S+mixed\.ndjson row 2: y is missing/);
    assert.match(second.stderr, /row 3: the JSON does not parse/);

    const json = await folder.file(
      "mixed.json",
      '[{"x":9,"y":9,"value":1},{"x":9.5,"y":9,"value":1}]',
    );
    const third = await client(json, system.url, ["--no-request"]);
    assert.equal(third.code, 3, third.stderr);
    assert.match(third.stderr, /row 2: x is not an integer: 9\.5/);
  },
});

Deno.test({
  name: "client counts the bad rows that it does not print",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using system = await startSystem("mosquitto");
    const file = await folder.file("many.csv", "1,1,1\n" + "bad\n".repeat(500));
    const { code, stderr } = await client(file, system.url, ["--no-request"]);
    assert.equal(code, 3, stderr);
    assert.ok(stderr.split("\n").length < 30);
    assert.match(stderr, /Skipped 500 rows of \S+many\.csv in total/);
  },
});

Deno.test({
  name: "client --strict stops at the first bad row; those before it are sent",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using system = await startSystem("mosquitto");
    const rows = { "a.csv": "1,1,1\n2,2,1\nbad\n3,3,1\n" };
    const json =
      '[{"x":1,"y":1,"value":1},{"x":2,"y":2,"value":1},{},{"x":3,"y":3,"value":1}]';
    const files = {
      ...rows,
      "b.json": json,
      "c.ndjson": json.slice(1, -1).replaceAll("},{", "}\n{"),
    };
    for (const [name, content] of Object.entries(files)) {
      const layer = name.slice(0, 1);
      const file = await folder.file(name, content);
      assertFailure(
        await client(file, system.url, ["--strict", "--layer", layer]),
        1,
        new RegExp(`Stopped at \\S+${name} row 3: `),
        /rows before it have been sent/,
      );
      assert.equal(system.map.layer(layer)?.size, 2, name);
    }
  },
});

Deno.test({
  name: "client --file - reads every format from a pipe",
  ...needs("mosquitto"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    const inputs = [
      "1,1,1\n",
      '{"x":2,"y":2,"value":1}\n{"x":3,"y":3,"value":1}\n',
      '[{"x":4,"y":4,"value":1}]',
      '{"cells":[[5,5,1]]}',
    ];
    for (const input of inputs) {
      const { code, stderr } = await client("-", system.url, ["--no-request"], {
        input,
      });
      assert.equal(code, 0, stderr);
    }
    // The broker has acknowledged it; the server may still process it.
    await until(() => system.map.size === 5);
  },
});

Deno.test({
  name: "client --batch, --source, --layer and --interval shape the messages",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using system = await startSystem("mosquitto");
    await using watcher = await RawConnection.open(system.port, "watcher");
    await watcher.subscribe("occupancy/data/#");
    const file = await folder.file("three.csv", "1,1,1\n2,2,1\n3,3,1\n");
    const shape = async (...flags: string[]) => {
      const ended = await client(file, system.url, ["--no-request", ...flags]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(ended.stdout, "");
      return watcher.takeReceived("publish")
        .map(({ topic, payload }) => [topic, payload.toString()]);
    };
    assert.deepEqual(await shape(), [
      ["occupancy/data", "1,1,1\n2,2,1\n3,3,1\n"],
    ]);
    assert.deepEqual(await shape("--batch", "2", "--layer", "hall/l2"), [
      ["occupancy/data/hall/l2", "1,1,1\n2,2,1\n"],
      ["occupancy/data/hall/l2", "3,3,1\n"],
    ]);
    assert.deepEqual(await shape("--source", "north"), [
      [
        "occupancy/data",
        '{"source":"north","cells":[[1,1,1],[2,2,1],[3,3,1]]}',
      ],
    ]);
    const start = performance.now();
    assert.equal((await shape("--interval", "50ms")).length, 3);
    assert.ok(performance.now() - start >= 100, "two pauses between three");
  },
});

Deno.test({
  name: "client with invalid flags: exit 2 and a hint",
  ...needs(),
  fn: async () => {
    const file = ["--file", "client1.json"];
    const cases: [args: string[], message: RegExp][] = [
      [[], /Missing --file/],
      [["--file"], /Missing value of --file/],
      [[...file, "--batch", "0"], /whole number from 1/],
      [[...file, "--batch", "x"], /whole number from 1/],
      [[...file, "--interval", "soon"], /500ms/],
      [
        [...file, "--wire", "morse"],
        /Invalid --wire "morse"[^]*current or original/,
      ],
      [[...file, "--nonsense"], /Unknown option: --nonsense/],
      [[...file, "--layer", "a//b"], /layer name "a\/\/b" has an empty level/],
      [[...file, "--prefix", "a/#"], /wildcard/],
      [
        [...file, "--wire", "original", "--layer", "l2"],
        /Cannot use --layer with --wire original/,
      ],
      [
        [...file, "--wire", "original", "--batch", "2"],
        /Cannot use --batch with --wire original/,
      ],
      [
        [...file, "--wire", "original", "--source", "s"],
        /Cannot use --source with --wire original/,
      ],
      [[...file, "--source", "s".repeat(300)], /over 200 characters/],
    ];
    await forEachAtOnce(cases, async ([args, message]) =>
      assertFailure(
        await runOccupancy(["client", "--broker", NOWHERE, ...args]),
        2,
        message,
        /./,
      ));
  },
});

function client(
  file: string,
  broker: string,
  flags: string[] = [],
  options: SpawnOptions = {},
): Promise<Ended> {
  return runOccupancy(
    ["client", "--file", file, "--broker", broker, ...flags],
    options,
  );
}

/** x, y and value of the cells that --json printed, by row. */
function cellsOf(json: string): number[][] {
  return JSON.parse(json).cells.map((cell: number[]) => cell.slice(0, 3))
    .sort((a: number[], b: number[]) => a[0]! - b[0]!);
}
