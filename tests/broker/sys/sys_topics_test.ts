/** The topics below $SYS. */
import assert from "node:assert/strict";
import { Counters } from "../../../src/broker/sys/counters.ts";
import { SysTopics } from "../../../src/broker/sys/sys_topics.ts";

const STATE = {
  clients: 2,
  sessions: 5,
  subscriptions: 7,
  retainedMessages: 1,
  retainedBytes: 10,
  queuedMessages: 3,
  queuedBytes: 30,
  unsentBytes: 0,
};

function started() {
  const published: [string, string][] = [];
  const counts = new Counters();
  const state = { ...STATE };
  let now = 1000;
  const topics = new SysTopics({
    version: "1.2.3",
    counts,
    state: () => state,
    publish: (topic, payload) =>
      published.push([topic, new TextDecoder().decode(payload)]),
    monotonic: () => now,
  });
  const publish = () => {
    published.length = 0;
    topics.publish();
    return Object.fromEntries(published);
  };
  return { topics, counts, state, publish, pass: (ms: number) => now += ms };
}

Deno.test({
  name: "$SYS has the topics of Mosquitto with the counts of the broker",
  permissions: "none",
  fn: () => {
    const { counts, publish } = started();
    counts.publishReceived = 9;
    counts.publishDropped = 4;
    const all = publish();
    assert.equal(all["$SYS/broker/version"], "occupancy version 1.2.3");
    assert.equal(all["$SYS/broker/uptime"], "0 seconds");
    assert.equal(all["$SYS/broker/clients/connected"], "2");
    assert.equal(all["$SYS/broker/clients/disconnected"], "3");
    assert.equal(all["$SYS/broker/retained messages/count"], "1");
    assert.equal(all["$SYS/broker/publish/messages/received"], "9");
    assert.equal(all["$SYS/broker/publish/messages/dropped"], "4");
  },
});

Deno.test({
  name: "$SYS topics are published again only if they changed",
  permissions: "none",
  fn: () => {
    const { counts, state, publish, pass } = started();
    publish();
    assert.deepEqual(publish(), {});
    pass(2500);
    counts.bytesSent = 5;
    state.clients = 1;
    counts.noteClients(8);
    counts.noteClients(1);
    assert.deepEqual(publish(), {
      "$SYS/broker/uptime": "2 seconds",
      "$SYS/broker/clients/connected": "1",
      "$SYS/broker/clients/disconnected": "4",
      "$SYS/broker/clients/maximum": "8",
      "$SYS/broker/bytes/sent": "5",
    });
  },
});
