/** SUBSCRIBE and UNSUBSCRIBE in both versions. */
import assert from "node:assert/strict";
import type { QoS } from "../../support/packets.ts";
import { FIRST, frame, properties, u16 } from "../../support/packet_bytes.ts";
import { clause } from "./clause.ts";
import { messages, ping, receive, texts, type Trial } from "./trial.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;

/** Publishes the topics' names and returns those that arrive. */
async function arriving(
  t: Trial,
  filter: string,
  topics: readonly string[],
): Promise<string[]> {
  const reader = await t.connect("reader");
  await t.subscribe(reader, filter);
  const writer = await t.connect("writer");
  for (const topic of topics) await writer.publish(topic, topic);
  await ping(writer);
  return texts(await messages(reader));
}

clause({
  name:
    "a filter with a misplaced wildcard is refused with 0x80 or 0x8F (4.7.1)",
  mosquitto: "it closes the connection",
}, async (t) => {
  const client = await t.connect("reader");
  const wrong = ["a#", "#a", "a/#/b", "##", "+a", "a+", "++", "a/b+/c", "a/#b"];
  const refused = t.version === 5 ? 0x8f : 0x80;
  for (const topic of wrong) {
    assert.deepEqual(await t.subscribe(client, topic), [refused], topic);
  }
  // The others of the packet are granted.
  assert.deepEqual(
    await t.subscribe(client, [{ topic: "a" }, { topic: "a#" }, {
      topic: "b",
      qos: 1,
    }]),
    [0, refused, 1],
  );
  await t.publish(client, "b", "x");
  assert.deepEqual(texts(await messages(client)), ["x"]);
});

clause("an empty filter is refused, or closes (4.7.3-1)", async (t) => {
  const client = await t.connect("reader");
  await client.write(
    frame(FIRST.subscribe, u16(1), properties(t.version), "", 0),
  );
  await client.send({ cmd: "pingreq" });
  const first = await client.next();
  if (first?.cmd === "suback") {
    assert.deepEqual(first.granted, [t.version === 5 ? 0x8f : 0x80]);
  } else assert.ok(first === undefined || first.cmd === "disconnect");
});

clause("QoS 3 and reserved bits of the options close (3.8.3-4)", async (t) => {
  const none = properties(t.version);
  const wrong = t.version === 5
    ? [0x03, 0x40, 0x80, 0x30]
    : [0x03, 0x04, 0x08, 0x10, 0x80];
  for (const options of wrong) {
    await t.mustClose(
      frame(FIRST.subscribe, u16(1), none, "a", options),
      ...[MALFORMED, PROTOCOL_ERROR],
    );
  }
});

clause("SUBACK has a code for each filter, in order (3.8.4-5)", async (t) => {
  const client = await t.connect("reader");
  const qos = [2, 0, 1, 1, 2, 0] as const;
  assert.deepEqual(
    await t.subscribe(
      client,
      qos.map((qos, i) => ({ topic: `filter/${i}`, qos })),
    ),
    [...qos],
  );
});

clause(
  "+ is one level, # is all from there and the level above (4.7.1)",
  async (t) => {
    const topics = [
      "a",
      "a/",
      "a/b",
      "a/b/c",
      "/a",
      "b/b",
      "a/b/",
      "/",
      "a/x/c",
    ];
    const matches: Record<string, string[]> = {
      "a": ["a"],
      "a/+": ["a/", "a/b"],
      "a/#": ["a", "a/", "a/b", "a/b/c", "a/b/", "a/x/c"],
      "+": ["a"],
      "+/+": ["a/", "a/b", "/a", "b/b", "/"],
      "/+": ["/a", "/"],
      "+/b": ["a/b", "b/b"],
      "a/+/c": ["a/b/c", "a/x/c"],
      "a/+/#": ["a/", "a/b", "a/b/c", "a/b/", "a/x/c"],
      "+/b/#": ["a/b", "a/b/c", "b/b", "a/b/"],
      "#": topics,
    };
    for (const [filter, expected] of Object.entries(matches)) {
      assert.deepEqual(await arriving(t, filter, topics), expected, filter);
    }
  },
);

clause("# and + never match a first level with $ (4.7.2-1)", async (t) => {
  const reader = await t.connect("reader");
  await t.subscribe(reader, [
    { topic: "#" },
    { topic: "+/#" },
    { topic: "+/broker/version" },
  ]);
  const sys = await t.connect("sys");
  await t.subscribe(sys, "$SYS/#");
  await t.publish(reader, "a/$SYS", "inside");
  const received = await messages(reader);
  assert.ok(received.length > 0);
  assert.ok(received.every(({ topic }) => topic === "a/$SYS"));
});

