/**
 * Stops a server (SIGSTOP) for some time during ingest, with clients of all
 * kinds, and checks that nothing is lost and nothing old is shown as new.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { EventReader } from "../http/event_reader.ts";
import { documentedSettings } from "../support/documented_settings.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import type { BrokerKind } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { requestMap, serverArgs } from "../scenarios/support.ts";
import { RawViewer } from "../http/feed/raw_viewer.ts";

const READINGS = 400;
/** A server that lost its connection may take longer than a test. */
const RECOVERY_MS = 30_000;

/**
 * Runs the scenario.
 *
 * @param kind the broker
 * @param ms how long the server stands still
 * @throws {Error} if anything was lost, doubled or dated too new
 */
export async function standStill(kind: BrokerKind, ms: number): Promise<void> {
  await using folder = await tempDir();
  await using broker = kind === "mosquitto"
    ? await startMosquitto(await documentedSettings(folder.path))
    : undefined;
  const port = broker?.port ?? freePort();
  await using server = occupancy([
    ...serverArgs(broker?.url ?? port, folder.path),
    ...["--http", "127.0.0.1:0"],
  ]);
  const [, url] = await server.waitFor(/Dashboard at (\S+)/);
  await server.waitFor(/Ready/);
  await using sensor = await RawConnection.open(port, "sensor");
  await sensor.write(encodePublish("occupancy/data", "0,0,1", { id: 1 }));
  await sensor.take("puback");

  await using watch = occupancy([
    ...["request", "--watch", "--format", "tsv"],
    ...["--broker", `127.0.0.1:${port}`, "--timeout", "5m"],
  ]);
  await using stream = followStream(url!);
  await using viewer = followFeed(url!);
  await until(() =>
    watch.stdout !== "" && stream.cells.size === 1 && viewer.cells.size === 1
  );

  server.kill("SIGSTOP");
  const stoppedAt = Date.now();
  await sensor.write(Buffer.concat(
    Array.from(
      { length: READINGS },
      (_, i) => encodePublish("occupancy/data", `${i},1,${i}`, { id: 10 + i }),
    ),
  ));
  await delay(ms);
  server.kill("SIGCONT");

  await using requester = await RawConnection.open(port, "requester");
  const waited = await until(async () => {
    const { cells } = await requestMap(requester);
    const found = cells.filter(([, y]) => y === 1);
    return found.length === READINGS && found;
  }, { deadline: RECOVERY_MS, what: () => server.stderr });
  for (const [x, , value, time] of waited) {
    assert.equal(value, x);
    assert.ok(time! <= stoppedAt, `${x} dated ${time! - stoppedAt} ms too new`);
  }
  // For a second the server reads what waited in sockets, then new is new.
  await until(async () => {
    const before = Date.now();
    await requester.write(encodePublish("occupancy/data", "0,0,2", { id: 2 }));
    const { cells } = await requestMap(requester);
    return cells.find(([, y]) => y === 0)![3]! >= before;
  }, { deadline: RECOVERY_MS, what: "a new reading to be new" });

  for (const [name, { cells }] of Object.entries({ stream, viewer })) {
    await until(
      () => cells.size === READINGS + 1 && cells.get("0,0") === 2,
      { deadline: RECOVERY_MS, what: () => `${name}: ${cells.size} cells` },
    );
  }
  await until(() => /^0\t0\t2\t/m.test(watch.stdout), {
    deadline: RECOVERY_MS,
    what: () => watch.stdout + watch.stderr,
  });
  server.kill("SIGTERM");
  assert.equal((await server.ended()).code, 0, server.stderr);
}

/** A client over HTTP. It connects again when its connection ends. */
interface Follower extends AsyncDisposable {
  /** The values by `x,y`. */
  readonly cells: Map<string, number>;
}

/** Follows the server-sent events. */
function followStream(url: string): Follower {
  const abort = new AbortController();
  const cells = new Map<string, number>();
  return follower(cells, abort, async () => {
    const { signal } = abort;
    const response = await fetch(`${url}api/v1/changes`, { signal });
    await using events = new EventReader(response);
    for (let event; (event = await events.next()) !== undefined;) {
      for (const [x, y, value] of event.data.cells) {
        cells.set(`${x},${y}`, value);
      }
    }
  });
}

/** Follows the binary feed of the dashboard. */
function followFeed(url: string): Follower {
  const abort = new AbortController();
  const cells = new Map<string, number>();
  return follower(cells, abort, async () => {
    using viewer = await RawViewer.connect(url);
    const end = () => viewer[Symbol.dispose]();
    abort.signal.addEventListener("abort", end);
    await viewer.requestView({ layer: "default", region: null });
    for (;;) {
      await viewer.read();
      for (const [key, [value]] of viewer.model.cells) cells.set(key, value);
    }
  });
}

function follower(
  cells: Map<string, number>,
  abort: AbortController,
  follow: () => Promise<void>,
): Follower {
  const following = (async () => {
    while (!abort.signal.aborted) {
      await follow().catch(() => {});
      await delay(100);
    }
  })();
  return {
    cells,
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await following;
    },
  };
}
