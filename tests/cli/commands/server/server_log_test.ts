/** The log of `occupancy server`: in a terminal, in a pipe, as JSON. */
import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import {
  occupancy,
  type Running,
  runOccupancy,
} from "../../../support/processes.ts";
import { freePort } from "../../../support/temp.ts";
import { until } from "../../../support/until.ts";
import { TerminalSession } from "../../terminal_session.ts";

const SERVER = ["server", "--listen", "127.0.0.1:0", "--store", "memory:"];
const CLEAR = "\r\x1b[2K";

/** The address of the embedded broker. */
async function urlOf(server: Running) {
  const [, port] = await server.waitFor(/127\.0\.0\.1:(\d+)/);
  return `mqtt://127.0.0.1:${port}`;
}

Deno.test({
  name: "server in a terminal prints six lines, then updates a status line",
  ...needs("script"),
  fn: async () => {
    await using server = new TerminalSession(SERVER, { columns: 80, rows: 24 });
    await server.shows(/0 readings\/s · 0 cells · no errors · embedded broker/);
    const [banner, status] = server.output.split(CLEAR);
    const lines = banner!.trimEnd().split("\r\n");
    assert.equal(lines.length, 6, lines.join("\n"));
    assert.match(lines[0]!, /^occupancy \d+\.\d+\.\d+$/);
    assert.match(lines[1]!, /Broker +embedded broker on 127\.0\.0\.1:\d+$/);
    assert.match(lines[2]!, /Map +0 cells in memory/);
    assert.match(
      lines[3]!,
      /History +the last 30 days, with rollups of 2 years$/,
    );
    assert.match(lines[5]!, /Ctrl-C/);
    assert.doesNotMatch(status!, /\n/);

    const [, port] = /127\.0\.0\.1:(\d+)/.exec(banner!)!;
    const client = await runOccupancy(
      ["client", "-f", "-", "-b", `mqtt://127.0.0.1:${port}`, "--no-request"],
      { input: "1,2,1\n1,3,0\nx,1,1\n" },
    );
    assert.equal(client.code, 3);
    await server.shows(/· 2 cells · no errors/);
    await server.type("\x03");
    assert.equal(await server.ended(), 0);
    assert.match(server.output, /Shutting down: processing what was received/);
    // The status line is removed.
    assert.ok(server.output.endsWith(CLEAR), server.output);
  },
});

Deno.test({
  name: "server in a terminal prints warnings above the status line and in it",
  ...needs("script"),
  fn: async () => {
    await using server = new TerminalSession(SERVER, {
      columns: 120,
      rows: 24,
    });
    await server.shows(/no errors/);
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(server.output)!;
    const future = Date.now() + 3_600_000;
    const client = await runOccupancy(
      ["client", "-f", "-", "-b", `mqtt://127.0.0.1:${port}`],
      { input: `1,2,1,${future}\n` },
    );
    assert.equal(client.code, 3, client.stderr);
    await server.shows(
      /\d s ago: Refused on occupancy\/data, row 1: observed in the f/,
    );
    assert.match(
      server.output,
      /[\d:.]+ Warning: Refused on .* \[future\][^\r]*\r\n0 readings/,
    );
  },
});

Deno.test({
  name: "server in a pipe logs lines with times, or JSON",
  ...needs(),
  fn: async () => {
    await using text = occupancy(SERVER);
    await text.waitFor(/Ready: /);
    for (const line of text.stderr.trimEnd().split("\n")) {
      assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S/);
    }
    assert.ok(!text.stderr.includes("\x1b"));

    await using json = occupancy([...SERVER, "--log-format", "json"]);
    const url = await urlOf(json);
    await json.waitFor(/Ready: /);
    await runOccupancy(["client", "-f", "-", "-b", url, "--no-request"], {
      input: `1,1,1,${Date.now() + 3_600_000}`,
    });
    await json.waitFor(/\[future\]/);
    json.kill();
    const { code, stdout, stderr } = await json.ended();
    assert.deepEqual([code, stdout], [0, ""]);
    const records = stderr.trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.match(records[0].message, /^Started the embedded broker on/);
    const refused = records.find(({ message }) => /future/.test(message));
    assert.equal(refused.level, "WARN");
    assert.ok(
      Math.abs(Date.parse(refused["@timestamp"]) - Date.now()) < 60_000,
    );
  },
});

Deno.test({
  name: "server --quiet and --log-level set the minimum level",
  ...needs(),
  fn: async () => {
    for (const flags of [["--quiet"], ["--log-level", "error"]]) {
      const address = `127.0.0.1:${freePort()}`;
      await using server = occupancy([
        ...["server", "--listen", address, "--store", "memory:", ...flags],
      ]);
      const answered = await until(async () => {
        const ended = await runOccupancy([
          "request",
          "-b",
          `mqtt://${address}`,
          "--quiet",
        ]);
        return ended.code === 0 && ended;
      });
      assert.equal(answered.stderr, "");
      server.kill();
      assert.equal((await server.ended()).stderr, "");
    }
    const failed = await runOccupancy([
      ...["server", "--broker", "mqtt://127.0.0.1:1", "--log-format", "json"],
    ]);
    assert.equal(failed.code, 4);
    const record = JSON.parse(failed.stderr);
    assert.equal(record.level, "ERROR");
    assert.match(
      record.message,
      /^Cannot connect to .*: no broker is running there \(.+\)$/,
    );
  },
});
