/**
 * The attacks: each runs until the signal of its target.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { delay } from "../../../src/common/async.ts";
import { encodePublish, encodeSubscribe } from "../../support/packets.ts";
import { type Attack, flood, head, hold } from "./attacker.ts";
import { BROKER_ATTACKS, mixedAttack } from "./broker_attacks.ts";
import { HISTORY_ATTACKS } from "./history_attacks.ts";

const HANDSHAKE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];
/** A layer that exists, so that too many layers do not prevent the attack. */
export const SCATTERED = "scattered";
const CHUNKED = "Transfer-Encoding: chunked";

/** A WebSocket frame of a client, masked with zeros. */
function frame(fin: boolean, opcode: number, payload: Uint8Array): Uint8Array {
  const first = (fin ? 128 : 0) | opcode;
  const { length } = payload;
  const size = length < 126
    ? [128 | length]
    : [128 | 126, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([first, ...size, 0, 0, 0, 0]), payload]);
}

/** Many copies of a packet in one write. */
function copies(count: number, packet: (i: number) => Uint8Array): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => packet(i)));
}

/** As many zones as are allowed, of about 1,400 bytes each. */
function zones(seed: number): string {
  const features = Array.from({ length: 10_000 }, (_, i) => {
    const [x, y] = [i % 100 * 10, Math.floor(i / 100) * 10];
    const ring = Array.from({ length: 40 }, (_, k) => {
      const angle = k * Math.PI / 20;
      return [x + 5 * Math.cos(angle), y + 5 * Math.sin(angle)];
    });
    return {
      type: "Feature",
      properties: { name: `zone-${i}`, title: `${seed}` },
      geometry: { type: "Polygon", coordinates: [[...ring, ring[0]]] },
    };
  });
  return JSON.stringify({ type: "FeatureCollection", features });
}

/** Time for the connections to end. */
const END_TIMEOUT_MS = 500;

const int32 = () => Math.floor(Math.random() * 2 ** 32) - 2 ** 31;

