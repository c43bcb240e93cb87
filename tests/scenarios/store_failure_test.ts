/** What the server says and does while its store fails, and after. */
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

const STATE = "occupancy/server/state";
const REPLIES = "occupancy/response/doctor";
const BEFORE = 100;
const AFTER = 3000;

for (const broker of BROKERS) {
  Deno.test({
    name:
      `a full disk over ${broker}: says so, acknowledges nothing that it did not keep, recovers by itself`,
    ignore: needs("mosquitto").ignore || needsMount().ignore,
    fn: async () => {
      await using disk = await smallDisk();
      await using mosquitto = broker === "mosquitto"
        ? await startMosquitto(["max_queued_messages 0"])
        : undefined;
      const port = mosquitto?.port ?? freePort();
      const args = argsOf(mosquitto?.url ?? port, disk.path);
      await using server = occupancy(args);
      await server.said(/Ready/);
      await using watcher = await RawConnection.open(port, "watcher");
      await watcher.subscribe(STATE);
      await untilState(watcher, (state) => state.problem === undefined);
      await using sender = await RawConnection.open(port, "sender");
      await send(sender, 0, BEFORE);
      await untilAcknowledged(sender, BEFORE);

      await disk.fill();
      await send(sender, BEFORE, AFTER);
      const { problem, state } = await untilState(watcher, hasProblem);
      assert.match(
        problem!,
        /^Cannot write to .*map.sqlite: the disk is full$/,
      );
      assert.equal(state, "online");
      const early = broker === "embedded" ? acknowledged(sender) : 0;
      assert.ok(early < AFTER / 2, `${early} were acknowledged`);
      await using requester = await RawConnection.open(port, "doctor");
      await requester.subscribe(REPLIES);
      // At QoS 1 it would wait in Mosquitto, behind the readings in flight.
      const refusal = await ask(requester, broker === "mosquitto" ? 0 : 1);
      assert.equal(refusal.status, "error");
      assert.equal(refusal.error?.code, "store-failing");
      assert.match(refusal.error!.message, /disk is full/);

      await disk.free();
      await untilState(watcher, (state) => !hasProblem(state));
      await untilAcknowledged(sender, AFTER - early);
      assert.deepEqual(
        await valuesOf(requester, BEFORE + AFTER),
        firstNumbers(),
      );
      assert.match(server.stderr, /Readings stay unacknowledged/);
      assert.match(server.stderr, /waiting readings are stored/);
      assert.doesNotMatch(server.stderr, / {4}at |Internal error/);
      server.kill("SIGTERM");
      assert.equal((await server.ended()).code, 0);
      await assertKept(args, port);
    },
  });

  Deno.test({
    name:
      `a server over ${broker} that dies while its disk is full has lost nothing that was acknowledged`,
    ignore: needs("mosquitto").ignore || needsMount().ignore,
    fn: async () => {
      await using disk = await smallDisk();
      await using mosquitto = broker === "mosquitto"
        ? await startMosquitto(["max_queued_messages 0"])
        : undefined;
      const port = mosquitto?.port ?? freePort();
      const args = argsOf(mosquitto?.url ?? port, disk.path);
      await using server = occupancy(args);
      await server.said(/Ready/);
      let kept = BEFORE;
      {
        await using sender = await RawConnection.open(port, "sender");
        await send(sender, 0, BEFORE);
        await untilAcknowledged(sender, BEFORE);
        await disk.fill();
        await send(sender, BEFORE, AFTER);
        await server.said(/the disk is full/);
        // Mosquitto has acknowledged all: it must have all of the rest still.
        if (mosquitto) await untilAcknowledged(sender, AFTER);
        server.kill("SIGKILL");
        await server.ended();
        if (mosquitto) kept += AFTER;
        else {
          await until(() => sender.closed);
          kept += acknowledged(sender);
        }
      }
      await disk.free();
      await assertKept(args, port, kept);
    },
  });
}

