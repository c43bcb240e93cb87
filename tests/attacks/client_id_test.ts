/**
 * A client that takes the client id of the server, again and again: the broker
 * disconnects the server each time.
 */
import assert from "node:assert/strict";
import { requestMap } from "../scenarios/support.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { BROKERS } from "../support/system.ts";
import { until } from "../support/until.ts";

const NAME = "victim";

/** Starts a broker: MQTT 5, or the embedded one of another server, 3.1.1. */
async function startBroker(kind: (typeof BROKERS)[number]) {
  if (kind === "mosquitto") return await startMosquitto();
  const server = occupancy([
    ...["server", "--listen", "127.0.0.1:0", "--prefix", "another"],
  ]);
  const [, port] = await server.waitFor(/127\.0\.0\.1:(\d+)/);
  await server.waitFor(/Ready/);
  return {
    port: Number(port),
    url: `mqtt://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

for (const kind of BROKERS) {
  Deno.test({
    name:
      `a client with the server's client id, ${kind} broker: the server says so, comes back, and has lost no reading`,
    ...needs("mosquitto"),
    fn: async () => {
      await using broker = await startBroker(kind);
      await using server = occupancy([
        ...["server", "--broker", broker.url, "--name", NAME],
        ...["--http", "127.0.0.1:0"],
      ]);
      const [, url] = await server.waitFor(/Dashboard at (http:\S+)/);
      await server.waitFor(/Ready/);
      const ready = async () => {
        const response = await fetch(`${url}readyz`);
        return { status: response.status, text: await response.text() };
      };
      await using good = await RawConnection.open(broker.port, "good");
      let sent = 0;
      let notReady = "";
      // Each takeover ends when the server is back.
      while (!/Another client uses the client id/.test(server.stderr)) {
        await using thief = await RawConnection.open(broker.port, NAME, {
          clean: false,
        });
        let isBack = false;
        const back = thief.ended().then(() => isBack = true);
        await until(async () => {
          const { status, text } = await ready();
          if (status === 503) notReady = text;
          return isBack;
        });
        await back;
        sent++;
        await good.write(
          encodePublish("occupancy/data", `${sent},0,1`, { id: sent }),
        );
        await good.take("puback");
        await until(async () => (await ready()).status === 200);
      }
      assert.match(notReady, /broker-down/);
      assert.ok(sent <= 10, `${sent} takeovers`);

      await until(async () => (await ready()).status === 200);
      await until(async () => (await requestMap(good)).cells.length === sent);
      await using watcher = await RawConnection.open(broker.port, "watcher");
      await watcher.subscribe("occupancy/server/state");
      const { payload } = await watcher.take("publish");
      const state = JSON.parse(payload.toString());
      assert.equal(state.state, "online");
      assert.ok(Date.now() - state.conflict < 60_000);
      const metrics = await (await fetch(`${url}metrics`)).text();
      assert.match(metrics, /limited_total\{limit="client-id-conflict"\} \d/);
      server.kill();
      const { code, stderr } = await server.ended();
      assert.equal(code, 0, stderr);
      assert.match(
        stderr,
        /Disconnected from the broker \(another client uses the client id "victim"\)/,
      );
    },
  });
}
