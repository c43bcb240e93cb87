/** Servers that share the load of one broker, or two, and one journal. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { parseState, Topics } from "../../src/protocol/mod.ts";
import { cutProxy } from "../support/cut_proxy.ts";
import { FakeJournal } from "../support/fake_shared_store.ts";
import { type Member, startMember } from "../support/group_member.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until } from "../support/until.ts";
import { requestMap, takeJson } from "./support.ts";

const REPLIES = "occupancy/response/scenario";
const ROUNDS = 200;
const READINGS = 40;

/** Publishes readings and then a request, in one write. */
async function round(
  client: RawConnection,
  value: number,
  qos: 0 | 1,
): Promise<readonly (readonly number[])[]> {
  const request = JSON.stringify({ replyTo: REPLIES });
  await client.write(Buffer.concat([
    ...Array.from(
      { length: READINGS },
      (_, i) =>
        encodePublish("occupancy/data", `${i},0,${value}`, { id: 1 + i }),
    ),
    encodePublish("occupancy/request", request, { qos, id: 1000 }),
  ]));
  const { cells } = await takeJson(client);
  client.packets.length = 0;
  return cells;
}

/** The states of the servers that a broker has stored, by topic. */
async function states(port: number): Promise<Record<string, string>> {
  await using client = await RawConnection.open(port, "observer");
  await client.subscribe("occupancy/server/state/#");
  await client.send({ cmd: "pingreq" });
  await until(() => client.packets.some(({ cmd }) => cmd === "pingresp"));
  return Object.fromEntries(client.packets.flatMap((packet) => {
    if (packet.cmd !== "publish") return [];
    const { state } = parseState(packet.payload as Uint8Array);
    return [[packet.topic.slice("occupancy/server/".length), state]];
  }));
}

const total = (members: readonly Member[], key: "messages" | "requests") =>
  members.map(({ server }) => server.stats[key]);

Deno.test({
  name:
    "a request in a group is answered once, after all readings before it, whichever server has them",
  ...needs("mosquitto"),
  fn: async () => {
    await using a = await startMosquitto(["set_tcp_nodelay true"]);
    await using b = await startMosquitto(["set_tcp_nodelay true"]);
    const journal = new FakeJournal({ shards: 2 });
    const urls = [a.url, b.url];
    await using first = await startMember("m1", journal, ...urls);
    await using second = await startMember("m2", journal, ...urls);
    await using third = await startMember("m3", journal, ...urls);
    const members = [first, second, third];
    let value = 0;
    for (const { port } of [a, b]) {
      await using client = await RawConnection.open(port, "client");
      await client.subscribe(REPLIES);
      for (let i = 0; i < ROUNDS; i++) {
        const cells = await round(client, ++value, i % 2 as 0 | 1);
        assert.equal(cells.length, READINGS);
        for (const cell of cells) assert.equal(cell[2], value);
      }
      await client.ping();
      assert.ok(!client.packets.some(({ cmd }) => cmd === "publish"));
    }
    const counts = total(members, "messages");
    assert.equal(counts.reduce((sum, n) => sum + n), 2 * ROUNDS * READINGS);
    for (const count of counts) assert.ok(count > 0, `${counts}`);
    assert.equal(
      total(members, "requests").reduce((sum, n) => sum + n),
      2 * ROUNDS,
    );
    assert.deepEqual(members.flatMap(({ log }) => log), []);
  },
});

Deno.test({
  name:
    "each server of a group has a state, and the common one says online while any is",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const proxy = cutProxy(broker.port);
    const journal = new FakeJournal();
    await using first = await startMember("m1", journal, broker.url);
    const proxied = `mqtt://127.0.0.1:${proxy.port}`;
    await using second = await startMember("m2", journal, proxied);
    const online = { state: "online", "state/m1": "online" };
    assert.deepEqual(await states(broker.port), {
      ...online,
      "state/m2": "online",
    });
    // As when its machine dies: the broker publishes its will.
    await proxy[Symbol.asyncDispose]();
    await until(async () =>
      (await states(broker.port))["state/m2"] === "offline"
    );
    await until(async () => (await states(broker.port)).state === "online");
    await second.server.stop();
    await first.server.stop();
    assert.deepEqual(await states(broker.port), {
      state: "offline",
      "state/m1": "offline",
      "state/m2": "offline",
    });
    const warnings = [...first.log, ...second.log].filter((line) =>
      /topic prefix|server under/.test(line)
    );
    assert.deepEqual(warnings, []);
  },
});

