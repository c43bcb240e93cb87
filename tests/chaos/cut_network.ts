/**
 * Cuts the network of a server, a client and a watch for some time, with their
 * real keep-alive, and checks that nothing is lost and nothing old is shown as
 * new.
 *
 * @module
 */
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { requestMap, serverArgs } from "../scenarios/support.ts";
import { cutProxy, type Swallowed } from "../support/cut_proxy.ts";
import { documentedSettings } from "../support/documented_settings.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

/** Rows of the client's file; it sends ten per second. */
const ROWS = 100;
/** The keep-alive is 30 s: a lost connection is noticed after 45 s. */
const RECOVERY_MS = 90_000;

/**
 * Runs the scenario, over Mosquitto.
 *
 * @param swallowed what happens to the bytes that are sent during the cut
 * @param ms how long the network is cut
 * @throws {Error} if anything was lost, doubled or dated too new
 */
export async function cutNetwork(
  swallowed: Swallowed,
  ms: number,
): Promise<void> {
  await using folder = await tempDir();
  await using broker = await startMosquitto(
    await documentedSettings(folder.path),
  );
  await using forServer = cutProxy(broker.port);
  await using forClient = cutProxy(broker.port);
  await using forWatch = cutProxy(broker.port);
  const url = ({ port }: { port: number }) => `mqtt://127.0.0.1:${port}`;
  await using server = occupancy(serverArgs(url(forServer), folder.path));
  await server.waitFor(/Ready/);
  await using sensor = await RawConnection.open(broker.port, "sensor");
  await sensor.write(encodePublish("occupancy/data", "0,0,1", { id: 1 }));
  await sensor.expect("puback");
  await using watch = occupancy([
    ...["request", "--watch", "--format", "tsv", "--timeout", "5m"],
    ...["--broker", url(forWatch)],
  ]);
  await until(() => watch.stdout !== "");
  const rows = Array.from({ length: ROWS }, (_, i) => `${i},2,${i}`);
  await using client = occupancy([
    ...["client", "--file", "-", "--batch", "1", "--interval", "100ms"],
    ...["--no-request", "--timeout", "5m", "--broker", url(forClient)],
  ], { input: `x,y,value\n${rows.join("\n")}\n` });
  await until(() => /\t2\t5\t/.test(watch.stdout), { deadline: 20_000 });

  const proxies = [forServer, forClient, forWatch];
  for (const proxy of proxies) proxy.cut(swallowed);
  const cutAt = Date.now();
  for (let i = 0; i < ROWS; i++) {
    await sensor.write(
      encodePublish("occupancy/data", `${i},1,${i}`, { id: 10 + i }),
    );
  }
  await sensor.expectAll("puback", ROWS);
  await delay(ms);
  for (const proxy of proxies) proxy.heal();

  const { code, stderr } = await client.ended(RECOVERY_MS);
  assert.equal(code, 0, stderr);
  const cells = await until(async () => {
    const { cells } = await requestMap(sensor).catch(() => ({ cells: [] }));
    return cells.length === 2 * ROWS + 1 && cells;
  }, { deadline: RECOVERY_MS, what: () => server.stderr });
  for (const [x, y, value, time] of cells) {
    if (y! > 0) assert.equal(value, x);
    if (y === 1) assert.ok(time! <= cutAt, `${time! - cutAt} ms too new`);
  }
  await until(async () => {
    const before = Date.now();
    await sensor.write(encodePublish("occupancy/data", "0,0,2", { id: 2 }));
    const { cells } = await requestMap(sensor);
    return cells.find(([, y]) => y === 0)![3]! >= before;
  }, { deadline: RECOVERY_MS, what: "a new reading to be new" });
  for (const last of [`${ROWS - 1}\t1\t${ROWS - 1}\t`, "0\t0\t2\t"]) {
    await until(() => watch.stdout.includes(`\n${last}`), {
      deadline: RECOVERY_MS,
      what: () => `${last} in ${watch.stdout}\n${watch.stderr}`,
    });
  }
}
