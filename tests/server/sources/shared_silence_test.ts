/** Events of sources of servers that share a store: from the leader, once. */
import assert from "node:assert/strict";
import type { SourceEvent } from "../../../src/protocol/mod.ts";
import { LinkError } from "../../../src/mqtt/link.ts";
import type { ServerOptions } from "../../../src/server/context.ts";
import { until } from "../../support/until.ts";
import { Cluster, type Member } from "../cluster.ts";

const SILENT_AFTER_MS = 300;

/** Servers whose sources become silent soon. The leader is moved by the test. */
async function start() {
  const cluster = await Cluster.create({ topics: ["occupancy/source/#"] });
  /** The events that a listener of each server got, as webhooks do. */
  const observed: string[] = [];
  return {
    cluster,
    observed,
    async member(name: string, options: Partial<ServerOptions> = {}) {
      const member = await cluster.start(name, {
        silentAfter: SILENT_AFTER_MS,
        ...options,
      });
      member.server.sources.observe(({ source, event }) =>
        observed.push(`${name}: ${source} ${event}`)
      );
      return member;
    },
    report: (member: Member, source: string) =>
      cluster.send(member, JSON.stringify({ source, cells: [[1, 2, 1]] })),
    /** The published events. */
    events: () => cluster.seen.map(({ text }): SourceEvent => JSON.parse(text)),
    /** The same as text. */
    published: () =>
      cluster.seen.map(({ text }) => {
        const { source, event }: SourceEvent = JSON.parse(text);
        return `${source} ${event}`;
      }),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

const silentOf = ({ server }: Member) =>
  server.sources.list().sources.filter(({ silent }) => silent)
    .map(({ source }) => source);

Deno.test({
  name:
    "events of sources come from the leader, whichever server took the readings, and only it calls webhooks",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { cluster, report, published, observed } = system;
    const a = await system.member("a");
    const b = await system.member("b");
    cluster.journal.lease(a.store);
    await report(b, "cam");
    await until(() => published().length === 1);
    // All servers list it as silent.
    await until(() => silentOf(b).length === 1 && silentOf(a).length === 1);
    await report(b, "cam");
    await until(() => published().length === 2);
    await until(() => silentOf(b).length === 0 && silentOf(a).length === 0);
    await until(() => published().length === 3);
    const [silent, back, again] = system.events();
    assert.deepEqual(published(), ["cam silent", "cam back", "cam silent"]);
    assert.equal(back!.last, silent!.last);
    assert.ok(again!.last > silent!.last);
    assert.ok(silent!.time - silent!.last >= SILENT_AFTER_MS);
    assert.deepEqual(observed, published().map((event) => `a: ${event}`));
  },
});

Deno.test({
  name:
    "a leader that hands over leaves no event that comes again, and none that is missing",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { cluster, report, published, observed } = system;
    const a = await system.member("a");
    const b = await system.member("b");
    cluster.journal.lease(a.store);
    await report(a, "cam");
    await until(() => published().length === 1);
    await cluster.journal.handOver(b.store);
    await until(() => b.log.some((line) => line.includes("leads")));
    await report(a, "cam");
    await until(() => published().length === 3);
    await cluster.journal.handOver(a.store);
    await until(() =>
      a.log.filter((line) => line.includes("This server leads")).length === 2
    );
    await report(b, "cam");
    await until(() => published().length === 5);
    const pair = ["cam back", "cam silent"];
    assert.deepEqual(published(), ["cam silent", ...pair, ...pair]);
    assert.deepEqual(observed, [
      "a: cam silent",
      "b: cam back",
      "b: cam silent",
      "a: cam back",
      "a: cam silent",
    ]);
  },
});

Deno.test({
  name:
    "a source that reports while no server leads is back once the next one does",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { cluster, report, published } = system;
    const a = await system.member("a");
    const b = await system.member("b");
    // It does not decide that a source is silent.
    const c = await system.member("c", { silentAfter: undefined });
    cluster.journal.lease(a.store);
    await report(b, "cam");
    await report(b, "gate");
    await until(() => published().length === 2);
    await cluster.settled();
    cluster.kill(a);
    await report(b, "cam");
    assert.equal(published().length, 2);
    cluster.journal.lease(c.store);
    await until(() => published().length === 3);
    assert.deepEqual(published().slice(2), ["cam back"]);
    const [silent] = system.events().filter(({ source }) => source === "cam");
    assert.equal(system.events()[2]!.last, silent!.last);
    await until(() => silentOf(b).length === 1);
    assert.deepEqual(silentOf(c), ["gate"]);
    // One that starts now knows it too, and may lead.
    const d = await system.member("d");
    assert.deepEqual(silentOf(d), ["gate"]);
    await cluster.journal.handOver(d.store);
    await report(b, "gate");
    await until(() => published().includes("gate back"));
  },
});

