/** The file of `--zones`: reading it, and reloading it when it changes. */
import assert from "node:assert/strict";
import { delay } from "../../../../src/common/async.ts";
import { readZonesFile } from "../../../../src/cli/commands/server/zones_file.ts";
import {
  ZonesWatcher,
  type ZonesWatcherOptions,
} from "../../../../src/cli/commands/server/zones_watcher.ts";
import { describeError } from "../../../../src/cli/errors.ts";
import type { Zone } from "../../../../src/zones/mod.ts";
import { permitted } from "../../../support/needs.ts";
import { Running } from "../../../support/processes.ts";
import { tempDir } from "../../../support/temp.ts";
import { until } from "../../../support/until.ts";

const FAST = { pollMs: 50, debounceMs: 10, settleMs: 100, changingMs: 200 };
/** The system's reports of changes alone must do. */
const NO_POLLS = { pollMs: 60_000 };
const MIB = 1024 * 1024;

/** A collection with a zone of each name. */
function zonesJson(...names: string[]): string {
  const features = names.map((name, index) => ({
    type: "Feature",
    properties: { name },
    geometry: {
      type: "Polygon",
      coordinates: [[0, 1, 2, 3, 0].map((corner) => [
        10 * index + (corner === 1 || corner === 2 ? 4 : 0),
        corner >= 2 ? 4 : 0,
      ])],
    },
  }));
  return JSON.stringify({ type: "FeatureCollection", features }, null, 2);
}

