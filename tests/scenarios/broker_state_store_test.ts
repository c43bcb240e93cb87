/** The state of the embedded broker over other stores: memory, full, older. */
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { needsMount, smallDisk } from "../support/small_disk.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { execSql } from "../store/support.ts";
import { startBroker } from "./broker_state_support.ts";
import { requestMap } from "./support.ts";

/** More than fits on the small disk. */
const MESSAGES = 200;
const MESSAGE_BYTES = 5000;
/** Messages that no client sends without acknowledgements. */
const FLOOD = 60_000;
const FLOOD_BURST = 100;
const FLOOD_PAYLOAD = new Uint8Array(1000);

/** Subscribes with a session that is kept, and disconnects. */
async function subscribeKept(port: number, clientId: string): Promise<void> {
  await using raw = await resume(port, clientId);
  await raw.subscribe("t", 1);
  await raw.disconnect();
}

/** Connects with a session that is kept. */
function resume(port: number, clientId: string): Promise<RawConnection> {
  return RawConnection.open(port, clientId, { clean: false });
}

Deno.test({
  name:
    "with --store memory: sessions and retained messages end with the process",
  ...needs(),
  fn: async () => {
    const args = [
      ...["server", "--listen", `127.0.0.1:${freePort()}`],
      ...["--store", "memory:", "--no-http"],
    ];
    const port = Number(args[2]!.split(":")[1]);
    for (const _round of [1, 2]) {
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      await using reader = await resume(port, "reader");
      assert.equal(reader.sessionPresent, false);
      await reader.subscribe("kept", 1);
      await reader.ping(); // nothing is retained
      await subscribeKept(port, "away");
      await using sender = await RawConnection.open(port, "sender");
      await sender.publish("kept", "1", { id: 1, retain: true });
      await sender.expect("puback");
      await using away = await resume(port, "away");
      assert.equal(away.sessionPresent, true, "while the process runs");
      server.kill("SIGTERM");
      assert.equal((await server.ended()).code, 0);
    }
  },
});

Deno.test({
  name:
    "a full disk: messages for sessions are acknowledged when there is space, and none is lost",
  ignore: needs().ignore || needsMount().ignore,
  fn: async () => {
    await using disk = await smallDisk();
    await using server = await startBroker(disk.path);
    const { port } = server;
    await subscribeKept(port, "reader");
    await using sender = await RawConnection.open(port, "sender");
    await disk.fill();
    const payload = (i: number) => `${i} `.padEnd(MESSAGE_BYTES, "x");
    for (let i = 0; i < MESSAGES; i++) {
      await sender.publish("t", payload(i), { id: i + 1 });
    }
    await server.running.waitFor(/the disk is full/);
    const early = sender.takeReceived("puback").length;
    assert.ok(early < MESSAGES / 2, `${early} were acknowledged`);
    // The connections work, and what is not stored is delivered.
    await using present = await RawConnection.open(port, "present");
    await present.subscribe("live");
    await present.publish("live", "1");
    await present.take("publish");

    await disk.free();
    let acknowledged = early;
    await until(
      () => (acknowledged += sender.takeReceived("puback").length) === MESSAGES,
      { deadline: 20_000, what: () => `${acknowledged} PUBACKs` },
    );
    await server.kill();
    await server.start();
    await using reader = await resume(port, "reader");
    assert.equal(reader.sessionPresent, true);
    for (let i = 0; i < MESSAGES; i++) {
      const message = await reader.expect("publish");
      assert.equal(message.payload.toString(), payload(i));
      await reader.send({ cmd: "puback", messageId: message.messageId! });
    }
  },
});

Deno.test({
  name:
    "on a full disk, a client that does not wait for acknowledgements is not read, and goes on later",
  ignore: needs().ignore || needsMount().ignore,
  fn: async () => {
    await using disk = await smallDisk();
    await using server = await startBroker(disk.path);
    await using sender = await RawConnection.open(server.port, "sender");
    await disk.fill();
    let written = 0;
    const writing = (async () => {
      for (; written < FLOOD; written += FLOOD_BURST) {
        await sender.write(
          ...Array.from(
            { length: FLOOD_BURST },
            (_, i) =>
              encodePublish("kept", FLOOD_PAYLOAD, {
                id: written + i + 1,
                retain: true,
              }),
          ),
        );
      }
    })();
    await server.running.waitFor(/the disk is full/);
    // Others are served, until the sender is no longer read.
    await using present = await RawConnection.open(server.port, "present");
    for (let before = -1; before < written;) {
      before = written;
      await delay(300);
      await present.ping();
    }
    assert.ok(written < FLOOD, "all were read");
    await disk.free();
    await writing;
    let acknowledged = 0;
    await until(
      () => (acknowledged += sender.takeReceived("puback").length) === FLOOD,
      { deadline: 30_000, what: () => `${acknowledged} PUBACKs` },
    );
  },
});

Deno.test({
  name: "a server that is killed on a full disk loses no acknowledged message",
  ignore: needs().ignore || needsMount().ignore,
  fn: async () => {
    await using disk = await smallDisk();
    await using server = await startBroker(disk.path);
    const { port } = server;
    await subscribeKept(port, "reader");
    let acknowledged = 0;
    {
      await using sender = await RawConnection.open(port, "sender");
      await disk.fill();
      for (let i = 0; i < MESSAGES; i++) {
        await sender.publish("t", `${i} `.padEnd(MESSAGE_BYTES, "x"), {
          id: i + 1,
        });
      }
      await server.running.waitFor(/the disk is full/);
      await server.kill();
      await until(() => sender.closed);
      acknowledged = sender.takeReceived("puback").length;
    }
    assert.ok(acknowledged < MESSAGES);
    await disk.free();
    await server.start();
    await using reader = await resume(port, "reader");
    for (let i = 0; i < acknowledged; i++) {
      const { payload, messageId } = await reader.expect("publish");
      assert.match(payload.toString(), new RegExp(`^${i} `));
      await reader.send({ cmd: "puback", messageId: messageId! });
    }
  },
});

Deno.test({
  name: "a store of the version before the embedded broker kept its state",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await using server = await startBroker(folder.path);
    {
      await using sender = await RawConnection.open(server.port, "sender");
      await sender.publish("occupancy/data", "1,2,3", { id: 1 });
      await sender.expect("puback");
    }
    await server.stop();
    await execSql(
      `${folder.path}/map.sqlite`,
      "DROP TABLE record; PRAGMA user_version = 3",
    );
    await server.start();
    await subscribeKept(server.port, "reader");
    await server.kill();
    await server.start();
    await using reader = await resume(server.port, "reader");
    assert.equal(reader.sessionPresent, true);
    const { cells } = await requestMap(reader);
    assert.deepEqual(cells.map((cell) => cell.slice(0, 3)), [[1, 2, 3]]);
  },
});
