/** `occupancy zones` as a process, against a server with HTTP. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { Token } from "../../../../src/http/mod.ts";
import { startServer, type TestServer } from "../../../http/support.ts";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import { ROOT, Running, runOccupancy } from "../../../support/processes.ts";
import { tempDir } from "../../../support/temp.ts";
import { TerminalSession } from "../../terminal_session.ts";

const NOW = 1_760_000_000_000;

function zones(url: string, ...args: string[]) {
  return runOccupancy(["zones", ...args, "--url", url]);
}

/** Runs a command that must succeed, and returns its messages. */
async function succeed(url: string, ...args: string[]): Promise<string> {
  const { code, stderr } = await zones(url, ...args);
  assert.equal(code, 0, stderr);
  return stderr;
}

const names = (
  server: TestServer,
) => [...server.context.zones.definitions.keys()];

function feature(name: string, x0: number, x1: number, more = {}) {
  return {
    type: "Feature",
    properties: { name, ...more },
    geometry: {
      type: "Polygon",
      coordinates: [[[x0, 0], [x1, 0], [x1, 4], [x0, 4], [x0, 0]]],
    },
  };
}

const collection = (...features: unknown[]) =>
  JSON.stringify({ type: "FeatureCollection", features });

Deno.test({
  name: "zones set adds a zone, changes its properties, and removes them",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const { url } = server;
    const read = (name = "lobby") => server.json(`/api/v1/zones/${name}`);
    assertFailure(
      await zones(url, "set", "lobby", "--capacity", "4"),
      1,
      /There is no zone lobby$/m,
      /--rect/,
    );
    assert.equal(
      await succeed(
        ...[url, "set", "lobby", "--rect=-3,9,-1,0", "--title", "Café"],
        ...["--capacity", "20", "--clear-after", "90s", "--layer", "l2"],
        ...["--occupied-when", "percent=12.5", "--stale-after", "2h"],
      ),
      "Added lobby\n",
    );
    assert.deepEqual(await read(), {
      type: "Feature",
      properties: {
        name: "lobby",
        layer: "l2",
        title: "Café",
        capacity: 20,
        occupiedWhen: { percent: 12.5 },
        clearAfter: "90s",
        staleAfter: "2h",
      },
      geometry: {
        type: "Polygon",
        coordinates: [[[-3, 0], [0, 0], [0, 10], [-3, 10], [-3, 0]]],
      },
    });
    assert.equal(
      await succeed(
        ...[url, "set", "lobby", "--title=", "--capacity", "none"],
        ...["--stale-after", "none", "--clear-after", "0"],
      ),
      "Changed lobby\n",
    );
    assert.deepEqual((await read()).properties, {
      name: "lobby",
      layer: "l2",
      occupiedWhen: { percent: 12.5 },
    });
    assert.equal(
      await succeed(url, "set", "lobby", "--layer", "l2"),
      "lobby is as it was\n",
    );
    // What other tools have written is kept.
    await server.get("/api/v1/zones/..".replace("..", "%2F.."), {
      method: "PUT",
      body: JSON.stringify({ ...feature("..", 0, 1, { fill: "#f00" }), id: 7 }),
    });
    await succeed(url, "set", "..", "--capacity", "3");
    const { id, properties } = await read("%2F..");
    assert.deepEqual([id, properties.fill, properties.capacity], [
      7,
      "#f00",
      3,
    ]);
  },
});

Deno.test({
  name: "zones set refuses what is not valid, and settings of other commands",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const { url } = server;
    await succeed(url, "set", "a", "--rect", "0,0,1,1");
    for (
      const [args, code, message, hint] of [
        [["set", "a"], 2, /Nothing to set for a/, /--capacity 20/],
        [["set"], 2, /Missing zone after/, /zones list/],
        [
          ["set", "a", "b", "--capacity", "1"],
          2,
          /Unexpected argument: b/,
          /./,
        ],
        [["set", "a", "--capacity", "0"], 2, /--capacity "0"/, /or none/],
        [["set", "a", "--stale-after", "0"], 2, /--stale-after "0"/, /or none/],
        [["set", "a", "--rect", "1,2,3"], 2, /--rect/, /four whole numbers/],
        [
          ["set", "a", "--occupied-when", "cells=0.5"],
          2,
          /--occupied-when/,
          /percent=80/,
        ],
        [
          ["set", "a", "--occupied-when", "percent=120"],
          1,
          /zone "a": its occupiedWhen/,
          /capacity/,
        ],
        [
          ["set", "a/b", "--rect", "0,0,1,1"],
          2,
          /The zone name "a\/b" has a slash/,
          /lobby/,
        ],
        [["delete", "-y", "#"], 2, /"#" has a wildcard/, /lobby/],
        [["list", "--capacity", "1"], 2, /--capacity with zones list/, /set/],
        [["set", "a", "--merge"], 2, /--merge with zones set/, /import/],
        [["list", "a"], 2, /Unexpected argument: a/, /./],
      ] as const
    ) assertFailure(await zones(url, ...args), code, message, hint);
    // The layer of the other commands does not move a zone.
    const { code, stderr } = await runOccupancy(
      ["zones", "set", "a", "--capacity", "5", "--url", url],
      { env: { OCCUPANCY_LAYER: "elsewhere" } },
    );
    assert.equal(code, 0, stderr);
    const { properties } = await server.json("/api/v1/zones/a");
    assert.deepEqual(properties, { name: "a", capacity: 5 });
  },
});