Deno.test({
  name:
    "what waits for a server that died is taken by another one, and requests wait for it",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto(["set_tcp_nodelay true"]);
    const proxy = cutProxy(broker.port);
    const journal = new FakeJournal();
    await using first = await startMember("m1", journal, broker.url);
    await using _second = await startMember("m2", journal, broker.url);
    const proxied = `mqtt://127.0.0.1:${proxy.port}`;
    await using third = await startMember("m3", journal, proxied);
    await using client = await RawConnection.open(broker.port, "client");
    await client.subscribe(REPLIES);
    await round(client, 1, 1);
    // As when its machine dies.
    await proxy[Symbol.asyncDispose]();
    await until(async () =>
      (await states(broker.port))["state/m3"] === "offline"
    );
    const sentAt = Date.now();
    // It waits for the readings in the session of the third one.
    for (const cell of await round(client, 2, 1)) assert.equal(cell[2], 2);
    await until(() => first.log.some((line) => /Took 1\d messages/.test(line)));
    for (let i = 0; i < READINGS; i++) {
      const { time } = first.map.layer("default")!.get(i, 0)!;
      assert.ok(time < sentAt + 1000, "what waited is not dated as new");
    }
    // Its share is over: nothing waits for it.
    const cells = await round(client, 3, 1);
    assert.ok(cells.every(([, , value]) => value === 3));
    const { name, server } = third;
    await server.stop();
    await using again = await startMember(name, journal, broker.url);
    for (let i = 4; i < 20; i++) {
      const cells = await round(client, i, 1);
      assert.ok(cells.every(([, , value]) => value === i));
    }
    assert.ok(again.server.stats.messages > 0);
  },
});

Deno.test({
  name:
    "what waits for a server is taken also if the broker did not notice that it ended",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    {
      // A server that was killed while it started, and then the broker.
      await using killed = await RawConnection.open(broker.port, "m2", {
        clean: false,
      });
      await killed.subscribe("$share/hall/occupancy/data/#", 1);
      const state = { state: "online", name: "m2", group: "hall" };
      await killed.publish(
        "occupancy/server/state/m2",
        JSON.stringify(state),
        { qos: 1, id: 1, retain: true },
      );
      await killed.send({ cmd: "disconnect" });
    }
    const journal = new FakeJournal();
    await using first = await startMember("m1", journal, broker.url);
    await using client = await RawConnection.open(broker.port, "client");
    await client.subscribe(REPLIES);
    await round(client, 1, 1);
    const cells = () => first.map.layer("default")?.size ?? 0;
    assert.ok(cells() < READINGS, "the others wait for the server");
    await until(() => cells() === READINGS);
    await until(() => first.log.some((line) => /Took \d+ mess/.test(line)));
    assert.equal((await round(client, 2, 1)).length, READINGS);
  },
});

Deno.test({
  name: "a request does not wait for ever for a server that does not answer",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const journal = new FakeJournal();
    await using first = await startMember("m1", journal, broker.url);
    await using second = await startMember("m2", journal, broker.url);
    const members = [first, second];
    await using client = await RawConnection.open(broker.port, "client");
    await requestMap(client);
    first.store.failing = true;
    await client.publish("occupancy/data", "1,1,1", { qos: 0 });
    const answered = () => total(members, "requests");
    const began = performance.now();
    // One of two requests is answered by the server whose store works.
    for (let i = 0; i < 2; i++) await requestMap(client);
    assert.ok(performance.now() - began < 15_000);
    assert.equal(answered().reduce((sum, n) => sum + n), 3);
    assert.ok(
      second.log.some((line) => /no answer from "m1"/.test(line)),
      second.log.join("\n"),
    );
    // The later ones do not wait for it again.
    const later = performance.now();
    for (let i = 0; i < 6; i++) await requestMap(client);
    assert.ok(performance.now() - later < 5000);
    first.store.failing = false;
    await until(async () => {
      await using observer = await RawConnection.open(broker.port, "observer");
      await observer.subscribe("occupancy/server/state/m1");
      const { payload } = await observer.take("publish");
      return parseState(payload).problem === undefined;
    });
    await client.subscribe(REPLIES);
    for (let value = 2; value < 12; value++) {
      const cells = await round(client, value, 1);
      const filled = cells.filter(([, y]) => y === 0);
      assert.equal(filled.length, READINGS);
      for (const cell of filled) assert.equal(cell[2], value);
    }
  },
});

Deno.test({
  name: "a server of the same prefix that is not in the group is a warning",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await using member = await startMember(
      "m1",
      new FakeJournal(),
      broker.url,
    );
    await using client = await RawConnection.open(broker.port, "other");
    const state = JSON.stringify({ state: "online", name: "other" });
    await client.publish(new Topics().state, state, { qos: 1, id: 1 });
    await until(() =>
      member.log.some((line) => /"other" runs under this topic/.test(line))
    );
  },
});