/** A watched file in a folder of its own. */
async function watched(
  times: ZonesWatcherOptions["times"] = {},
  options: Partial<ZonesWatcherOptions> = {},
) {
  const folder = await tempDir();
  const path = await folder.file("zones.geojson", zonesJson("a"));
  const { zones, content } = await readZonesFile(path);
  /** Names of the zones in force, one after the other. */
  const inForce = [namesOf(zones)];
  const lines: string[] = [];
  const log = (level: string) => (line: string) =>
    void lines.push(`${level}: ${line.replaceAll(folder.path, "")}`);
  const watcher = new ZonesWatcher({
    path,
    content,
    onZones: (zones) => {
      inForce.push(namesOf(zones));
      return Promise.resolve({ added: 1, changed: 2, deleted: 3 });
    },
    log: { debug: () => {}, info: log("info"), error: log("error") },
    times: { ...FAST, ...times },
    ...options,
  });
  return {
    ...{ folder, path, watcher, lines },
    /** Waits until these zones are in force. */
    has: (...names: string[]) =>
      until(() => inForce.at(-1) === names.join(), {
        what: () => `${names}, not ${inForce.join(" → ")}; ${lines}`,
      }),
    /** Waits until a line of the log matches. */
    logged: (pattern: RegExp) =>
      until(() => lines.find((line) => pattern.test(line)), {
        what: () => `${pattern} in ${lines.join("\n")}`,
      }),
    inForce,
    errors: () => lines.filter((line) => line.startsWith("error")),
    write: (text: string) => Deno.writeTextFile(path, text),
    [Symbol.asyncDispose]: async () => {
      await watcher[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function namesOf(zones: readonly Zone[]): string {
  return zones.map(({ name }) => name).join();
}

/** Waits for some looks at the file. */
const looks = () => delay(5 * FAST.pollMs);

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !permitted(), fn });
}

test("a file that is replaced by renaming is read again", async () => {
  await using file = await watched(NO_POLLS);
  for (const names of [["b", "c"], ["d"], ["e"]]) {
    const other = await file.folder.file("new", zonesJson(...names));
    await Deno.rename(other, file.path);
    await file.has(...names);
  }
  assert.equal(
    file.lines[0],
    "info: Reloaded the zones file from /zones.geojson: 2 zones, 1 added, 2 changed, 3 deleted",
  );
  assert.equal(file.lines.length, 3);
});

test("a file that is written over is read again", async () => {
  await using file = await watched(NO_POLLS);
  await file.write(zonesJson("b"));
  await file.has("b");
  await file.write(zonesJson("c")); // of the same size
  await file.has("c");
});

test("changes are noticed where the system does not report them", async () => {
  await using folder = await tempDir();
  // The system reports changes in the folder of the link only.
  await Deno.mkdir(`${folder.path}/other`);
  const target = await folder.file("other/zones.geojson", zonesJson("a"));
  const path = `${folder.path}/zones.geojson`;
  await Deno.symlink(target, path);
  await using file = await watched({}, { path });
  await Deno.writeTextFile(target, zonesJson("b"));
  await file.has("b");
  await Deno.writeTextFile(target, zonesJson("c")); // of the same size
  await file.has("c");
});

test("a file that is written in two parts is never half in force", async () => {
  await using file = await watched();
  const text = zonesJson("b", "c", "d");
  for (const pauseMs of [30, 5 * FAST.settleMs]) {
    await file.write(zonesJson("x"));
    await file.has("x");
    using open = await Deno.open(file.path, { write: true, truncate: true });
    const bytes = new TextEncoder().encode(text);
    await open.write(bytes.subarray(0, 200));
    await delay(pauseMs);
    await open.write(bytes.subarray(200));
    await file.has("b", "c", "d");
  }
  assert.deepEqual(file.inForce, ["a", "x", "b,c,d", "x", "b,c,d"]);
  // Only of the part that stayed for long.
  assert.equal(file.errors().length, 1);
  assert.match(
    file.errors()[0]!,
    /^error: Cannot reload the zones file, the old one stays in use: \/zones\.geojson: .*ends in the middle/,
  );
});

test("a file that was deleted and comes back", async () => {
  await using file = await watched();
  const text = zonesJson("a");
  await Deno.remove(file.path);
  await file.logged(/old one stays in use: No such file: \/zones\.geojson/);
  await looks();
  assert.equal(file.errors().length, 1, "logged once");
  await file.write(text);
  await file.logged(/zones\.geojson is valid again, and was not changed/);
  await Deno.remove(file.path);
  await until(() => file.errors().length === 2);
  await file.write(zonesJson("b"));
  await file.has("b");
  assert.deepEqual(file.inForce, ["a", "b"]);
});

test("each time that a file goes away is logged, also if it comes back as it was", async () => {
  await using folder = await tempDir();
  // A link that is removed leaves its target unchanged.
  const target = await folder.file("target", zonesJson("a"));
  await Deno.utime(target, 1, 1); // not new
  const path = `${folder.path}/zones.geojson`;
  await Deno.symlink(target, path);
  await using file = await watched({}, {
    path,
    content: (await readZonesFile(path)).content,
  });
  for (const times of [1, 2]) {
    await Deno.remove(path);
    await until(() => file.errors().length === times);
    await Deno.symlink(target, path);
    await until(() =>
      file.lines.filter((line) => /is valid again/.test(line)).length === times
    );
  }
  assert.deepEqual(file.inForce, ["a"]);
});

test("a folder that was deleted and comes back", async () => {
  await using file = await watched();
  await Deno.remove(file.folder.path, { recursive: true });
  await file.logged(/No such file/);
  await Deno.mkdir(file.folder.path);
  await file.write(zonesJson("b"));
  await file.has("b");
});

test("an invalid file is logged once, then a valid one is used", async () => {
  await using file = await watched();
  await file.write(zonesJson("b", "b"));
  await file.logged(
    /zones\.geojson: feature 2: "b" is also the name of feature 1 \(Give each zone another name\.\)$/,
  );
  await Deno.utime(file.path, 1, 1);
  await looks();
  assert.equal(file.errors().length, 1);
  await file.write(zonesJson("c", "c"));
  await until(() => file.errors().length === 2);
  await file.write(zonesJson("c"));
  await file.has("c");
  assert.deepEqual(file.inForce, ["a", "c"]);
});

test("a file that was touched, or written with the same content, changes nothing", async () => {
  await using file = await watched();
  await Deno.utime(file.path, 1, 1);
  await looks();
  await file.write(zonesJson("a"));
  await looks();
  assert.deepEqual(file.lines, []);
  assert.deepEqual(file.inForce, ["a"]);
});

test("a link to a folder is replaced, as Kubernetes does", async () => {
  await using folder = await tempDir();
  const { path } = folder;
  for (const name of ["1", "2"]) {
    await Deno.mkdir(`${path}/..${name}`);
    await folder.file(`..${name}/zones.geojson`, zonesJson(`v${name}`));
  }
  await Deno.symlink("..1", `${path}/..data`);
  await Deno.symlink("..data/zones.geojson", `${path}/zones.geojson`);
  const file = `${path}/zones.geojson`;
  const { content } = await readZonesFile(file);
  let names = "";
  await using _watcher = new ZonesWatcher({
    path: file,
    content,
    onZones: (zones) => {
      names = namesOf(zones);
      return Promise.resolve(undefined);
    },
    log: { debug() {}, info() {}, error() {} },
    times: { ...FAST, ...NO_POLLS },
  });
  await Deno.symlink("..2", `${path}/..data_tmp`);
  await Deno.rename(`${path}/..data_tmp`, `${path}/..data`);
  await until(() => names === "v2");
});

test("in a folder that changes all the time the file is polled", async () => {
  const lines: string[] = [];
  const log = { debug: (line: string) => void lines.push(line) };
  await using file = await watched({ pollMs: 300 }, {
    log: { ...log, info() {}, error() {} },
  });
  await until(async () => {
    for (let i = 0; i < 50; i++) await file.folder.file("store", "x");
    return lines.some((line) => / is busy$/.test(line));
  });
  await file.write(zonesJson("b"));
  await file.has("b");
});

test("zones that cannot be used now are tried again", async () => {
  let problems = 2;
  const used: string[] = [];
  await using file = await watched({}, {
    onZones: (zones) => {
      if (problems-- > 0) return Promise.reject(new Error("the store fails"));
      used.push(namesOf(zones));
      return Promise.resolve(undefined);
    },
  });
  await file.write(zonesJson("b"));
  await until(() => used.join() === "b");
  assert.ok(file.errors().length <= 1);
});

test("a file that changes all the time is reported", async () => {
  await using file = await watched();
  let isWriting = true;
  const writing = (async () => {
    const text = zonesJson("b");
    for (let length = 1; isWriting; length++) {
      await file.write(text.slice(0, length % text.length));
    }
  })();
  await until(() => file.errors().length > 0, { deadline: 20_000 });
  isWriting = false;
  await writing;
  await file.write(zonesJson("c"));
  await file.has("c");
  assert.ok(file.inForce.every((names) => ["a", "b", "c"].includes(names)));
});

test("reload() reads the file, and throws its fault", async () => {
  await using file = await watched({ pollMs: 60_000, debounceMs: 60_000 });
  await file.write(zonesJson("b"));
  await file.watcher.reload();
  await file.has("b");
  await file.write(zonesJson("c", "c"));
  await assert.rejects(file.watcher.reload(), /feature 2/);
  await file.write("");
  await assert.rejects(file.watcher.reload());
  await Deno.remove(file.path);
  await assert.rejects(file.watcher.reload(), /No such file/);
  assert.deepEqual(file.inForce, ["a", "b"]);
  assert.deepEqual(file.lines, []);
});

test("a fault that reload() has thrown is not logged again", async () => {
  await using file = await watched({ settleMs: 300 });
  await file.write(zonesJson("c", "c"));
  await assert.rejects(file.watcher.reload(), /feature 2/);
  await delay(600);
  await Deno.remove(file.path);
  await assert.rejects(file.watcher.reload(), /No such file/);
  await delay(600);
  assert.deepEqual(file.errors(), []);
});

test("what is not a file, too large or not there is an error", async () => {
  await using folder = await tempDir();
  const fifo = `${folder.path}/fifo`;
  await using mkfifo = new Running("mkfifo", [fifo]);
  assert.equal((await mkfifo.ended()).code, 0);
  const large = await folder.file("large", "");
  await Deno.truncate(large, 100 * MIB);
  const latin1 = await folder.file("latin1", new Uint8Array([0x7b, 0xe4]));
  for (
    const [path, message, exitCode] of [
      [folder.path, /it is a directory$/, 1],
      [fifo, /it is a pipe or a device, not a file$/, 1],
      ["/dev/null", /it is a pipe or a device, not a file$/, 1],
      [`${folder.path}/none`, /^No such file: \S+none$/, 1],
      [large, /has 104857600 bytes, the maximum is 16777216 \(16 MiB\)$/, 2],
      [latin1, /latin1: .*inside a character$/, 2],
      [await folder.file("empty", ""), /empty: /, 2],
    ] as const
  ) {
    const start = performance.now();
    const error = await readZonesFile(path).then(
      () => assert.fail(path),
      describeError,
    );
    assert.match(error.message, message);
    assert.equal(error.exitCode, exitCode, error.message);
    assert.ok(error.hint, "has a hint");
    assert.ok(performance.now() - start < 1000);
  }
});