Deno.test({
  name:
    "an event that a killed leader has stored and not published is published by the next one, identical",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { cluster, report, published } = system;
    const a = await system.member("a");
    const b = await system.member("b", { silentAfter: undefined });
    cluster.journal.lease(a.store);
    await report(b, "cam");
    const stored = () =>
      b.store.records.load("sources").map(([, bytes]) =>
        JSON.parse(new TextDecoder().decode(bytes))
      );
    await until(() => published().length === 1);
    await until(() => stored()[0]?.events.length === 0); // it is acknowledged
    a.link.disconnect();
    await report(b, "cam");
    await until(() => stored()[0]?.events.length === 1);
    const [event] = stored()[0].events;
    assert.equal(event.event, "back");
    assert.equal(published().length, 1);
    cluster.kill(a);
    cluster.journal.lease(b.store);
    await until(() => published().length === 2);
    assert.deepEqual(system.events()[1], event);
    await until(() => stored().length === 0, { what: "no record is left" });
    assert.equal(published().length, 2);
  },
});

Deno.test({
  name: "a former leader publishes no event late",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { cluster, report, published } = system;
    const a = await system.member("a");
    const b = await system.member("b");
    cluster.journal.lease(a.store);
    await report(b, "cam");
    await until(() => published().length === 1);
    // It stands still, with its lease, while another one leads.
    a.store.frozen = true;
    await report(b, "cam");
    cluster.journal.lease(b.store);
    await until(() => published().length === 3);
    a.store.frozen = false;
    await cluster.settled();
    await until(() => silentOf(a).length === 1);
    assert.deepEqual(published(), ["cam silent", "cam back", "cam silent"]);
  },
});

const UNKNOWN = new LinkError("closed", "Connection lost");

/** Makes the next event of a member unconfirmed: with or without the broker. */
function failNextEvent({ link }: Member, isSent: boolean): void {
  const publish = link.publish.bind(link);
  link.publish = async (topic, payload, options) => {
    const isEvent = topic.endsWith("/event");
    if (isEvent) link.publish = publish;
    if (!isEvent || isSent) await publish(topic, payload, options);
    if (isEvent) throw UNKNOWN;
  };
}

Deno.test({
  name:
    "an unconfirmed event is not published again after a newer one, by any leader",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { cluster, report, published } = system;
    const a = await system.member("a");
    const b = await system.member("b");
    cluster.journal.lease(a.store);
    await report(b, "cam");
    await until(() => published().length === 1);
    failNextEvent(a, true);
    await report(b, "cam");
    await until(() =>
      published().length >= 3 && published().at(-1) === "cam silent"
    );
    await cluster.settled();
    await until(() => eventsIn(b).length === 0);
    const before = published().length;
    await cluster.journal.handOver(b.store);
    await until(() => b.log.some((line) => line.includes("leads")));
    await report(b, "cam");
    await until(() => published().length > before);
    assert.equal(published()[before], "cam back");
    const last = system.events()[before]!;
    assert.ok(last.time > system.events()[before - 1]!.time);
  },
});

/** The stored events that may not be published. */
const eventsIn = ({ store }: Member): SourceEvent[] =>
  [...store.records.load("sources")].flatMap(([, bytes]) =>
    JSON.parse(new TextDecoder().decode(bytes)).events
  );

Deno.test({
  name:
    "a leader that goes on publishes an event again that no broker has confirmed",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { cluster, report, published, observed } = system;
    const a = await system.member("a");
    const b = await system.member("b");
    cluster.journal.lease(a.store);
    await report(b, "cam");
    await until(() => published().length === 1);
    failNextEvent(a, false);
    await report(b, "cam");
    await until(() => eventsIn(b).length === 1);
    // While it is disconnected, it is silent again at the earliest later.
    a.link.disconnect();
    a.link.reconnect();
    await until(() => published().length >= 2);
    assert.deepEqual(published().slice(0, 2), ["cam silent", "cam back"]);
    await until(() => eventsIn(b).length === 0);
    assert.deepEqual(observed.slice(0, 2), ["a: cam silent", "a: cam back"]);
  },
});

Deno.test({
  name:
    "an event that is stored while the leader hands over calls its webhooks",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { cluster, published, observed } = system;
    const a = await system.member("a");
    const b = await system.member("b");
    const layer = ["a", "b", "c", "d", "e"]
      .find((name) => a.map.shardOf(name) !== 0)!;
    const report = () =>
      cluster.send(
        b,
        JSON.stringify({ source: "cam", cells: [[1, 2, 1]] }),
        layer,
      );
    cluster.journal.lease(a.store);
    await report();
    await until(() => published().length === 1);
    await until(() => eventsIn(a).length === 0);
    // Its records are committed late.
    a.store.freeze([0]);
    await report();
    await until(() => silentOf(a).length === 0);
    await until(() => eventsIn(b).length === 1);
    const handedOver = cluster.journal.handOver(b.store);
    a.store.freeze([]);
    await handedOver;
    await until(() => published().length >= 2);
    await until(() => observed.length >= 2);
    assert.deepEqual(observed.slice(0, 2), ["a: cam silent", "a: cam back"]);
    assert.deepEqual(published().slice(0, 2), ["cam silent", "cam back"]);
  },
});
