/** `occupancy layers` as a process, against a server with HTTP. */
import assert from "node:assert/strict";
import { Token } from "../../../../src/http/mod.ts";
import { startServer } from "../../../http/support.ts";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import { runOccupancy } from "../../../support/processes.ts";
import { tempDir } from "../../../support/temp.ts";
import { TerminalSession } from "../../terminal_session.ts";

const NOW = 1_760_000_000_000;
const SECRET = "correct-horse-battery-staple";

function layers(url: string, ...args: string[]) {
  return runOccupancy(["layers", ...args, "--url", url]);
}

async function serverWithLayers() {
  const server = await startServer({
    clock: () => NOW,
    ageing: { staleAfter: 60_000 },
  });
  await server.post(`1,1,1\n1,2,0\n1,3,-1\n1,4,4,${NOW - 90_000}`);
  await server.post("7,7,1", "?layer=hall/l2");
  return server;
}

Deno.test({
  name: "layers list prints tab-separated lines in a pipe, and JSON",
  ...needs(),
  fn: async () => {
    await using server = await serverWithLayers();
    const time = new Date(NOW).toISOString();
    const { code, stdout, stderr } = await layers(server.url, "list");
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.split("\n"), [
      `default\t4\t1\t1\t1\t1\t${time}`,
      `hall/l2\t1\t1\t0\t0\t0\t${time}`,
      "",
    ]);
    const json = await layers(server.url, "list", "--json");
    const objects = json.stdout.trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.deepEqual(objects, (await server.json("/api/v1/layers")).layers);
  },
});

Deno.test({
  name: "layers list prints a table in a terminal",
  ...needs("script"),
  fn: async () => {
    await using server = await serverWithLayers();
    const args = ["layers", "list", "--url", server.url];
    await using session = new TerminalSession(args, {
      columns: 100,
      rows: 20,
      env: { NO_COLOR: "1" },
    });
    assert.equal(await session.ended(), 0);
    assert.match(session.output, /^layer +cells +occupied +free +stale/m);
    assert.match(session.output, /^default +4 +1 +1 +1 +1 .*0 s\r?$/m);
    assert.match(session.output, /^hall\/l2 +1 +1 +0 +0 +0 /m);
  },
});

Deno.test({
  name: "layers list omits columns in a narrow terminal",
  ...needs("script"),
  fn: async () => {
    await using server = await serverWithLayers();
    const heads = [
      [
        80,
        /^layer +cells +occupied +free +stale +unknown +last reading +age\r?$/m,
      ],
      [76, /^layer +cells +occupied +free +stale +unknown +age\r?$/m],
      [40, /^layer +cells +occupied +free +age\r?$/m],
      [20, /^layer +cells +age\r?$/m],
      [15, /^layer +cells +occupied +/m], // too narrow for any
    ] as const;
    for (const [columns, head] of heads) {
      await using session = new TerminalSession(
        ["layers", "list", "--url", server.url],
        { columns, rows: 20, env: { NO_COLOR: "1" } },
      );
      assert.equal(await session.ended(), 0);
      assert.match(session.output, head, `${columns} columns`);
    }
  },
});

Deno.test({
  name:
    "layers delete --yes deletes the named layers, or none if one is missing",
  ...needs(),
  fn: async () => {
    await using server = await serverWithLayers();
    await server.post("1,1,1", `?layer=${encodeURIComponent("..")}`);
    assertFailure(
      await layers(server.url, "delete", "--yes", "default", "nope"),
      1,
      /There is no layer nope$/m,
      /Nothing was deleted\./,
    );
    assertFailure(
      await layers(server.url, "delete", "default"),
      2,
      /Cannot ask before the deletion: stdin is not a terminal/,
      /--yes/,
    );
    assertFailure(
      await layers(server.url, "delete", "--yes"),
      2,
      /Missing layer after occupancy layers delete/,
      /layers list/,
    );
    assert.equal(server.map.layerCount, 3);
    const ended = await layers(server.url, "delete", "-y", "hall/l2", "..");
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.stdout, "");
    assert.equal(
      ended.stderr,
      "Deleted hall/l2 with 1 cell\nDeleted .. with 1 cell\n",
    );
    const json = await layers(server.url, "delete", "-y", "--json", "default");
    const deleted = JSON.parse(json.stdout);
    assert.deepEqual([deleted.layer, deleted.cells], ["default", 4]);
    assert.equal(server.map.layerCount, 0);
  },
});

Deno.test({
  name: "layers delete asks in a terminal",
  ...needs("script"),
  fn: async () => {
    await using server = await serverWithLayers();
    for (const [answer, remaining] of [["n", 2], ["", 2], ["y", 0]] as const) {
      const args = ["layers", "delete", "default", "hall/l2"];
      await using session = new TerminalSession(
        [...args, "--url", server.url],
        {
          columns: 100,
          rows: 20,
        },
      );
      await session.shows(/\[y\/N\]/);
      assert.match(
        session.output,
        /Delete default \(4 cells\) and hall\/l2 \(1 cell\), 5 cells in all\?/,
      );
      await session.type(`${answer}\n`);
      assert.equal(await session.ended(), 0);
      assert.equal(server.map.layerCount, remaining, `after "${answer}"`);
    }
  },
});

Deno.test({
  name: "layers needs the token of the server",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/token`;
    await Deno.writeTextFile(path, `${SECRET}\n`);
    await using server = await startServer({ token: new Token(SECRET) });
    server.publish("1,1,1");
    assertFailure(
      await layers(server.url, "list"),
      1,
      /The server refused the request: This server requires a token$/m,
      /--http-token-file/,
    );
    const args = ["delete", "--yes", "default", "--http-token-file", path];
    const ended = await layers(server.url, ...args);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(server.map.layerCount, 0);
  },
});

Deno.test({
  name:
    "layers fails with 5 if no server answers, and with 2 for a wrong address",
  ...needs(),
  fn: async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const url = `http://127.0.0.1:${port}`;
    assertFailure(
      await layers(url, "list", "--timeout", "300ms"),
      5,
      /Cannot reach .*: no answer within 0\.3 s$/m,
      /--timeout/,
    );
    listener.close();
    assertFailure(
      await layers(url, "list"),
      5,
      /Cannot reach .*: connection refused$/m,
      /Start the server/,
    );
    assertFailure(
      await layers("ftp://x", "list"),
      2,
      /Invalid --url "ftp:\/\/x"/,
      /http:\/\/127\.0\.0\.1:8080/,
    );
    await using other = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("<html>", { status: 200 }),
    );
    assertFailure(
      await layers(`http://127.0.0.1:${other.addr.port}`, "list"),
      1,
      /is not that of an occupancy server$/m,
    );
  },
});
