/** Zones in the library, with the embedded broker and with Mosquitto. */
import assert from "node:assert/strict";
import type { ZoneState, ZoneWatchEvent } from "../../src/mod.ts";
import { squares } from "../server/zones/support.ts";
import { needs } from "../support/needs.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";

for (const kind of BROKERS) {
  Deno.test({
    name: `OccupancyClient requests and watches zones: ${kind} broker`,
    ...needs("mosquitto"),
    fn: async () => {
      const { connect, RefusedError } = await import("../../src/mod.ts");
      await using system = await startSystem(kind);
      const { zones } = system.server;
      await zones.edit({
        kind: "replace",
        zones: await squares(
          ["lobby", [0, 0, 4], { capacity: 4, title: "Lobby" }],
          ["cafe", [4, 0, 4]],
        ),
      });
      await using client = await connect({ broker: system.url });
      await client.publish([{ x: 1, y: 1, value: 3 }, {
        x: 5,
        y: 1,
        value: 0,
      }]);
      const view = await client.zones();
      assert.deepEqual(
        view.zones.map(({ zone, title, count }) => [zone, title, count]),
        [["lobby", "Lobby", 3], ["cafe", "cafe", 0]],
      );
      const [lobby] = (await client.zones({ names: ["lobby"] })).zones;
      assert.deepEqual(lobby, zones.state("lobby"));
      await assert.rejects(client.zones({ names: ["loby"] }), (error) => {
        assert.ok(error instanceof RefusedError);
        assert.equal(error.code, "no-zone");
        return true;
      });

      const abort = new AbortController();
      const events: ZoneWatchEvent[] = [];
      const states = new Map<string, ZoneState>();
      const watching = (async () => {
        for await (const event of client.watchZones({ signal: abort.signal })) {
          events.push(event);
          if (event.kind === "event") continue;
          for (const state of event.zones) states.set(state.zone, state);
          if (event.kind !== "changes") continue;
          for (const zone of event.removed) states.delete(zone);
        }
      })();
      await until(() => states.size === 2);
      await client.publish([{ x: 1, y: 1, value: 4 }, {
        x: 5,
        y: 1,
        value: 1,
      }]);
      await until(() => states.get("lobby")?.count === 4);
      await until(() =>
        events.filter(({ kind }) => kind === "event").length === 2
      );
      assert.deepEqual(
        events.flatMap((one) => one.kind === "event" ? one.event.event : [])
          .sort(),
        ["full", "occupied"],
      );
      assert.deepEqual(states.get("cafe"), zones.state("cafe"));
      await zones.edit({ kind: "delete", name: "cafe" });
      await until(() => !states.has("cafe"));
      const [first] = events;
      assert.ok(first?.kind === "snapshot" && first.revision >= view.revision);
      abort.abort();
      await watching;
    },
  });
}