clause(
  "a message has the lesser of its QoS and the granted one (3.8.4-6)",
  async (t) => {
    const writer = await t.connect("writer");
    for (const filter of ["qos/a", "qos/+", "qos/#"]) {
      for (const granted of [0, 1, 2] as const) {
        const reader = await t.connect("reader");
        await t.subscribe(reader, filter, { qos: granted });
        for (const qos of [0, 1, 2] as const) {
          await t.publish(writer, "qos/a", `${qos}`, { qos });
        }
        const received = await messages(reader);
        assert.deepEqual(
          received.map(({ qos }) => qos).sort(),
          [0, 1, 2].map((qos) => Math.min(qos, granted)),
          filter,
        );
      }
    }
  },
);

clause(
  "the same filter again replaces the subscription (3.8.4-3)",
  async (t) => {
    const client = await t.connect("reader");
    const writer = await t.connect("writer");
    await t.publish(writer, "again", "kept", { qos: 2, retain: true });
    for (const qos of [2, 0, 1] as const) {
      assert.deepEqual(await t.subscribe(client, "again", { qos }), [qos]);
      const [retained, ...others] = await messages(client);
      assert.equal(retained?.qos, qos, "the retained message is sent again");
      assert.equal(retained.retain, true);
      await t.publish(writer, "again", "live", { qos: 2 });
      const live = await messages(client);
      assert.deepEqual(live.map((packet) => packet.qos), [qos], "one copy");
      assert.deepEqual(others, []);
    }
  },
);

clause({
  name: "overlapping filters deliver one copy at the highest QoS (3.3.5-1)",
  mosquitto: "it delivers one copy for each filter",
}, async (t) => {
  const orders: QoS[][] = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 0]];
  const writer = await t.connect("writer");
  for (const order of orders) {
    const reader = await t.connect("reader");
    const filters = ["over/a", "over/+", "over/#"];
    await t.subscribe(
      reader,
      filters.map((topic, i) => ({ topic, qos: order[i]! })),
    );
    await t.publish(writer, "over/a", "x", { qos: 2 });
    const received = await messages(reader);
    assert.deepEqual(
      received.map(({ qos }) => qos),
      [Math.max(...order)],
      order.join(),
    );
  }
});

clause(
  {
    name: "overlapping filters deliver at the highest QoS (3.3.5-1)",
    mosquitto: { 4: "it delivers at the QoS of any of them" },
  },
  async (t) => {
    const writer = await t.connect("writer");
    const orders: QoS[][] = [[0, 1, 2], [2, 1, 0], [1, 2, 0]];
    for (const order of orders) {
      const reader = await t.connect("reader");
      const filters = ["over/a", "over/+", "over/#"];
      await t.subscribe(
        reader,
        filters.map((topic, i) => ({ topic, qos: order[i]! })),
      );
      await t.publish(writer, "over/a", "x", { qos: 2 });
      const received = await messages(reader);
      assert.ok(received.some(({ qos }) => qos === 2), order.join());
    }
  },
);

clause("UNSUBSCRIBE ends exactly its filter (3.10.4-1)", async (t) => {
  const client = await t.connect("reader");
  for (const topic of ["un/a", "un/+", "un/#"]) {
    await t.subscribe(client, topic);
  }
  const copies = async () => {
    await t.publish(client, "un/a", "x");
    return (await messages(client)).length;
  };
  assert.ok(await copies() > 0);
  await t.unsubscribe(client, "un/a/#", "un", "+/a", "UN/a");
  assert.ok(await copies() > 0);
  await t.unsubscribe(client, "un/a", "un/#");
  assert.equal(await copies(), 1);
  await t.unsubscribe(client, "un/+");
  assert.equal(await copies(), 0);
});

clause(
  "UNSUBSCRIBE of an unknown filter is acknowledged (3.10.4-5)",
  async (t) => {
    const client = await t.connect("reader");
    const codes = await t.unsubscribe(client, "unknown");
    assert.deepEqual(codes, t.version === 5 ? [0x11] : []);
  },
);

clause(
  "what was queued before UNSUBSCRIBE may arrive, nothing after (3.10.4-2)",
  async (t) => {
    const client = await t.resume("reader");
    await t.subscribe(client, "un", { qos: 1 });
    await client.disconnect();
    const again = await t.resume("reader");
    await t.unsubscribe(again, "un");
    await again.disconnect();
    const writer = await t.connect("writer");
    await t.publish(writer, "un", "x", { qos: 1 });
    assert.deepEqual(await messages(await t.resume("reader")), []);
  },
);

clause("100 filters in one packet are granted (3.8.3)", async (t) => {
  const client = await t.connect("reader");
  const filters = Array.from({ length: 100 }, (_, i) => ({
    topic: `filter/${i}/+`,
    qos: 1 as const,
  }));
  const codes = await t.subscribe(client, filters);
  assert.deepEqual(codes, filters.map(() => 1));
  await t.publish(client, "filter/77/a", "x");
  assert.equal((await receive(client, "publish")).topic, "filter/77/a");
});
