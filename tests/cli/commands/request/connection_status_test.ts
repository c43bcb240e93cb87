/** A live view shows when it is not live. */
import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import { startMosquitto } from "../../../support/mosquitto.ts";
import { occupancy, runOccupancy } from "../../../support/processes.ts";
import { freePort } from "../../../support/temp.ts";
import { TerminalSession } from "../../terminal_session.ts";

const SIZE = { columns: 80, rows: 24 };

/** Starts a server process, which ends with the test. */
async function serverAt(...flags: string[]) {
  const server = occupancy(["server", "--store", "memory:", ...flags]);
  await server.waitFor(/Ready: /);
  return server;
}

async function send(url: string): Promise<void> {
  const args = ["client", "-f", "-", "-b", url, "--no-request"];
  const { code, stderr } = await runOccupancy(args, { input: "1,1,1" });
  assert.equal(code, 0, stderr);
}

for (const form of [[], ["--map"]]) {
  const what = form.length > 0 ? "map" : "table";
  Deno.test({
    name:
      `request --watch: a live ${what} shows at once that the broker is disconnected`,
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
      // Not the later "the server does not answer".
      await watching.shows(/NOT LIVE: disconnected from the broker/);
      await watching.type("q");
      assert.equal(await watching.ended(), 0);
    },
  });
}

Deno.test({
  name:
    "request --watch: a live table shows that the server is offline or silent",
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
    await watching.shows(/NOT LIVE: the server is offline/);
    await watching.type("q");
    assert.equal(await watching.ended(), 0);
  },
});

Deno.test({
  name:
    "request --watch: a live table shows within seconds that the broker hangs",
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
    await watching.shows(/NOT LIVE: the server does not answer/);
    await watching.type("q");
    // Does not wait for pending messages: the broker hangs.
    assert.equal(await watching.ended(), 0);
  },
});
