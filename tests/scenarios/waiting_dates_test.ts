/** Readings that waited are never dated with the time of their arrival. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { documentedSettings } from "../support/documented_settings.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { BROKERS } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { requestMap, serverArgs } from "./support.ts";

const WAITING_MESSAGES = 3000;
/** Longer than a server may be busy. */
const STAND_STILL_MS = 4500;

Deno.test({
  name:
    "readings that waited in Mosquitto are dated before the start, although timed readings at QoS 0 overtake them",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto(
      await documentedSettings(folder.path),
    );
    const args = serverArgs(broker.url, folder.path);
    {
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      server.kill("SIGTERM");
      await server.ended();
    }
    const stoppedAt = Date.now();
    await using sensor = await RawConnection.open(broker.port, "sensor");
    for (let i = 0; i < WAITING_MESSAGES; i++) {
      await sensor.write(
        encodePublish("occupancy/data", `${i},0,1`, { id: 1 + i }),
      );
    }
    await sensor.expectAll("puback", WAITING_MESSAGES);

    await using live = await RawConnection.open(broker.port, "live");
    const ending = new AbortController();
    const sendLive = async () => {
      while (!ending.signal.aborted) {
        await live.write(
          encodePublish("occupancy/data", `-1,0,1,${Date.now()}`, { qos: 0 }),
          encodePublish("occupancy/data/l2", `-1,0,1,${Date.now()}`, {
            id: 1,
          }),
        );
        await delay(1);
      }
    };
    const sending = sendLive();
    await using server = occupancy(args);
    await server.waitFor(/Ready/);
    const { cells } = await requestMap(sensor);
    ending.abort();
    await sending;
    const waited = cells.filter(([x]) => x! >= 0);
    assert.equal(waited.length, WAITING_MESSAGES);
    const tooYoung = waited.filter(([, , , time]) => time! > stoppedAt);
    assert.equal(tooYoung.length, 0, `stopped at ${stoppedAt}: ${tooYoung[0]}`);
  },
});

for (const kind of BROKERS) {
  Deno.test({
    name:
      `readings that waited while the server stood still (SIGSTOP) are dated before it, over ${kind}`,
    ...needs("mosquitto"),
    fn: async () => {
      await using folder = await tempDir();
      await using broker = kind === "mosquitto"
        ? await startMosquitto()
        : undefined;
      const port = broker?.port ?? freePort();
      await using server = occupancy(
        serverArgs(broker?.url ?? port, folder.path),
      );
      await server.waitFor(/Ready/);
      await using sensor = await RawConnection.open(port, "sensor");
      await sensor.write(encodePublish("occupancy/data", "0,0,1", { id: 1 }));
      await sensor.expect("puback");

      server.kill("SIGSTOP");
      const stoppedAt = Date.now();
      await sensor.write(
        Buffer.concat(
          Array.from(
            { length: 500 },
            (_, i) =>
              encodePublish("occupancy/data", `${i},1,1`, {
                qos: i % 2 as 0 | 1,
                id: 2 + i,
              }),
          ),
        ),
      );
      await delay(STAND_STILL_MS);
      server.kill("SIGCONT");
      const { cells, time } = await requestMap(sensor);
      const waited = cells.filter(([, y]) => y === 1);
      assert.equal(waited.length, 500);
      const tooYoung = waited.filter(([, , , time]) => time! > stoppedAt);
      assert.equal(tooYoung.length, 0, `at ${stoppedAt}: ${tooYoung[0]}`);
      assert.ok(time >= stoppedAt + STAND_STILL_MS);
    },
  });
}
