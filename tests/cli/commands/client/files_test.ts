/** `occupancy client` with several files, layers and special files. */
import assert from "node:assert/strict";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import { type Ended, runOccupancy } from "../../../support/processes.ts";
import { startSystem, type System } from "../../../support/system.ts";
import { tempDir } from "../../../support/temp.ts";

/** No broker listens here. */
const NOWHERE = "mqtt://127.0.0.1:1";

function client(broker: string, ...args: string[]): Promise<Ended> {
  return runOccupancy(["client", "--broker", broker, ...args]);
}

/** The cells of a layer as `x,y,value,time`, sorted. */
function cellsOf({ map }: System, layer: string): string[] {
  const cells: string[] = [];
  for (const cell = map.layer(layer)!.cells(); cell.next();) {
    cells.push([cell.x, cell.y, cell.value, cell.time].join());
  }
  return cells.sort();
}

Deno.test({
  name: "client sends several files, after --file and as words",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using system = await startSystem("mosquitto");
    const a = await folder.file("a.csv", "1,1,1\n");
    const b = await folder.file("b.json", '[{"x":2,"y":2,"value":1}]');
    const c = await folder.file("c.csv", "y,x,value\n30,3,1\n");
    const { code, stderr, stdout } = await client(
      system.url,
      ...[a, "--file", b, c, "--json"],
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Sent 3 readings in 3 messages/);
    const cells = JSON.parse(stdout).cells.map((cell: number[]) =>
      cell.slice(0, 3).join()
    );
    assert.deepEqual(cells.sort(), ["1,1,1", "2,2,1", "3,30,1"]);
  },
});

Deno.test({
  name: "client puts the exports of two layers back into these layers",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using before = await startSystem("mosquitto");
    const layers = ["floor1", "floor2", "default"];
    for (const [i, layer] of layers.entries()) {
      const file = await folder.file("in.csv", `1,1,${i}\n2,${i},5\n`);
      const { code } = await client(before.url, file, "--layer", layer);
      assert.equal(code, 0);
    }
    const forms = [["--json"], ["--format", "tsv"], [
      ...["--watch", "--json", "--count", "1", "--for", "100ms"],
    ]];
    for (const form of forms) {
      const files: string[] = [];
      for (const layer of layers) {
        const { code, stdout, stderr } = await runOccupancy([
          ...["request", "--broker", before.url, "--layer", layer, ...form],
        ]);
        assert.equal(code, 0, stderr);
        if (stdout.startsWith("{")) {
          const { began } = JSON.parse(stdout.split("\n")[0]!);
          assert.equal(typeof began, "number", "the map is in memory");
        }
        files.push(await folder.file(`${layer}.out`, stdout));
      }
      await using after = await startSystem("mosquitto");
      const { code, stderr, stdout } = await client(
        after.url,
        ...[...files, "--json"],
      );
      assert.equal(code, 0, stderr);
      const printed = stdout.trimEnd().split("\n").map((line) =>
        JSON.parse(line).layer
      );
      assert.deepEqual(printed, layers, "the map of each layer");
      for (const layer of layers) {
        assert.deepEqual(
          cellsOf(after, layer),
          cellsOf(before, layer),
          `${layer} ${form.join(" ")}`,
        );
      }
    }
  },
});

Deno.test({
  name: "client --layer replaces the layer that a file names",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using system = await startSystem("mosquitto");
    const file = await folder.file("a.json", '{"layer":"a","cells":[[1,2,3]]}');
    const { code } = await client(system.url, file, "--layer", "copy");
    assert.equal(code, 0);
    assert.equal(system.map.layer("copy")?.size, 1);
    assert.equal(system.map.layer("a"), undefined);
    assertFailure(
      await client(system.url, file, "--wire", "original"),
      2,
      /Cannot send layer a with --wire original/,
      /--layer default/,
    );
  },
});

Deno.test({
  name: "client without readings or with a missing file fails unconnected",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const empty = await folder.file("empty.csv", "\n");
    const good = await folder.file("good.csv", "1,2,3\n");
    const swapped = await folder.file("swapped.csv", "id,x,y\n7,1,2\n");
    const cases: [args: string[], code: number, message: RegExp][] = [
      [["/dev/null"], 1, /No readings in \/dev\/null/],
      [[empty, "/dev/null"], 1, /No readings in 2 files/],
      [[good, `${folder.path}/absent.csv`], 1, /No such file: \S+absent\.csv/],
      [[swapped], 1, /Cannot read \S+: the header has an unknown column "id"/],
      [["-", "/dev/stdin"], 2, /Cannot read standard input twice/],
    ];
    for (const [args, code, message] of cases) {
      assertFailure(await client(NOWHERE, ...args), code, message, /./);
    }
    assertFailure(
      await client(NOWHERE, "mqtt://localhost:1883"),
      1,
      /No such file: mqtt:/,
      /Did you mean --broker mqtt:/,
    );
  },
});

Deno.test({
  name: "client exits 3 if one of several files has no readings",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using system = await startSystem("mosquitto");
    const empty = await folder.file("empty.csv", "");
    const good = await folder.file("good.csv", "1,2,3\n");
    const { code, stderr } = await client(system.url, empty, good);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /No readings in \S+empty\.csv/);
    assert.equal(system.map.size, 1);
  },
});

Deno.test({
  name: "client reads /dev/stdin as a pipe",
  ...needs("mosquitto"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    for (const [x, name] of ["-", "/dev/stdin", "/dev/fd/0"].entries()) {
      const { code, stderr } = await runOccupancy(
        ["client", "--broker", system.url, name],
        { input: `\n{"x":${x},"y":2,"value":3}\n` },
      );
      assert.equal(code, 0, stderr);
    }
    assert.equal(system.map.size, 3);
  },
});
