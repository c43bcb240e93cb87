/** Servers of a group as processes, with Redis, one of which is killed. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy, runOccupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { RedisServer } from "../support/redis.ts";

const READINGS = 20;
const ROUNDS = 60;
const TOPIC = "occupancy/response/scenario";

Deno.test({
  name:
    "three servers with Redis, one killed: each request is answered after all readings before it",
  ...needs("mosquitto", "redis-server"),
  fn: async () => {
    await using broker = await startMosquitto([
      ...["set_tcp_nodelay true", "max_queued_messages 0"],
    ]);
    await using redis = await RedisServer.start();
    const store = ["--store", `redis://127.0.0.1:${redis.port}`];
    const args = (name: string, ...more: string[]) => [
      ...["server", "--broker", broker.url, "--group", "hall"],
      ...["--name", name, ...store, ...more],
    ];
    await using first = occupancy(args("m1"));
    await first.waitFor(/Ready: /);
    await using second = occupancy(args("m2"));
    await using third = occupancy(args("m3"));
    for (const one of [second, third]) await one.waitFor(/Ready: /);
    await using client = await RawConnection.open(broker.port, "client");
    await client.subscribe(TOPIC);
    for (let value = 1; value <= ROUNDS; value++) {
      if (value === ROUNDS / 2) third.kill("SIGKILL");
      const request = { replyTo: TOPIC, transaction: value };
      await client.write(Buffer.concat([
        ...Array.from(
          { length: READINGS },
          (_, i) =>
            encodePublish("occupancy/data", `${i},0,${value}`, { id: 1 + i }),
        ),
        encodePublish("occupancy/request", JSON.stringify(request), { id: 99 }),
      ]));
      const { payload } = await client.take("publish");
      const { cells, transaction } = JSON.parse(payload.toString());
      assert.equal(transaction, value, "answered once");
      assert.equal(cells.length, READINGS);
      for (const cell of cells) assert.equal(cell[2], value);
      client.packets.length = 0;
    }
    await first.waitFor(/Took \d+ messages? that waited for the server "m3"/);
    for (const one of [first, second]) {
      one.kill();
      assert.equal((await one.ended()).code, 0);
    }
  },
});

Deno.test({
  name: "a server of a group says if it cannot reach its broker",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const { code, stderr } = await runOccupancy([
      ...["server", "--broker", "mqtt://127.0.0.1:1", "--group", "hall"],
      ...["--store", `redis://127.0.0.1:${redis.port}`],
    ]);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /Cannot connect to mqtt:\/\/127.0.0.1:1/);
  },
});