/** All attacks by name. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  ...BROKER_ATTACKS,
  ...HISTORY_ATTACKS,
  "idle-connections": {
    counted: ["http-connections", "http-connections-per-address"],
    run: (target) => hold(target, target.httpPort, 1000, async () => {}),
  },
  "slow-heads": {
    counted: ["http-connections", "http-connections-per-address"],
    run: (target) =>
      hold(target, target.httpPort, 300, async (socket) => {
        while (await socket.write("G")) await delay(100, target.signal);
      }),
  },
  "request-flood": {
    counted: [],
    run: async (target) => {
      const topic = "occupancy/response/flood";
      const request = JSON.stringify({
        ...{ maxBytes: 1024, layer: target.layer, replyTo: topic },
      });
      const packets = copies(
        100,
        () => encodePublish("occupancy/request", request),
      );
      // The replies of one are read by a subscriber, those of the other by none.
      const first = encodeSubscribe(topic);
      let sent = 0;
      await Promise.all([
        flood(target, "flood", () => sent++ === 0 ? first : packets),
        flood(target, "flood-2", () => packets),
      ]);
    },
  },
  "large-requests": {
    counted: [],
    run: async (target) => {
      const topic = "occupancy/response/large";
      const request = JSON.stringify({ layer: target.layer, replyTo: topic });
      const packets = copies(
        4,
        () => encodePublish("occupancy/request", request),
      );
      let sent = 0;
      await flood(
        target,
        "large-requests",
        () => sent++ === 0 ? encodeSubscribe(topic) : packets,
      );
    },
  },
  "large-payloads": {
    counted: [],
    run: (target) => {
      const rows = Array.from(
        { length: 400_000 },
        (_, i) => `${i % 1000},${i % 100},${i % 7}`,
      );
      const packet = encodePublish(
        `occupancy/data/${target.layer}`,
        rows.join("\n"),
      );
      return flood(target, "large-payloads", () => packet);
    },
  },
  "one-byte-chunks": {
    counted: [],
    run: (target) => {
      const chunks = Buffer.from("1\r\n1\r\n".repeat(10_000));
      return hold(target, target.httpPort, 8, async (socket) => {
        socket.read();
        await socket.write(head(target, "POST /api/v1/readings", CHUNKED));
        while (await socket.write(chunks)) await delay(0);
      });
    },
  },
  "endless-fragments": {
    counted: ["http-websocket-message"],
    run: (target) => {
      const payload = new Uint8Array(60_000).fill(32);
      return hold(target, target.httpPort, 4, async (socket) => {
        socket.read();
        await socket.write(head(target, "GET /live", ...HANDSHAKE));
        await socket.write(frame(false, 1, payload));
        while (await socket.write(frame(false, 0, payload))) await delay(0);
      });
    },
  },
  "bodies-of-unknown-length": {
    counted: [],
    run: (target) =>
      hold(target, target.httpPort, 64, async (socket) => {
        socket.read();
        await socket.write(head(target, "POST /api/v1/readings", CHUNKED));
        while (await socket.write("6\r\n1,1,1\n\r\n")) {
          await delay(200, target.signal);
        }
      }),
  },
  "large-bodies": {
    counted: [],
    run: (target) => {
      const body = "1,1,1\n".repeat(1_300_000);
      return hold(target, target.httpPort, 16, async (socket) => {
        socket.read();
        await socket.write(
          head(
            target,
            `POST /api/v1/readings?layer=${target.layer}`,
            `Content-Length: ${body.length}`,
          ),
        );
        await socket.write(body);
      });
    },
  },
  "large-zones": {
    counted: ["http-zone-edits"],
    run: (target) =>
      hold(target, target.httpPort, 16, async (socket) => {
        socket.read();
        // Each changes all zones.
        const body = zones(int32());
        await socket.write(
          head(
            target,
            "PUT /api/v1/zones",
            `Content-Length: ${Buffer.byteLength(body)}`,
            "Connection: close",
          ),
        );
        await socket.write(body);
      }),
  },
  "unread-answers": {
    counted: ["http-large-responses"],
    run: (target) =>
      hold(
        target,
        target.httpPort,
        64,
        (socket) =>
          socket.write(
            head(target, `GET /api/v1/cells?layer=${target.layer}`),
          ),
      ),
  },
  "unread-streams": {
    counted: ["http-streams"],
    run: async (target) => {
      let value = 0;
      await Promise.all([
        hold(
          target,
          target.httpPort,
          100,
          (socket) =>
            socket.write(
              head(target, `GET /api/v1/changes?layer=${target.layer}`),
            ),
        ),
        flood(target, "changes", () => changes(target.layer, ++value)),
      ]);
    },
  },
  "unread-viewers": {
    counted: ["http-viewers"],
    run: async (target) => {
      let value = 0;
      const view = Buffer.from(
        JSON.stringify({ type: "view", layer: target.layer }),
      );
      const got = Buffer.from('{"type":"ping","id":1}');
      await Promise.all([
        hold(target, target.httpPort, 100, async (socket) => {
          await socket.write(head(target, "GET /live", ...HANDSHAKE));
          await socket.write(frame(true, 1, view));
          while (await socket.write(frame(true, 1, got))) {
            await delay(10, target.signal);
          }
        }),
        flood(target, "changes", () => changes(target.layer, ++value)),
      ]);
    },
  },
  "loops-of-large-answers": {
    counted: [],
    run: (target) =>
      hold(target, target.httpPort, 12, async (socket) => {
        let answered = Promise.withResolvers<void>();
        socket.read((chunk) => {
          // The end of a chunked body.
          if (Buffer.from(chunk).subarray(-5).equals(END)) answered.resolve();
        });
        const request = head(target, `GET /api/v1/cells?layer=${target.layer}`);
        while (await socket.write(request)) {
          await Promise.race([answered.promise, socket.closed()]);
          answered = Promise.withResolvers();
        }
      }),
  },
  "many-layers": {
    counted: ["too-many-layers"],
    run: (target) => {
      let layer = 0;
      return flood(
        target,
        "layers",
        () =>
          copies(
            200,
            () => encodePublish(`occupancy/data/attack/${layer++}`, "1,1,1"),
          ),
      );
    },
  },
  "scattered-cells": {
    counted: ["too-many-cells"],
    run: (target) =>
      flood(target, "scattered", () => {
        const rows = Array.from(
          { length: 1000 },
          () => `${int32()},${int32()},1`,
        );
        return encodePublish(`occupancy/data/${SCATTERED}`, rows.join("\n"));
      }),
  },
  "bad-payloads": {
    counted: ["bad-header"],
    run: async (target) => {
      let state = 0;
      const topic = `occupancy/server/state/`;
      await Promise.all([
        flood(
          target,
          "bad-payloads",
          () => copies(500, () => encodePublish("occupancy/data", "a,b,")),
        ),
        // The broker refuses the name; it must not get into the log as it is.
        flood(target, "bad\nclient\x1b[31m", () => encodePublish("a", "x")),
        flood(
          target,
          "forger",
          () =>
            copies(50, () =>
              encodePublish(
                `${topic}forged-${state++}`,
                '{"state":"online","version":"1\\n2"}',
                { retain: true },
              )),
        ),
      ]);
    },
  },
  "wrong-tokens": {
    counted: ["http-wrong-token"],
    run: (target) =>
      hold(target, target.httpPort, 64, async (socket) => {
        let answered = Promise.withResolvers<void>();
        socket.read(() => answered.resolve());
        const wrong = { ...target, token: "wrong-wrong-wrong-wrong" };
        while (await socket.write(head(wrong, "GET /api/v1/layers"))) {
          await Promise.race([answered.promise, socket.closed()]);
          answered = Promise.withResolvers();
        }
      }),
  },
};

/** The name of the attack in all ways that concern the broker, at once. */
export const MIXED = "broker";

/** The last bytes of a chunked body. */
const END = Buffer.from("0\r\n\r\n");

/** Changes 1,000 cells of the large layer. */
function changes(layer: string, value: number): Uint8Array {
  const rows = Array.from(
    { length: 1000 },
    (_, i) => `${i % 100},${Math.floor(i / 100)},${value % 100}`,
  );
  return encodePublish(`occupancy/data/${layer}`, rows.join("\n"));
}

/**
 * Runs in a process of its own, with NAME HTTP_PORT MQTT_PORT TOKEN LAYER MS
 * PAUSE_MS CONNECTIONS
 */
if (import.meta.main) {
  const [name = "", httpPort, mqttPort, token = "", layer = "", ...numbers] =
    Deno.args;
  const [ms, pauseMs, connections] = numbers;
  // Some may wait for a connection.
  setTimeout(() => Deno.exit(), Number(ms) + END_TIMEOUT_MS);
  console.error("begun");
  const attack = name === MIXED ? mixedAttack : ATTACKS[name]!;
  await attack.run({
    httpPort: Number(httpPort),
    mqttPort: Number(mqttPort),
    token,
    layer,
    pauseMs: Number(pauseMs),
    connections: Number(connections),
    signal: AbortSignal.timeout(Number(ms)),
  });
  Deno.exit();
}
