/** A server while its store fails, and when the store works again. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { occupancy, type Running } from "../support/processes.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import {
  needsImmutable,
  needsMount,
  setImmutable,
  smallDisk,
} from "../support/small_disk.ts";
import { BROKERS } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { type MapReply, requestMap, serverArgs, takeJson } from "./support.ts";

const STATE = "occupancy/server/state";
const READINGS_BEFORE = 100;
const READINGS_AFTER = 3000;

for (const broker of BROKERS) {
  Deno.test({
    name:
      `a full disk over ${broker}: the server reports it, acknowledges no uncommitted reading, and recovers`,
    ignore: needs("mosquitto").ignore || needsMount().ignore,
    fn: async () => {
      await using disk = await smallDisk();
      await using mosquitto = broker === "mosquitto"
        ? await startMosquitto(["max_queued_messages 0"])
        : undefined;
      const port = mosquitto?.port ?? freePort();
      const args = serverArgs(mosquitto?.url ?? port, disk.path);
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      await using watcher = await RawConnection.open(port, "watcher");
      await watcher.subscribe(STATE);
      await untilState(watcher, (state) => state.problem === undefined);
      await using sender = await RawConnection.open(port, "sender");
      await send(sender, 0, READINGS_BEFORE);
      await untilAcknowledged(sender, READINGS_BEFORE);

      await disk.fill();
      await send(sender, READINGS_BEFORE, READINGS_AFTER);
      const { problem, state } = await untilState(watcher, hasProblem);
      assert.match(
        problem!,
        /^Cannot write to .*map.sqlite: the disk is full$/,
      );
      assert.equal(state, "online");
      const early = broker === "embedded" ? acknowledged(sender) : 0;
      assert.ok(early < READINGS_AFTER / 2, `${early} were acknowledged`);
      await using requester = await RawConnection.open(port, "requester");
      // At QoS 1 the request would wait in Mosquitto behind the readings.
      const qos = broker === "mosquitto" ? 0 : 1;
      const { status, error } = await requestMap(requester, { qos });
      assert.equal(status, "error");
      assert.equal(error?.code, "store-failing");
      assert.match(error!.message, /disk is full/);

      await disk.free();
      await untilState(watcher, (state) => !hasProblem(state));
      await untilAcknowledged(sender, READINGS_AFTER - early);
      assert.deepEqual(
        await valuesOf(requester, READINGS_BEFORE + READINGS_AFTER),
        firstNumbers(),
      );
      assert.match(server.stderr, /Readings stay unacknowledged/);
      assert.match(server.stderr, /waiting readings are stored/);
      assert.doesNotMatch(server.stderr, / {4}at |Internal error/);
      server.kill("SIGTERM");
      assert.equal((await server.ended()).code, 0);
      await assertCommitted(args, port);
    },
  });

  Deno.test({
    name:
      `a server over ${broker} that is killed while its disk is full loses no acknowledged reading`,
    ignore: needs("mosquitto").ignore || needsMount().ignore,
    fn: async () => {
      await using disk = await smallDisk();
      await using mosquitto = broker === "mosquitto"
        ? await startMosquitto(["max_queued_messages 0"])
        : undefined;
      const port = mosquitto?.port ?? freePort();
      const args = serverArgs(mosquitto?.url ?? port, disk.path);
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      let expected = READINGS_BEFORE;
      {
        await using sender = await RawConnection.open(port, "sender");
        await send(sender, 0, READINGS_BEFORE);
        await untilAcknowledged(sender, READINGS_BEFORE);
        await disk.fill();
        await send(sender, READINGS_BEFORE, READINGS_AFTER);
        await server.waitFor(/the disk is full/);
        // Mosquitto has acknowledged all: it must store those not committed.
        if (mosquitto) await untilAcknowledged(sender, READINGS_AFTER);
        server.kill("SIGKILL");
        await server.ended();
        if (mosquitto) expected += READINGS_AFTER;
        else {
          await until(() => sender.closed);
          expected += acknowledged(sender);
        }
      }
      await disk.free();
      await assertCommitted(args, port, expected);
    },
  });
}

Deno.test({
  name:
    "a file that becomes read-only: the server reports it, acknowledges nothing, and recovers",
  ...needsImmutable(),
  fn: async () => {
    await using folder = await tempDir();
    const port = freePort();
    const args = serverArgs(port, folder.path);
    await using server = occupancy(args);
    await server.waitFor(/Ready/);
    await using watcher = await RawConnection.open(port, "watcher");
    await watcher.subscribe(STATE);
    await using sender = await RawConnection.open(port, "sender");
    await send(sender, 0, READINGS_BEFORE);
    await untilAcknowledged(sender, READINGS_BEFORE);
    const files = ["map.sqlite", "map.sqlite-wal"].map((name) =>
      `${folder.path}/${name}`
    );
    try {
      for (const file of files) assert.ok(setImmutable(file, true));
      await send(sender, READINGS_BEFORE, READINGS_AFTER);
      const { problem } = await untilState(watcher, hasProblem);
      assert.match(problem!, /^Cannot write to .*map.sqlite: it is read-only$/);
      assert.equal(acknowledged(sender), 0);
    } finally {
      for (const file of files) setImmutable(file, false);
    }
    await untilState(watcher, (state) => !hasProblem(state));
    await untilAcknowledged(sender, READINGS_AFTER);
    server.kill("SIGTERM");
    assert.equal((await server.ended()).code, 0);
    await assertCommitted(args, port);
  },
});

interface State {
  readonly state: string;
  readonly problem?: string;
}

/** Sends readings: number n sets the cell (n, 0) to n. */
async function send(
  raw: RawConnection,
  from: number,
  count: number,
): Promise<void> {
  await raw.write(Buffer.concat(
    Array.from(
      { length: count },
      (_, i) =>
        encodePublish("occupancy/data", `${from + i},0,${from + i}`, {
          qos: 1,
          id: from + i + 1,
        }),
    ),
  ));
}

