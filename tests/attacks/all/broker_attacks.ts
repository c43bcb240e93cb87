/**
 * Attacks on the embedded broker with many connections.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { delay } from "../../../src/common/async.ts";
import { mqttCase } from "../../fuzz/mqtt_cases.ts";
import { Random } from "../../fuzz/random.ts";
import { FIRST, join, varint } from "../../support/packet_bytes.ts";
import {
  encodeConnect,
  encodePublish,
  encodeSubscribe,
} from "../../support/packets.ts";
import {
  type Attack,
  AttackSocket,
  flood,
  hold,
  mqtt,
  repeat,
  type Target,
} from "./attacker.ts";

/** Pause of a client between two rude steps, in ms. */
const STEP_MS = 50;
/** How long a client that reads nothing stays, in ms. */
const SLOW_MS = 5_000;
/** Clients that fight for one client id. */
const RIVALS = 2;
const FLOOD_CONNECTIONS = 4;
const RETAINED_BYTES = 10_000;
const OVERSIZED_BYTES = 200_000_000;

/** Attacks by name. */
export const BROKER_ATTACKS: Readonly<Record<string, Attack>> = {
  "mqtt-half-open": {
    counted: [],
    run: (target) =>
      hold(target, target.mqttPort, target.connections, async (socket) => {
        // Some send nothing, some a part of CONNECT.
        const bytes = encodeConnect("half-open");
        if (Math.random() < 0.5) await socket.write(bytes.subarray(0, 7));
      }),
  },
  "mqtt-slow-readers": {
    counted: [],
    run: async (target) => {
      const packet = encodePublish("flood/slow", new Uint8Array(10_000));
      await Promise.all([
        hold(target, target.mqttPort, target.connections, async (socket) => {
          await socket.write(encodeConnect(`slow-${Math.random()}`));
          await socket.write(encodeSubscribe("#"));
          // Reads nothing, so it does not see the end; it comes back.
          await delay(SLOW_MS * (0.5 + Math.random()), target.signal);
          socket.destroy();
        }),
        flood(target, "slow-flood", () => packet),
      ]);
    },
  },
  "mqtt-oversized": {
    counted: [],
    run: (target) =>
      hold(target, target.mqttPort, target.connections, async (socket) => {
        socket.read();
        await socket.write(encodeConnect(`oversized-${Math.random()}`));
        const bytes = Buffer.alloc(60_000, 120);
        await socket.write(join(FIRST.publish, varint(OVERSIZED_BYTES), "a"));
        while (await socket.write(bytes)) await delay(target.pauseMs);
      }),
  },
  "mqtt-reconnect-storm": {
    counted: [],
    run: (target) =>
      repeat(target, target.connections, async () => {
        const socket = await mqtt(target, `storm-${Math.random()}`);
        await delay(STEP_MS * Math.random());
        socket?.destroy();
      }),
  },
  "mqtt-malformed": {
    counted: [],
    run: async (target) => {
      let index = 0;
      const seed = Math.floor(Math.random() * 2 ** 31);
      await repeat(target, target.connections, async () => {
        const socket = await AttackSocket.open(target.mqttPort);
        if (socket === undefined) return;
        socket.read();
        for (const piece of mqttCase(new Random(seed, index++)).pieces) {
          await socket.write(piece);
        }
        await delay(STEP_MS);
        socket.destroy();
      });
    },
  },
  "mqtt-topic-flood": {
    counted: [],
    run: (target) => {
      let topic = 0;
      return floods(
        target,
        (i) => encodePublish(`flood/${i}/${topic++}/a/b/c/d`, "x", { id: 1 }),
      );
    },
  },
  "mqtt-retained-flood": {
    counted: [],
    run: (target) => {
      let topic = 0;
      const payload = new Uint8Array(RETAINED_BYTES);
      return floods(
        target,
        () => encodePublish(`kept/${topic++}`, payload, { retain: true }),
      );
    },
  },
  "mqtt-takeovers": {
    counted: [],
    run: (target) => {
      let next = 0;
      return hold(
        target,
        target.mqttPort,
        target.connections,
        async (socket) => {
          socket.read();
          const rivals = Math.ceil(target.connections / RIVALS);
          await socket.write(
            encodeConnect(`rival-${next++ % rivals}`, { clean: false }),
          );
          await socket.write(encodeSubscribe("rival/#", 1));
        },
      );
    },
  },
};

/** All of them at once; they share the connections. */
export const mixedAttack: Attack = {
  counted: [],
  run: async (target) => {
    const attacks = Object.values(BROKER_ATTACKS);
    const connections = Math.ceil(target.connections / attacks.length);
    await Promise.all(
      attacks.map((attack) => attack.run({ ...target, connections })),
    );
  },
};

/** Floods over some connections, with many packets in a write. */
async function floods(
  target: Target,
  packet: (client: number) => Uint8Array,
): Promise<void> {
  const count = Math.min(FLOOD_CONNECTIONS, target.connections);
  await Promise.all([
    ...Array.from({ length: count }, (_, i) =>
      flood(
        target,
        `flood-${i}-${Math.random()}`,
        () => Buffer.concat(Array.from({ length: 20 }, () => packet(i))),
      )),
    // The others only stay.
    hold(
      target,
      target.mqttPort,
      target.connections - count,
      async (socket) => {
        socket.read();
        await socket.write(encodeConnect(`idle-${Math.random()}`));
      },
    ),
  ]);
}
