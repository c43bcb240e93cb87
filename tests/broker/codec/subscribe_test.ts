/** SUBSCRIBE and UNSUBSCRIBE. */
import assert from "node:assert/strict";
import { PacketType, type Version } from "../../../src/broker/codec/packets.ts";
import {
  binary,
  frame,
  hex,
  type Part,
  properties,
  u16,
  varint,
} from "../../support/packet_bytes.ts";
import { decode, refuses, VERSIONS } from "./decode.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const ID = u16(0x1234);
const NO_LOCAL = 4;

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

function subscribe(version: Version, ...parts: readonly Part[]): Uint8Array {
  return frame(0x82, ID, properties(version), ...parts);
}

function decodeOne(version: Version, filter: string, options = 0) {
  const bytes = subscribe(version, filter, options);
  return decode(version, PacketType.Subscribe, bytes).subscriptions[0]!;
}

test("SUBSCRIBE has filters with options, in order", () => {
  const bytes = subscribe(5, "a/+", 0b01_1110, "#", 0b10_0001, "b", 0);
  assert.deepEqual(decode(5, PacketType.Subscribe, bytes), {
    type: 8,
    packetId: 0x1234,
    subscriptionIdentifier: undefined,
    properties: {},
    subscriptions: [
      {
        filter: "a/+",
        shareName: undefined,
        topicFilter: "a/+",
        isValid: true,
        qos: 2,
        noLocal: true,
        retainAsPublished: true,
        retainHandling: 1,
      },
      {
        filter: "#",
        shareName: undefined,
        topicFilter: "#",
        isValid: true,
        qos: 1,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 2,
      },
      {
        filter: "b",
        shareName: undefined,
        topicFilter: "b",
        isValid: true,
        qos: 0,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      },
    ],
  });
});

test("a SUBSCRIBE has at least one filter (MQTT 5, 3.8.3-2)", () => {
  for (const version of VERSIONS) {
    refuses(version, subscribe(version), MALFORMED);
  }
});

test("QoS 3 is malformed (MQTT 5, 3.8.3.1)", () => {
  for (const version of VERSIONS) {
    refuses(version, subscribe(version, "a", 3), MALFORMED);
  }
});

test("retain handling 3 is malformed (MQTT 5, 3.8.3.1)", () => {
  refuses(5, subscribe(5, "a", 0x30), MALFORMED);
});

test("reserved bits are 0 (MQTT 5, 3.8.3-5; MQTT 3.1.1, 3.8.3-4)", () => {
  for (const bit of [0x40, 0x80]) refuses(5, subscribe(5, "a", bit), MALFORMED);
  for (let bit = 4; bit < 256; bit *= 2) {
    refuses(4, subscribe(4, "a", bit), MALFORMED);
  }
});

test("the packet identifier is not 0 (MQTT 5, 2.2.1-3)", () => {
  for (const version of VERSIONS) {
    const list = properties(version);
    const zero = u16(0);
    refuses(version, frame(0x82, zero, list, "a", 0), PROTOCOL_ERROR);
    refuses(version, frame(0xa2, zero, list, "a"), PROTOCOL_ERROR);
  }
});

test("a filter is complete and has options", () => {
  for (const version of VERSIONS) {
    for (const parts of [["a"], ["a", 0, 0], ["a", 0, "b"], [hex("0005 61")]]) {
      refuses(version, subscribe(version, ...parts), MALFORMED);
    }
  }
});

test("an empty filter is malformed (MQTT 5, 4.7.3-1)", () => {
  for (const version of VERSIONS) {
    refuses(version, subscribe(version, "", 0), MALFORMED);
    refuses(version, subscribe(version, "a", 0, "", 0), MALFORMED);
  }
});

test("a filter is UTF-8 without NUL and control characters (MQTT 5, 1.5.4)", () => {
  for (const version of VERSIONS) {
    for (const bytes of ["00", "0a", "7f", "c29f", "eda080", "ff"]) {
      const filter = binary(...hex(bytes));
      refuses(version, subscribe(version, filter, 0), MALFORMED);
      const list = properties(version);
      refuses(version, frame(0xa2, ID, list, filter), MALFORMED);
    }
  }
});

test("a filter with wrong wildcards has its own answer (MQTT 5, 3.9.3)", () => {
  for (const version of VERSIONS) {
    for (
      const filter of ["a#", "+a", "a+", "++", "#/a", "a/#/b", "##", "a/b+/c"]
    ) {
      const { isValid, topicFilter } = decodeOne(version, filter);
      assert.equal(isValid, false, filter);
      assert.equal(topicFilter, filter);
    }
  }
});

test("a shared subscription has a group (MQTT 5, 4.8.2-1)", () => {
  for (const version of VERSIONS) {
    const shared = decodeOne(version, "$share/group/a/+/#", 1);
    assert.deepEqual(
      [shared.filter, shared.shareName, shared.topicFilter, shared.isValid],
      ["$share/group/a/+/#", "group", "a/+/#", true],
    );
    const plain = decodeOne(version, "$share");
    assert.deepEqual([plain.shareName, plain.isValid], [undefined, true]);
  }
});

test("a shared subscription that is not valid (MQTT 5, 4.8.2-1, 4.8.2-2)", () => {
  const bad = [
    ...["$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a"],
    ...["$share/g#/a", "$share/#", "$share/g/a#", "$share/g/+a"],
  ];
  for (const filter of bad) {
    refuses(5, subscribe(5, filter, 0), PROTOCOL_ERROR, filter);
    const { isValid, shareName } = decodeOne(4, filter);
    assert.deepEqual([isValid, shareName], [false, undefined], filter);
  }
});

test("No Local on a shared subscription is a protocol error (MQTT 5, 3.8.3-4)", () => {
  refuses(5, subscribe(5, "$share/g/a", NO_LOCAL), PROTOCOL_ERROR);
  assert.equal(decodeOne(5, "a", NO_LOCAL).noLocal, true);
});

test("a subscription identifier is 1 to 268,435,455, and there is one (MQTT 5, 3.8.2.1.2)", () => {
  const withList = (...parts: readonly Part[]) =>
    frame(0x82, ID, properties(5, ...parts), "a", 0);
  for (const id of [1, 127, 128, 268_435_455]) {
    const bytes = withList(0x0b, varint(id));
    const decoded = decode(5, PacketType.Subscribe, bytes);
    assert.equal(decoded.subscriptionIdentifier, id);
  }
  refuses(5, withList(0x0b, 0), PROTOCOL_ERROR);
  refuses(5, withList(0x0b, 1, 0x0b, 2), PROTOCOL_ERROR);
  refuses(5, withList(0x0b, hex("80808080 01")), MALFORMED);
  refuses(5, withList(0x0b, hex("8100")), MALFORMED);
});

test("UNSUBSCRIBE has filters, in order", () => {
  for (const version of VERSIONS) {
    const list = properties(version);
    const bytes = frame(0xa2, ID, list, "a/#", "$share/g/b", "a#");
    assert.deepEqual(decode(version, PacketType.Unsubscribe, bytes), {
      type: 10,
      packetId: 0x1234,
      properties: {},
      filters: ["a/#", "$share/g/b", "a#"],
    });
  }
});

test("an UNSUBSCRIBE has at least one filter, none is empty (MQTT 5, 3.10.3-2)", () => {
  for (const version of VERSIONS) {
    const list = properties(version);
    for (const parts of [[], [""], ["a", ""], ["a", 0], [hex("0002 61")]]) {
      refuses(version, frame(0xa2, ID, list, ...parts), MALFORMED);
    }
  }
});