Deno.test({
  name:
    "a file that turns read-only: says so, acknowledges nothing, recovers by itself",
  ...needsImmutable(),
  fn: async () => {
    await using folder = await tempDir();
    const port = freePort();
    const args = argsOf(port, folder.path);
    await using server = occupancy(args);
    await server.said(/Ready/);
    await using watcher = await RawConnection.open(port, "watcher");
    await watcher.subscribe(STATE);
    await using sender = await RawConnection.open(port, "sender");
    await send(sender, 0, BEFORE);
    await untilAcknowledged(sender, BEFORE);
    const files = ["map.sqlite", "map.sqlite-wal"].map((name) =>
      `${folder.path}/${name}`
    );
    try {
      for (const file of files) assert.ok(setImmutable(file, true));
      await send(sender, BEFORE, AFTER);
      const { problem } = await untilState(watcher, hasProblem);
      assert.match(problem!, /^Cannot write to .*map.sqlite: it is read-only$/);
      assert.equal(acknowledged(sender), 0);
    } finally {
      for (const file of files) setImmutable(file, false);
    }
    await untilState(watcher, (state) => !hasProblem(state));
    await untilAcknowledged(sender, AFTER);
    server.kill("SIGTERM");
    assert.equal((await server.ended()).code, 0);
    await assertKept(args, port);
  },
});

interface State {
  readonly state: string;
  readonly problem?: string;
}

interface Reply {
  readonly status: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly parts?: number;
  readonly cells?: readonly (readonly number[])[];
}

function argsOf(broker: string | number, folder: string): string[] {
  return [
    "server",
    ...(typeof broker === "string"
      ? ["--broker", broker]
      : ["--listen", `127.0.0.1:${broker}`]),
    "--store",
    `sqlite:${folder}/map.sqlite`,
  ];
}

/** Sends readings, each with a cell of its own, whose value is its number. */
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

/** PUBACKs since it was asked last. */
function acknowledged(raw: RawConnection): number {
  return raw.taken("puback").length;
}

async function untilAcknowledged(
  raw: RawConnection,
  count: number,
): Promise<void> {
  let got = 0;
  await until(() => (got += acknowledged(raw)) >= count, {
    what: () => `${count} PUBACKs; ${got} came`,
  });
  assert.equal(got, count);
}

function hasProblem({ problem }: State): boolean {
  return problem !== undefined;
}

async function untilState(
  raw: RawConnection,
  right: (state: State) => boolean,
): Promise<State> {
  for (;;) {
    const state: State = JSON.parse(
      (await raw.take("publish")).payload.toString(),
    );
    if (right(state)) return state;
  }
}

async function ask(raw: RawConnection, qos: 0 | 1 = 1): Promise<Reply> {
  const request = JSON.stringify({ replyTo: REPLIES });
  await raw.write(
    encodePublish("occupancy/request", request, { qos, id: 1 }),
  );
  return JSON.parse((await raw.take("publish")).payload.toString());
}

/** The values of the map in order, once it has so many; each in its cell. */
async function valuesOf(raw: RawConnection, count: number): Promise<number[]> {
  let cells: Reply["cells"] = [];
  await until(async () => {
    const reply = await ask(raw);
    assert.equal(reply.status, "ok");
    assert.equal(reply.parts, 1);
    return (cells = reply.cells!).length >= count;
  }, { what: () => `${count} cells; ${cells!.length} are there` });
  return cells.map(([x, y, value]) => {
    assert.equal(y, 0);
    assert.equal(x, value);
    return value!;
  }).sort((a, b) => a - b);
}

function firstNumbers(count = BEFORE + AFTER): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Starts the server once more: is all there? It may have kept more than it said. */
async function assertKept(
  args: string[],
  port: number,
  count = BEFORE + AFTER,
): Promise<void> {
  await using server: Running = occupancy(args);
  await server.said(/Ready/);
  await using requester = await RawConnection.open(port, "doctor");
  await requester.subscribe(REPLIES);
  const values = await valuesOf(requester, count);
  assert.deepEqual(values, firstNumbers(values.length));
}
