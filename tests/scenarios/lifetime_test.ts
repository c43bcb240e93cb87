/** How a server comes, goes, comes back, and is told apart from another. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { occupancy } from "../support/processes.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until } from "../support/until.ts";

const STATE = "occupancy/server/state";

Deno.test({
  name: "a broker that crashes and comes back: the server rejoins and says so",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await using server = occupancy(["server", "--broker", broker.url]);
    await server.said(/Ready/);
    {
      await using client = await RawConnection.open(broker.port, "before");
      await client.write(
        encodePublish("occupancy/data", "1,2,1", { qos: 1, id: 1 }),
      );
      assert.match(await ask(client), /\[1,2,1,\d+\]/);
    }
    await broker.kill();
    await server.said(/Disconnected from the broker \(.+\), reconnecting/);
    await broker.start(); // without persistence: it has forgotten everything
    await server.said(/Reconnected to mqtt:\S+/);
    await using client = await RawConnection.open(broker.port, "after");
    assert.equal(await state(client), "online");
    assert.match(await ask(client), /\[1,2,1,\d+\]/, "the map is still there");
    await client.write(
      encodePublish("occupancy/data", "1,2,5", { qos: 1, id: 1 }),
    );
    assert.match(
      await ask(client),
      /\[1,2,5,\d+\]/,
      "readings are taken again",
    );
  },
});

Deno.test({
  name: "a server that is killed: its will says that it is offline",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await using server = occupancy(["server", "--broker", broker.url]);
    await server.said(/Ready/);
    await using client = await RawConnection.open(broker.port, "watcher");
    assert.equal(await state(client), "online");
    server.kill("SIGKILL");
    assert.equal(await nextState(client), "offline");
    await using late = await RawConnection.open(broker.port, "late");
    assert.equal(await state(late), "offline", "it is retained");
  },
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  for (const kind of ["mosquitto", "embedded"] as const) {
    Deno.test({
      name: `server over ${kind} ends cleanly on ${signal}`,
      ...needs("mosquitto"),
      fn: async () => {
        await using broker = kind === "mosquitto"
          ? await startMosquitto()
          : undefined;
        await using server = occupancy([
          "server",
          ...(broker ? ["--broker", broker.url] : ["--listen", "127.0.0.1:0"]),
        ]);
        await server.said(/Ready/);
        const port = broker?.port ??
          Number((await server.said(/127\.0\.0\.1:(\d+)/))[1]);
        await using client = await RawConnection.open(port, "watcher");
        assert.equal(await state(client), "online");
        server.kill(signal);
        assert.equal(await nextState(client), "offline");
        const { code, stdout, stderr } = await server.ended();
        assert.equal(code, 0, stderr);
        assert.equal(stdout, "");
        assert.doesNotMatch(stderr, / {4}at |Could not|Lost/);
      },
    });
  }
}

Deno.test({
  name:
    "two servers with one name: one ends with a clear sentence, one goes on",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const args = ["server", "--broker", broker.url, "--name", "twin"];
    await using one = occupancy(args);
    await one.said(/Ready/);
    await using other = occupancy(args);
    await other.said(/Ready/);
    // Mosquitto 2.0.11 does not say why it hangs up: it takes a few rounds.
    const { code, stderr } = await Promise.race([one.ended(), other.ended()]);
    assert.equal(code, 4, stderr);
    assert.match(
      stderr,
      /occupancy: Another program connected to mqtt:\S+ with the client id "twin"\n {2}hint: .*--name/,
    );
    assert.doesNotMatch(stderr, / {4}at |Could not/);
    await using client = await RawConnection.open(broker.port, "watcher");
    const online = async () => await state(client) === "online";
    await until(online, { what: "the other one is back" });
    assert.match(await ask(client), /"status":"ok"/);
  },
});

Deno.test({
  name: "a broker that never comes back: the server still ends cleanly",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await using server = occupancy(["server", "--broker", broker.url]);
    await server.said(/Ready/);
    await broker.kill();
    await server.said(/Disconnected from the broker/);
    server.kill("SIGTERM");
    await until(() => /Shutting down/.test(server.stderr));
    const { code, stderr } = await server.ended(10_000);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, / {4}at /);
  },
});

Deno.test({
  name: "a second signal ends a server that waits for its broker, at once",
  ...needs("mosquitto"),
  fn: async () => {
    for (
      const [signal, exitCode] of [["SIGINT", 130], ["SIGTERM", 143]] as const
    ) {
      await using broker = await startMosquitto();
      await using server = occupancy(["server", "--broker", broker.url]);
      await server.said(/Ready/);
      broker.freeze();
      server.kill("SIGTERM");
      await server.said(/Shutting down/);
      server.kill(signal);
      const { code, stderr } = await server.ended(3000);
      assert.equal(code, exitCode, stderr);
    }
  },
});

/** Asks for the map; returns the reply. */
async function ask(client: RawConnection): Promise<string> {
  const topic = "occupancy/response/lifetime";
  await client.subscribe(topic);
  await client.write(encodePublish(
    "occupancy/request",
    JSON.stringify({ replyTo: topic }),
    { qos: 1, id: 2 },
  ));
  return (await client.take("publish")).payload.toString();
}

/** The state that a newcomer is told; what "online" waits for. */
async function state(client: RawConnection): Promise<string> {
  await client.subscribe(STATE);
  return await nextState(client);
}

async function nextState(client: RawConnection): Promise<string> {
  return JSON.parse((await client.take("publish")).payload.toString()).state;
}
