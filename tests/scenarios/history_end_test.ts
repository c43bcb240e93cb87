/** A server that ends before it has written all of its history. */
import assert from "node:assert/strict";
import { keyOf } from "../../src/grid/tiles.ts";
import { hourOf } from "../../src/history/hour.ts";
import { TileChanges } from "../../src/history/tile_changes.ts";
import { TileReader } from "../../src/server/history/tile_reader.ts";
import { openStore } from "../../src/store/open.ts";
import { queryNumber } from "../store/support.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { resultOf } from "../support/work.ts";
import { serverArgs } from "./support.ts";

/** A server writes the history for this time at most when it ends, ms. */
const END_MS = 2000;
/**
 * Numbers of cells, each in a tile of its own, so that each is a row of the
 * history. A fast machine may write the first number in time.
 */
const SIZES = [200_000, 600_000];
const TILE_SIDE = 32;
/** Cells of a message. */
const CELLS = 1000;
/** Cells with two states: fewer states are waiting than would be dropped. */
const TWICE = 20_000;
const WINDOW = 20;
/** Longer than a server pauses between two writes of the history. */
const UNCHANGED_MS = 1500;
const MAX_STARTS = 4;

/** The states of a cell: when it begins, seconds since 1970, and its value. */
function statesOf(i: number, end: number): [second: number, value: number][] {
  const last: [number, number] = [end - 300 + i % 300, i + 1];
  return i < TWICE ? [[end - 900 + i % 600, 0], last] : [last];
}

/** Publishes states of some cells, from the first one on, at QoS 1. */
async function publish(
  raw: RawConnection,
  count: number,
  stateOf: (i: number) => readonly [second: number, value: number],
): Promise<void> {
  let acknowledged = 0;
  const waiting = (sent: number) => {
    acknowledged += raw.takeReceived("puback").length;
    return sent - acknowledged;
  };
  const messages = count / CELLS;
  for (let message = 0; message < messages; message++) {
    const rows = Array.from({ length: CELLS }, (_, row) => {
      const i = message * CELLS + row;
      const [second, value] = stateOf(i);
      return `${i * TILE_SIDE},0,${value},${second * 1000}`;
    });
    await raw.write(
      encodePublish("occupancy/data", rows.join("\n"), { id: message + 1 }),
    );
    await until(() => waiting(message + 1) < WINDOW);
  }
  await until(() => waiting(messages) === 0, { deadline: 20_000 });
}

/**
 * Asserts that the history of each cell has its states, and no others but those
 * of a sample between its two readings: what the map had then.
 */
async function assertHistory(
  path: string,
  count: number,
  end: number,
): Promise<void> {
  const opened = await openStore(`sqlite:${path}`, { durability: "commit" });
  try {
    const reader = new TileReader(opened.history!);
    const changes = new TileChanges();
    for (let i = 0; i < count; i++) {
      const states: number[][] = [];
      for (let hour = hourOf(end - 900); hour <= hourOf(end); hour++) {
        const tile = { layer: "default", tx: i, ty: 0 };
        await resultOf(reader.readChanges(tile, hour, changes));
        for (let at = 0; at < changes.length; at++) {
          assert.equal(changes.key[at], keyOf(0, 0));
          states.push([changes.second[at]!, changes.value[at]!]);
        }
      }
      const expected = statesOf(i, end);
      const observed = states.filter(([second]) => second! <= end);
      if (observed.join() !== expected.join()) {
        assert.deepEqual(states, expected, `cell ${i}`);
      }
      assert.equal(states.at(-1)![1], expected.at(-1)![1], `cell ${i}`);
    }
  } finally {
    await opened.close();
  }
}

/** Waits until a number stays the same for some time. */
async function untilUnchanged(read: () => Promise<number>): Promise<void> {
  let before = NaN;
  let since = performance.now();
  await until(async () => {
    const now = await read();
    if (now !== before) since = performance.now();
    before = now;
    return performance.now() - since > UNCHANGED_MS;
  }, { deadline: 60_000, what: () => "the history to be written" });
}

/**
 * Sends readings, ends the server, and starts it again.
 *
 * @returns false if it has written all of the history before its end
 */
async function endAndStart(count: number): Promise<boolean> {
  await using folder = await tempDir();
  const port = freePort();
  const http = freePort();
  const args = [
    ...serverArgs(port, folder.path),
    ...["--http", `127.0.0.1:${http}`],
  ];
  const path = `${folder.path}/map.sqlite`;
  const rowsOf = (table: string) =>
    queryNumber(path, `SELECT count(*) FROM ${table}`);
  const end = Math.floor(Date.now() / 1000) - 1;
  {
    await using server = occupancy(args);
    await server.waitFor(/Ready/);
    await using raw = await RawConnection.open(port, "sensor");
    await publish(raw, TWICE, (i) => statesOf(i, end)[0]!);
    await publish(raw, count, (i) => statesOf(i, end).at(-1)!);
    const start = performance.now();
    server.kill("SIGTERM");
    assert.equal((await server.ended()).code, 0, server.stderr);
    const ms = performance.now() - start;
    assert.ok(ms < END_MS + 5000, `it took ${ms} ms to end`);
  }
  if (await rowsOf("journal") === 0) return false;
  const written = await rowsOf("history_part");
  assert.ok(written < count + TWICE, `${written} rows are written`);
  // It writes the rest while it runs; then the journal can be emptied.
  for (let starts = 0; await rowsOf("journal") > 0; starts++) {
    assert.ok(starts < MAX_STARTS, `${await rowsOf("journal")} rows are left`);
    await using again = occupancy(args);
    await again.waitFor(/Ready/);
    await untilUnchanged(async () => {
      const info = await fetch(`http://127.0.0.1:${http}/api/v1/history`);
      return (await info.json()).rows.parts;
    });
    again.kill("SIGTERM");
    assert.equal((await again.ended()).code, 0, again.stderr);
  }
  await assertHistory(path, count, end);
  return true;
}

Deno.test({
  name:
    "a server that ends before its history is written: the next start makes the rest from the journal",
  ...needs(),
  fn: async () => {
    for (const count of SIZES) {
      if (await endAndStart(count)) return;
    }
    assert.fail("all was written in time: use more cells");
  },
});
