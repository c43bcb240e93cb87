/** Of several servers, the leader announces the zones to Home Assistant. */
import assert from "node:assert/strict";
import { zoneOf } from "../../home_assistant/support.ts";
import { until } from "../../support/until.ts";
import { Cluster } from "../cluster.ts";
import { topicOf } from "./support.ts";

const OPTIONS = { homeAssistant: "homeassistant" };

/** Returns what was published for a zone: configurations, or "" to remove it. */
function sent({ seen }: Cluster, key: string): string[] {
  return seen.filter(({ topic }) => topic === topicOf(key))
    .map(({ text }) => text);
}

Deno.test({
  name:
    "the leader alone announces zones; the next one knows what it announced",
  permissions: "none",
  fn: async () => {
    await using cluster = await Cluster.create({ topics: ["homeassistant/#"] });
    const a = await cluster.start("a", OPTIONS);
    const b = await cluster.start("b", OPTIONS);
    const c = await cluster.start("c", OPTIONS);
    cluster.journal.lease(a.store);
    await until(() => a.server.zones.isLeading);
    for (const name of ["lobby", "hall"]) {
      await c.server.zones.edit({ kind: "set", zone: zoneOf(name) });
    }
    await until(() => sent(cluster, "hall").length > 0);
    await cluster.settled();
    assert.equal(sent(cluster, "lobby").length, 1);
    assert.equal(sent(cluster, "hall").length, 1);

    // Renamed while no server leads: Home Assistant keeps its device.
    cluster.kill(a);
    const renamed = { ...zoneOf("lobby"), name: "foyer" };
    await c.server.zones.edit({
      kind: "replace",
      zones: [renamed],
    });
    await cluster.settled();
    assert.equal(sent(cluster, "hall").length, 1, "no server leads");
    cluster.journal.lease(b.store);
    await until(() => sent(cluster, "hall").at(-1) === "");
    await until(() => sent(cluster, "lobby").length > 1);
    assert.equal(JSON.parse(sent(cluster, "lobby").at(-1)!).dev.name, "foyer");
    assert.deepEqual(sent(cluster, "foyer"), []);
  },
});
