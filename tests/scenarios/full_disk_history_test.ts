/** A server with a history while its disk is full, and when it has space. */
import assert from "node:assert/strict";
import { compareStore, planHistory } from "../chaos/history.ts";
import { Publisher } from "../chaos/publisher.ts";
import { needs } from "../support/needs.ts";
import { occupancy, type Running } from "../support/processes.ts";
import {
  needsMount,
  type SmallDisk,
  smallDisk,
} from "../support/small_disk.ts";
import { freePort } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { serverArgs } from "./support.ts";

const DISK_MIB = 24;
const READINGS = 20_000;
/** At this part of the readings the disk becomes full. */
const FULL_AT = 0.4;
/** A longer time without records is a gap. */
const GAP_MS = 5000;

/** A server on a small disk, and readings that are sent to it. */
async function start() {
  await using stack = new AsyncDisposableStack();
  const disk: SmallDisk = stack.use(await smallDisk(DISK_MIB));
  const port = freePort();
  const http = freePort();
  const args = [
    ...serverArgs(port, disk.path),
    ...["--http", `127.0.0.1:${http}`],
  ];
  const server = stack.use(occupancy(args));
  await server.waitFor(/Ready/);
  const end = Math.floor(Date.now() / 1000) - 1;
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const { messages, model } = planHistory({ readings: READINGS, end, seed });
  const filled = Promise.withResolvers<void>();
  const publisher = new Publisher({
    port,
    clientId: "sensor",
    messages,
    beforeSending: (share) =>
      share > FULL_AT ? filled.promise : Promise.resolve(),
  });
  const published = publisher.run();
  const untilFull = async () => {
    // The last burst before may be half of the share.
    await until(() => publisher.progress >= FULL_AT / 2);
    await disk.fill();
    filled.resolve();
    await server.waitFor(/disk is full. Readings stay unack/);
    await server.waitFor(/The history is paused: .*the disk is full/);
  };
  const assertHistory = async () => {
    const store = `sqlite:${disk.path}/map.sqlite`;
    const { wrong, compared } = await compareStore(store, model, end);
    assert.deepEqual(wrong, [], `seed ${seed}`);
    assert.ok(compared > 1_000_000);
  };
  const moved = stack.move();
  return {
    ...{ args, disk, http, publisher, published, server },
    ...{ untilFull, assertHistory },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** What `GET /api/v1/history` answers. */
async function infoOf(http: number): Promise<{
  readonly recording: boolean;
  readonly problem?: string;
  readonly gaps: readonly (readonly [from: number, to: number])[];
}> {
  const response = await fetch(`http://127.0.0.1:${http}/api/v1/history`);
  assert.equal(response.status, 200);
  return await response.json();
}

async function end(server: Running): Promise<void> {
  server.kill("SIGTERM");
  assert.equal((await server.ended()).code, 0, server.stderr);
}

const ignore = needs().ignore || needsMount().ignore;

Deno.test({
  name:
    "a full disk: the history pauses and says so; with space again, it has all that was acknowledged",
  ignore,
  fn: async () => {
    await using started = await start();
    const { disk, http, publisher, published, server } = started;
    await started.untilFull();
    const { recording, problem } = await infoOf(http);
    assert.equal(recording, false);
    assert.match(problem!, /map.sqlite: the disk is full$/);
    assert.ok(publisher.progress < 1);

    await disk.free();
    await published;
    await server.waitFor(/The history is recorded again/);
    await until(async () => (await infoOf(http)).recording);
    // The map did not change meanwhile: there is nothing that is missing.
    assert.deepEqual((await infoOf(http)).gaps, []);
    assert.doesNotMatch(server.stderr, / {4}at |Internal error/);
    await end(server);
    await started.assertHistory();
  },
});

Deno.test({
  name:
    "a server that is killed while its disk is full: the history has all that was acknowledged, and a gap",
  ignore,
  fn: async () => {
    await using started = await start();
    const { args, disk, http, published, server } = started;
    await started.untilFull();
    const full = performance.now();
    await until(() => performance.now() - full > GAP_MS + 2000);
    server.kill("SIGKILL");
    await server.ended();
    await disk.free();
    const restarted = Date.now();
    await using again = occupancy(args);
    await again.waitFor(/Ready/);
    await published;
    const { gaps, recording } = await infoOf(http);
    assert.equal(recording, true);
    assert.equal(gaps.length, 1);
    const [from, to] = gaps[0]!;
    assert.ok(from < restarted - GAP_MS, `from ${from}`);
    assert.ok(to >= restarted - 1000 && to <= Date.now(), `to ${to}`);
    await end(again);
    await started.assertHistory();
  },
});
