/** Readers that hang, and clients with hostile names, beside a good client. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { tempDir } from "../support/temp.ts";
import { startBroker } from "./broker_state_support.ts";
import { requestMap } from "./support.ts";

const FROZEN = 20;
const MESSAGE = new Uint8Array(100_000);
/** 6 MB for each reader: more than its socket takes. */
const MESSAGES = 60;
const REQUESTS = 100;
/** The stall of a broker that waits for its readers is 3 s and longer. */
const STALL_MS = 2500;

Deno.test({
  name:
    `while ${FROZEN} readers are frozen with full buffers, requests are answered`,
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await using server = await startBroker(folder.path);
    const { port } = server;
    await using frozen = new AsyncDisposableStack();
    for (let i = 0; i < FROZEN; i++) {
      const one = frozen.use(await RawConnection.open(port, `frozen-${i}`));
      await one.subscribe("flood", (i % 2) as 0 | 1);
      one.freeze();
    }
    await using flood = await RawConnection.open(port, "flood");
    for (let i = 0; i < MESSAGES; i++) await flood.publish("flood", MESSAGE);
    await using good = await RawConnection.open(port, "good");
    await requestMap(good);
    let slowest = 0;
    for (let i = 0; i < REQUESTS; i++) {
      await flood.publish("flood", "more");
      await good.publish("occupancy/data", `${i},0,1`, { id: 100 });
      const start = performance.now();
      const { cells } = await requestMap(good);
      slowest = Math.max(slowest, performance.now() - start);
      assert.equal(cells.length, i + 1);
    }
    assert.ok(slowest < STALL_MS, `${slowest} ms`);
    assert.doesNotMatch(server.log, /Disconnected the client "frozen/);
  },
});

Deno.test({
  name: "client ids and topics cannot forge lines of the log or escape in it",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await using server = await startBroker(folder.path);
    const { port } = server;
    // Separators of lines, and a change of direction, that are not controls.
    const evil = "evil\u2028FORGED\u2029\u202e\ufeff";
    {
      await using raw = await RawConnection.open(port, evil);
      await raw.publish(`occupancy/response/${evil}`, "x", { id: 1 });
      await raw.publish(`occupancy/data/${evil}`, "x,y,z", { id: 2 });
      await raw.publish("occupancy/request", evil, { id: 3 });
      await raw.expectAll("puback", 3);
      await raw.write(Uint8Array.of(0xf0, 0)); // malformed
      await raw.ended();
    }
    await server.running.waitFor(/Disconnected the client/);
    // Control characters in names end the connection (1.5.3).
    const controls = "evil\nFORGED\r\x1b[31m";
    await using named = await RawConnection.dial(port);
    await named.connect(controls);
    await named.ended();
    for (const topic of ["occupancy/response/", "occupancy/data/", "$SYS/"]) {
      await using raw = await RawConnection.open(port, "sender");
      await raw.publish(`${topic}${controls}`, "x,y,z", { id: 1 });
      await raw.ended();
    }
    await using raw = await RawConnection.open(port, "last");
    await raw.publish("occupancy/data", controls, { id: 1 });
    await raw.publish("occupancy/request", controls, { id: 2 });
    await raw.expectAll("puback", 2);
    const { log } = server;
    assert.match(log, /FORGED/);
    assert.doesNotMatch(log, /^\W*FORGED/m);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(log, /[\x00-\x09\x0b-\x1f\x7f\u2028\u2029\u202e]/);
  },
});
