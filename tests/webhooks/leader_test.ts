/** Webhooks of servers that share a store: only the leader calls them. */
import assert from "node:assert/strict";
import { sendEvents } from "../../src/cli/commands/server/webhooks.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { parseWebhook, Webhooks } from "../../src/webhooks/mod.ts";
import { Cluster, type Member } from "../server/cluster.ts";
import { squares } from "../server/zones/support.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { Receiver } from "./receiver.ts";

Deno.test({
  name:
    "webhooks get each event of zones and sources once, as on MQTT, across changes of the leader",
  ...needs(),
  fn: async () => {
    await using receiver = new Receiver();
    await using cluster = await Cluster.create({
      topics: ["occupancy/zone/#", "occupancy/source/#"],
    });
    const all: Webhooks[] = [];
    const start = async (name: string): Promise<Member> => {
      const member = await cluster.start(name, { silentAfter: 300 });
      const webhooks = new Webhooks({
        addresses: [parseWebhook(receiver.url())],
        version: "1.2.3",
        log: { info() {}, warn() {}, warnLimited() {} },
        onDropped() {},
      });
      all.push(webhooks);
      sendEvents(webhooks, member.server, new Topics());
      return member;
    };
    const events = () =>
      cluster.seen.filter(({ topic }) => topic.endsWith("/event"));
    /** Reports by a server, and waits for all three events. */
    const change = async (by: Member, value: number) => {
      const before = events().length;
      const cells = [[0, 0, value]];
      await cluster.send(by, JSON.stringify({ source: "cam", cells }));
      const expected = value > 0 ? "occupied" : "cleared";
      await until(() => {
        const texts = events().slice(before).map(({ text }) => text);
        return [expected, "silent"].every((event) =>
          texts.some((text) => text.includes(`"event":"${event}"`))
        );
      });
    };
    const a = await start("a");
    const b = await start("b");
    const c = await start("c");
    cluster.journal.lease(a.store);
    await until(() => a.server.zones.isLeading);
    const zones = await squares(["lobby", [0, 0, 4]]);
    await a.server.zones.edit({ kind: "replace", zones });
    await cluster.settled();
    await change(b, 1);
    await cluster.journal.handOver(b.store);
    await until(() => b.server.zones.isLeading);
    await change(a, 0);
    // Its events are published, and sent.
    await until(() => receiver.requests.length === events().length);
    await until(() =>
      b.store.records.load("sources").every(([, bytes]) =>
        new TextDecoder().decode(bytes).includes('"events":[]')
      )
    );
    cluster.kill(b);
    cluster.journal.lease(c.store);
    await until(() => c.server.zones.isLeading);
    await change(a, 3);
    await until(() => receiver.requests.length >= events().length);
    const published = events().map(({ text }) => text);
    assert.deepEqual(
      receiver.requests.map(({ body }) => body).sort(),
      published.toSorted(),
    );
    assert.equal(new Set(published).size, published.length, "each once");
    const ofSource = published.map((text) => JSON.parse(text))
      .filter(({ source }) => source === "cam").map(({ event }) => event);
    const pair = ["back", "silent"];
    assert.deepEqual(ofSource, ["silent", ...pair, ...pair]);
    for (const webhooks of all) await webhooks.close(1000);
  },
});