Deno.test({
  name: "zones list prints the fullest first: lines, JSON, or a table",
  ...needs("script"),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    const { url } = server;
    const empty = await zones(url, "list");
    assert.deepEqual([empty.code, empty.stdout], [0, ""]);
    assert.match(empty.stderr, /There are no zones/);
    await server.get("/api/v1/zones", {
      method: "PUT",
      body: collection(
        feature("empty", 20, 24),
        feature("a", 0, 4, { capacity: 4 }),
        feature("<b>", 10, 14, { title: "B\u202e", capacity: 4 }),
      ),
    });
    await server.post("0,0,1\n10,0,4\n1,0,-1");
    const time = new Date(NOW).toISOString();
    const { stdout } = await zones(url, "list");
    assert.deepEqual(stdout.split("\n"), [
      `<b>\tfull\t4\t4\t100\ttrue\tdefault\tB\u202e\t${time}\t1\t1\t0\t0`,
      `a\toccupied\t1\t4\t25\tfalse\tdefault\ta\t${time}\t2\t1\t0\t1`,
      `empty\tunknown\t0\t\t\tfalse\tdefault\tempty\t${time}\t0\t0\t0\t0`,
      "",
    ]);
    const json = (await zones(url, "list", "--json")).stdout;
    assert.ok(!json.includes("\u202e"));
    const [first] = json.split("\n").map((line) => line && JSON.parse(line));
    assert.deepEqual(first, await server.json("/api/v1/zone-states/%3Cb%3E"));
    await using session = new TerminalSession(["zones", "list", "--url", url], {
      columns: 100,
      rows: 20,
      env: { NO_COLOR: "1" },
    });
    assert.equal(await session.ended(), 0);
    assert.match(session.output, /^zone +title +state +for +count +%\r?$/m);
    assert.match(
      session.output,
      /^<b> +B\\u\{202e\} +full .*4\/4 .*█{10}\r?$/m,
    );
    assert.match(session.output, /^a +a +occupied .*≥1\/4 +25 +██▌\r?$/m);
    assert.match(session.output, /^empty .*unknown .*\? +\?\r?$/m);
  },
});

Deno.test({
  name:
    "zones import replaces or merges; a file that is not valid changes none",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await using dir = await tempDir();
    const { url } = server;
    const first = await dir.file(
      "first.geojson",
      collection(feature("a", 0, 4), feature("b", 4, 8)),
    );
    const second = await dir.file(
      "second.geojson",
      collection(feature("b", 4, 9), feature("c", 9, 12)),
    );
    const bad = await dir.file(
      "bad.geojson",
      collection(feature("a", 0, 4), feature("x", 0, 4, { capacity: 0 })),
    );
    assert.match(
      await succeed(url, "import", first),
      /^Imported 2 zones: 2 added, 0 changed, 0 deleted$/m,
    );
    for (
      const more of [[], ["--dry-run"], ["--merge"], ["--dry-run", "--merge"]]
    ) {
      assertFailure(
        await zones(url, "import", bad, ...more),
        1,
        /bad\.geojson: zone "x": its capacity is not a whole number/,
        /Leave the capacity out/,
      );
    }
    assert.match(
      await succeed(url, "import", "--merge", second),
      /2 zones: 1 added, 1 changed, 0 deleted/,
    );
    assert.deepEqual(names(server), ["a", "b", "c"]);
    assertFailure(
      await zones(url, "import", second),
      2,
      /Cannot ask before the deletion of 1 zone that the file does not have/,
      /--yes/,
    );
    assert.deepEqual(names(server), ["a", "b", "c"]);
    const json = await zones(url, "import", "--yes", "--json", second);
    const { version: _, ...counts } = JSON.parse(json.stdout);
    assert.deepEqual(counts, { added: 0, changed: 0, deleted: 1 });
    assert.deepEqual(names(server), ["b", "c"]);
    // Without a server.
    const { code, stderr } = await zones(
      "http://127.0.0.1:1",
      ...["import", "--dry-run", second],
    );
    assert.deepEqual([code, stderr], [0, `${second} has 2 zones, all valid\n`]);
    assertFailure(
      await zones(url, "import", `${dir.path}/none`),
      1,
      /No such file/,
      /Check the path/,
    );
    assertFailure(await zones(url, "import"), 2, /Missing file/, /stdin/);
  },
});

