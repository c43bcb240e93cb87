/** DISCONNECT of a server in MQTT 5, with its reason. */
import assert from "node:assert/strict";
import { FIRST, frame } from "../../support/packet_bytes.ts";
import { clause } from "./clause.ts";
import { closed, ping } from "./trial.ts";

const versions = [5] as const;

clause({
  name: "a broker that ends sends 0x8B (MQTT 5, 4.13)",
  versions,
  mosquitto: "it closes without DISCONNECT",
}, async (t) => {
  const clients = [await t.connect("one"), await t.connect("two")];
  for (const client of clients) await ping(client);
  await t.stopBroker();
  for (const client of clients) {
    const last = (await closed(client)).at(-1);
    assert.equal(last?.cmd, "disconnect");
    assert.equal((last as { reasonCode?: number }).reasonCode, 0x8b);
  }
});

clause({
  name: "a broker that ends sends no DISCONNECT to clients of 3.1.1 (3.14)",
  versions: [4],
}, async (t) => {
  const client = await t.connect("one");
  await ping(client);
  await t.stopBroker();
  assert.deepEqual(await closed(client), []);
});

clause({
  name: "the end of the keep-alive sends 0x8D (MQTT 5, 3.1.2-24)",
  versions,
  mosquitto: "it closes without DISCONNECT",
}, async (t) => {
  const client = await t.connect("silent", { keepalive: 1 });
  const last = (await closed(client)).at(-1);
  assert.equal((last as { reasonCode?: number })?.reasonCode, 0x8d);
});

clause({
  name: "a takeover sends 0x8E (MQTT 5, 3.1.4-3)",
  versions,
  mosquitto: "it closes without DISCONNECT",
}, async (t) => {
  const first = await t.connect("twice");
  await t.connect("twice");
  const last = (await closed(first)).at(-1);
  assert.equal((last as { reasonCode?: number })?.reasonCode, 0x8e);
});

clause({
  name: "a packet that is too large sends 0x95 (MQTT 5, 3.2.2-15)",
  versions,
  limits: { maxPacketBytes: 1000 },
}, async (t) => {
  const client = await t.connect("large");
  await client.write(frame(FIRST.publish, new Uint8Array(2000)));
  const last = (await closed(client)).at(-1);
  assert.equal((last as { reasonCode?: number })?.reasonCode, 0x95);
});

clause({
  name: "a malformed packet sends 0x81, a protocol error 0x82 (MQTT 5, 4.13.1)",
  versions,
  mosquitto: "it closes without DISCONNECT",
}, async (t) => {
  const reasons: [Uint8Array, number][] = [
    [frame(FIRST.subscribe, 0), 0x81],
    [frame(FIRST.pingresp), 0x82],
  ];
  for (const [bytes, reason] of reasons) {
    const client = await t.connect("wrong");
    await client.write(bytes);
    await t.closes(client, reason);
    const other = await t.connect("wrong");
    await other.write(bytes);
    const last = (await closed(other)).at(-1);
    assert.equal(last?.cmd, "disconnect");
  }
});
