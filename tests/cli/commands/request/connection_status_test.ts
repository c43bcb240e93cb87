/** A live picture that is not live says so. */
import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import { startMosquitto } from "../../../support/mosquitto.ts";
import { occupancy, runOccupancy } from "../../../support/processes.ts";
import { freePort } from "../../../support/temp.ts";
import { TerminalSession } from "../../terminal_session.ts";

const SIZE = { columns: 80, rows: 24 };

/** A server in a process of its own; it ends with the test. */
async function serverAt(...flags: string[]) {
  const server = occupancy(["server", "--store", "memory:", ...flags]);
  await server.said(/Ready: /);
  return server;
}

async function send(url: string): Promise<void> {
  const args = ["client", "-f", "-", "-b", url, "--no-request"];
  const { code, stderr } = await runOccupancy(args, { input: "1,1,1" });
  assert.equal(code, 0, stderr);
}

for (const form of [[], ["--map"]]) {
  const what = form.length > 0 ? "picture" : "table";
  Deno.test({
    name:
      `request --watch: a live ${what} says at once that the broker is gone`,
    ...needs("script"),
    fn: async () => {
      const address = `127.0.0.1:${freePort()}`;
      const url = `mqtt://${address}`;
      await using server = await serverAt("--listen", address);
      await send(url);
      await using watching = new TerminalSession(
        ["request", "--watch", "-b", url, ...form],
        SIZE,
      );
      await watching.shows(/q quit/);
      assert.doesNotMatch(watching.output, /NOT LIVE/);
      server.kill("SIGKILL");
      const start = performance.now();
      await watching.shows(/NOT LIVE: the broker is gone/);
      assert.ok(performance.now() - start < 2000);
      await watching.type("q");
      assert.equal(await watching.ended(), 0);
    },
  });
}

Deno.test({
  name:
    "request --watch: a live table says that the server is gone, or is silent",
  ...needs("script", "mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await using server = await serverAt("--broker", broker.url);
    await send(broker.url);
    await using watching = new TerminalSession(
      ["request", "--watch", "-b", broker.url, "--timeout", "20s"],
      SIZE,
    );
    await watching.shows(/q quit/);
    server.kill("SIGSTOP");
    await watching.shows(/NOT LIVE: the server does not answer/);
    server.kill("SIGCONT");
    await watching.shows(/does not answer[^]*q quit/);
    server.kill("SIGKILL");
    await watching.shows(/NOT LIVE: the server is gone/);
    await watching.type("q");
    assert.equal(await watching.ended(), 0);
  },
});

Deno.test({
  name:
    "request --watch: a live table of a broker that stands still says so in seconds",
  ...needs("script", "mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await using _server = await serverAt("--broker", broker.url);
    await send(broker.url);
    await using watching = new TerminalSession(
      ["request", "--watch", "-b", broker.url],
      SIZE,
    );
    await watching.shows(/q quit/);
    broker.freeze();
    const start = performance.now();
    await watching.shows(/NOT LIVE: the server does not answer/);
    assert.ok(performance.now() - start < 5000);
    await watching.type("q");
    // What is under way is not waited for: nobody is there to take it.
    assert.equal(await watching.ended(), 0);
  },
});