Deno.test({
  name: "zones export writes what import reads, to stdout or a file",
  ...needs("script"),
  fn: async () => {
    await using server = await startServer();
    await using dir = await tempDir();
    const { url } = server;
    const put = collection(feature("a", 0, 4), feature("b", 4, 8, { fill: 1 }));
    await server.get("/api/v1/zones", { method: "PUT", body: put });
    const { stdout } = await zones(url, "export");
    assert.deepEqual(JSON.parse(stdout), JSON.parse(put));
    const path = `${dir.path}/zones.geojson`;
    await Deno.writeTextFile(path, "old", { mode: 0o640 });
    assert.equal(
      await succeed(url, "export", path),
      `Exported 2 zones to ${path}\n`,
    );
    assert.equal(await Deno.readTextFile(path), stdout);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o640);
    const files = [...Deno.readDirSync(dir.path)].map(({ name }) => name);
    assert.deepEqual(files, ["zones.geojson"]);
    // A link stays one.
    await Deno.symlink(path, `${dir.path}/link`);
    await succeed(url, "export", `${dir.path}/link`);
    assert.ok((await Deno.lstat(`${dir.path}/link`)).isSymlink);
    await Deno.mkdir(`${dir.path}/folder`);
    for (const place of ["none/zones.geojson", "folder"]) {
      assertFailure(
        await zones(url, "export", `${dir.path}/${place}`),
        1,
        /Cannot write .*: (there is no such folder|it is a directory)$/m,
        /another file/,
      );
    }
    const strange = feature("a", 0, 4, { note: "\x9b2J\u202e" });
    await server.get("/api/v1/zones", {
      method: "PUT",
      body: collection(strange),
    });
    await using session = new TerminalSession(
      ["zones", "export", "--url", url],
      { columns: 500, rows: 20 },
    );
    assert.equal(await session.ended(), 0);
    assert.ok(session.output.includes('"note":"\\u009b2J\\u202e"'));
    await server.get("/api/v1/zones", { method: "PUT", body: put });
    await using other = await startServer();
    const zonesCommand = `${ROOT}occupancy zones`;
    const search = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
    await using pipe = new Running("sh", [
      "-c",
      `${zonesCommand} export --url ${url} | ${zonesCommand} import - --url ${other.url}`,
    ], { env: { PATH: search } });
    const { code, stderr } = await pipe.ended();
    assert.equal(code, 0, stderr);
    assert.deepEqual(names(other), ["a", "b"]);
  },
});

Deno.test({
  name: "zones delete asks in a terminal, and deletes all or none",
  ...needs("script"),
  fn: async () => {
    await using server = await startServer();
    const { url } = server;
    await server.get("/api/v1/zones", {
      method: "PUT",
      body: collection(...["a", "b", ".."].map((name) => feature(name, 0, 4))),
    });
    assertFailure(
      await zones(url, "delete", "--yes", "a", "nope"),
      1,
      /There is no zone nope$/m,
      /Nothing was deleted\./,
    );
    assertFailure(await zones(url, "delete", "a"), 2, /Cannot ask/, /--yes/);
    assertFailure(await zones(url, "delete", "-y"), 2, /Missing zone/, /./);
    assert.equal(names(server).length, 3);
    for (const [answer, left] of [["n", 3], ["y", 1]] as const) {
      await using session = new TerminalSession(
        ["zones", "delete", "a", "..", "--url", url],
        { columns: 100, rows: 20 },
      );
      await session.shows(/Delete a and \.\.\? \[y\/N\]/);
      await session.type(`${answer}\n`);
      assert.equal(await session.ended(), 0);
      assert.equal(names(server).length, left);
    }
    assert.equal(await succeed(url, "delete", "-y", "b"), "Deleted b\n");
  },
});

Deno.test({
  name: "zones: a token is needed; an edit between two steps is a conflict",
  ...needs(),
  fn: async () => {
    const secret = "correct-horse-battery-staple";
    await using dir = await tempDir();
    const file = await dir.file("token", secret);
    {
      await using server = await startServer({ token: new Token(secret) });
      const set = ["set", "a", "--rect", "0,0,1,1"];
      assertFailure(
        await zones(server.url, ...set),
        1,
        /requires a token/,
        /--http-token-file/,
      );
      await succeed(server.url, ...set, "--http-token-file", file);
    }
    // A server whose zone changes after each answer.
    let version = 0;
    await using changing = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      ({ method, headers }) => {
        const etag = `"${version}"`;
        if (method === "GET") {
          version++;
          const body = JSON.stringify(feature("a", 0, 4));
          return new Response(body, { headers: { etag } });
        }
        assert.notEqual(headers.get("if-match"), etag);
        const problem = {
          code: "changed",
          detail: "Changed.",
          hint: "GET it.",
        };
        return Response.json(problem, { status: 412 });
      },
    );
    const { port } = changing.addr;
    assertFailure(
      await zones(`http://127.0.0.1:${port}`, "set", "a", "--capacity", "3"),
      1,
      /The zones were changed meanwhile$/m,
      /Run the command again/,
    );
    await using other = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("<html>", { headers: { etag: '"1"' } }),
    );
    for (const args of [["list"], ["export", `${dir.path}/zones`]]) {
      const url = `http://127.0.0.1:${other.addr.port}`;
      assertFailure(await zones(url, ...args), 1, /the server|the answer/i);
    }
  },
});