/** Returns the number of PUBACKs since the last call. */
function acknowledged(raw: RawConnection): number {
  return raw.takeReceived("puback").length;
}

async function untilAcknowledged(
  raw: RawConnection,
  count: number,
): Promise<void> {
  let received = 0;
  await until(() => (received += acknowledged(raw)) >= count, {
    what: () => `${count} PUBACKs; ${received} received`,
  });
  assert.equal(received, count);
}

function hasProblem({ problem }: State): boolean {
  return problem !== undefined;
}

async function untilState(
  raw: RawConnection,
  condition: (state: State) => boolean,
): Promise<State> {
  for (;;) {
    const state: State = await takeJson(raw);
    if (condition(state)) return state;
  }
}

/** Waits until the map has `count` cells; returns their values in order. */
async function valuesOf(raw: RawConnection, count: number): Promise<number[]> {
  let cells: MapReply["cells"] = [];
  await until(async () => {
    const reply = await requestMap(raw);
    assert.equal(reply.status, "ok");
    assert.equal(reply.parts, 1);
    return (cells = reply.cells).length >= count;
  }, { what: () => `${count} cells; ${cells.length} found` });
  return cells.map(([x, y, value]) => {
    assert.equal(y, 0);
    assert.equal(x, value);
    return value!;
  }).sort((a, b) => a - b);
}

function firstNumbers(count = READINGS_BEFORE + READINGS_AFTER): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/**
 * Starts the server again and checks its map. It may have committed more readings
 * than it has acknowledged.
 */
async function assertCommitted(
  args: string[],
  port: number,
  count = READINGS_BEFORE + READINGS_AFTER,
): Promise<void> {
  await using server: Running = occupancy(args);
  await server.waitFor(/Ready/);
  await using requester = await RawConnection.open(port, "requester");
  const values = await valuesOf(requester, count);
  assert.deepEqual(values, firstNumbers(values.length));
}
