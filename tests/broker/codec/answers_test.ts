/** PUBACK, PUBREC, PUBREL, PUBCOMP, PINGREQ, DISCONNECT and AUTH. */
import assert from "node:assert/strict";
import {
  type AcknowledgementType,
  PacketType,
} from "../../../src/broker/codec/packets.ts";
import {
  frame,
  hex,
  properties,
  u16,
  u32,
} from "../../support/packet_bytes.ts";
import { decode, refuses, VERSIONS } from "./decode.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const ID = u16(0x1234);
const FIRST: Record<AcknowledgementType, number> = {
  [PacketType.Puback]: 0x40,
  [PacketType.Pubrec]: 0x50,
  [PacketType.Pubrel]: 0x62,
  [PacketType.Pubcomp]: 0x70,
};
const TYPES = [
  ...[PacketType.Puback, PacketType.Pubrec],
  ...[PacketType.Pubrel, PacketType.Pubcomp],
] as const;

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

test("an acknowledgement without reason code is a success (MQTT 5, 3.4.2.1)", () => {
  for (const type of TYPES) {
    for (const version of VERSIONS) {
      assert.deepEqual(decode(version, type, frame(FIRST[type], ID)), {
        type,
        packetId: 0x1234,
        reasonCode: 0,
        properties: {},
      });
    }
    for (const rest of [[0], [0, 0]]) {
      const decoded = decode(5, type, frame(FIRST[type], ID, ...rest));
      assert.deepEqual([decoded.reasonCode, decoded.properties], [0, {}]);
    }
  }
});

test("an acknowledgement of MQTT 5 has a reason code and properties", () => {
  for (const type of TYPES) {
    const list = properties(5, 0x1f, "why", 0x26, "k", "v");
    const bytes = frame(FIRST[type], ID, 0, list);
    assert.deepEqual(decode(5, type, bytes).properties, {
      reasonString: "why",
      userProperties: [["k", "v"]],
    });
  }
});

test("an acknowledgement of MQTT 3.1.1 is two bytes long (3.4)", () => {
  for (const type of TYPES) {
    for (const rest of [[0], [0, 0], [0, 0, 0]]) {
      refuses(4, frame(FIRST[type], ID, ...rest), MALFORMED);
    }
  }
});

test("an acknowledgement ends with its properties (MQTT 5, 2.1.4)", () => {
  for (const type of TYPES) {
    for (const version of VERSIONS) {
      refuses(version, frame(FIRST[type]), MALFORMED);
      refuses(version, frame(FIRST[type], 1), MALFORMED);
    }
    refuses(5, frame(FIRST[type], ID, 0, 0, 0), MALFORMED);
    refuses(5, frame(FIRST[type], ID, 0, 1), MALFORMED);
    refuses(5, frame(FIRST[type], ID, 0, hex("8000")), MALFORMED);
  }
});

test("the packet identifier of an acknowledgement is not 0 (MQTT 5, 2.2.1-3)", () => {
  for (const type of TYPES) {
    for (const version of VERSIONS) {
      refuses(version, frame(FIRST[type], u16(0)), PROTOCOL_ERROR);
    }
  }
});

test("each acknowledgement has its reason codes (MQTT 5, 3.4.2-1 to 3.7.2-1)", () => {
  const message = [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
  const release = [0, 0x92];
  for (const type of TYPES) {
    const known = type <= PacketType.Pubrec ? message : release;
    for (let code = 0; code < 256; code++) {
      const bytes = frame(FIRST[type], ID, code);
      if (known.includes(code)) {
        assert.equal(decode(5, type, bytes).reasonCode, code);
      } else {
        refuses(5, bytes, PROTOCOL_ERROR, `type ${type}, code ${code}`);
      }
    }
  }
});

test("PINGREQ has no body (MQTT 5, 3.12)", () => {
  for (const version of VERSIONS) {
    const decoded = decode(version, PacketType.Pingreq, hex("c000"));
    assert.deepEqual(decoded, { type: 12 });
    refuses(version, hex("c00100"), MALFORMED);
  }
});

test("DISCONNECT without reason code is a normal one (MQTT 5, 3.14.2.1)", () => {
  for (const version of VERSIONS) {
    assert.deepEqual(decode(version, PacketType.Disconnect, hex("e000")), {
      type: 14,
      reasonCode: 0,
      properties: {},
    });
  }
});

test("DISCONNECT of MQTT 3.1.1 has no body (3.14)", () => {
  refuses(4, hex("e00100"), MALFORMED);
  refuses(4, hex("e0020000"), MALFORMED);
});

test("DISCONNECT of MQTT 5 has a reason code and properties (3.14.2)", () => {
  const code = decode(5, PacketType.Disconnect, hex("e00104"));
  assert.deepEqual([code.reasonCode, code.properties], [4, {}]);
  const list = properties(5, 0x11, u32(60), 0x1f, "bye");
  const whole = decode(5, PacketType.Disconnect, frame(0xe0, 0x04, list));
  assert.deepEqual(whole.properties, {
    sessionExpiryInterval: 60,
    reasonString: "bye",
  });
  refuses(5, frame(0xe0, 0, 0, 0), MALFORMED);
  refuses(5, frame(0xe0, 0, 1), MALFORMED);
});

test("AUTH has a method and a reason code of a client (MQTT 5, 3.15)", () => {
  for (const code of [0x18, 0x19]) {
    const bytes = frame(0xf0, code, properties(5, 0x15, "method"));
    assert.deepEqual(decode(5, PacketType.Auth, bytes), {
      type: 15,
      reasonCode: code,
      properties: { authenticationMethod: "method" },
    });
    refuses(5, frame(0xf0, code, properties(5)), PROTOCOL_ERROR);
  }
  refuses(5, hex("f000"), PROTOCOL_ERROR);
  refuses(5, frame(0xf0, 0, properties(5, 0x15, "m")), PROTOCOL_ERROR);
  refuses(5, hex("f100"), PROTOCOL_ERROR);
});
