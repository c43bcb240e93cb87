/**
 * The log under attack: hostile names, and as many lines as a client can cause.
 */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { encode, encodePublish } from "../support/packets.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { requestMap } from "../scenarios/support.ts";

/** Forges a line, clears the screen, turns the text, in C0, C1 and Unicode. */
const HOSTILE =
  "\n2026-01-31T08:00:00.000Z Ready\r\x1b[2J\x1b]0;title\x07\x9b31m\u2028\u2029\u202e\u2066";
/** The part of it that MQTT names may have: no control characters. */
const HOSTILE_NAME = HOSTILE.replaceAll(/\p{Cc}/gu, "");
/** As long as MQTT allows: 65,535 bytes. */
const LONG_TOPIC = HOSTILE_NAME + "\u202e".repeat(21_000);
/** As long as the broker allows, with a number before it. */
const LONG_ID = LONG_TOPIC.slice(0, 1000);
/** What a terminal, a pager or a log collector would not show as it is. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

const PING = needs().ignore ? new Uint8Array() : encode({ cmd: "pingreq" });

const ATTACKS: Record<string, (port: number) => Promise<void>> = {
  "a session that fills again after each message": async (port) => {
    await using client = await RawConnection.open(port, LONG_ID, {
      clean: false,
    });
    await client.subscribe("flood", 1);
    await using publisher = await RawConnection.open(port, "flooder");
    const publish = (id: number) => encodePublish("flood", "1234", { id });
    await publisher.write(
      ...Array.from({ length: 3000 }, (_, i) => publish(i + 1)),
    );
    // Its packets in flight; the others are in its queue, which is full.
    const received = await client.expectAll("publish", 50);
    for (const { messageId } of received) {
      await client.write(
        encode({ cmd: "puback", messageId: messageId! }),
        PING,
      );
      await client.take("pingresp");
      await publisher.write(publish(2000), publish(2001), PING);
      await publisher.take("pingresp");
    }
  },

  "many clients whose messages and packets are refused": async (port) => {
    for (let i = 0; i < 100; i++) {
      await using client = await RawConnection.open(port, `${i}${LONG_ID}`);
      await client.write(
        encodePublish(`occupancy/changes/${LONG_TOPIC}`.slice(0, 20_000), "x"),
        encodePublish("$SYS/broker/version", "x"),
        encodePublish("occupancy/response", "{}", { retain: true }),
        Uint8Array.of(0x30, 2, 0, 9), // malformed
      );
      await client.ended();
    }
  },

  "names with control characters": async (port) => {
    for (let i = 0; i < 100; i++) {
      await using unnamed = await RawConnection.dial(port);
      await unnamed.connect(`${i}${HOSTILE}`);
      await unnamed.ended();
      await using client = await RawConnection.open(port, `control-${i}`);
      await client.write(encodePublish(`occupancy/data/${HOSTILE}`, "1,1,1"));
      await client.ended();
    }
  },

  "20,000 bad readings of hostile layers and sources": async (port) => {
    await using client = await RawConnection.open(port, "bad");
    for (let i = 0; i < 1000; i++) {
      const topic = `occupancy/data/${i}${HOSTILE_NAME}`;
      const source = JSON.stringify(HOSTILE + i);
      const reading = JSON.stringify(HOSTILE);
      await client.write(
        ...Array.from({ length: 10 }, () => encodePublish(topic, "1234")),
        ...Array.from({ length: 10 }, () =>
          encodePublish(
            "occupancy/data",
            `{"source":${source},"readings":[[1,2,${reading}]]}`,
          )),
      );
    }
    await client.ping();
  },

  "20,000 forged states": async (port) => {
    await using client = await RawConnection.open(port, "forger");
    for (let i = 0; i < 10_000; i++) {
      const name = JSON.stringify(`${i}${HOSTILE}`);
      await client.write(
        encodePublish(
          "occupancy/server/state",
          `{"state":"online","name":${name}}`,
        ),
        encodePublish(
          "occupancy/server/state",
          `{"state":"offline","name":"occupancy-server"}`,
        ),
      );
    }
    await client.ping();
  },

  "10,000 bad requests": async (port) => {
    await using client = await RawConnection.open(port, "asker");
    const bad = [
      "[1]",
      JSON.stringify({ layer: HOSTILE }),
      JSON.stringify({ replyTo: HOSTILE }),
      JSON.stringify({ [HOSTILE]: 1, region: HOSTILE }),
    ];
    for (let i = 0; i < 2500; i++) {
      await client.write(
        ...bad.map((payload) => encodePublish("occupancy/request", payload)),
      );
    }
    await client.ping();
  },
};

for (const format of ["text", "json"]) {
  Deno.test({
    name:
      `a log as ${format}: hostile names are escaped, and no client can cause more than a few lines a minute`,
    ...needs(),
    fn: async () => {
      await using server = occupancy([
        ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
        ...["--log-format", format, "--log-level", "debug"],
      ]);
      const [, port] = await server.waitFor(/127\.0\.0\.1:(\d+)/);
      const [, url] = await server.waitFor(/Dashboard at (http:\S+)/);
      await server.waitFor(/Ready/);
      const before = server.stderr.length;
      for (const attack of Object.values(ATTACKS)) await attack(Number(port));

      await using good = await RawConnection.open(Number(port), "good");
      await good.write(encodePublish("occupancy/data", "7,8,9", { id: 1 }));
      await good.take("puback");
      const { cells } = await requestMap(good);
      assert.deepEqual(cells.map((cell) => cell.slice(0, 3)), [[7, 8, 9]]);
      const metrics = await (await fetch(`${url}metrics`)).text();
      for (const limit of ["log-lines", "server-state"]) {
        const [, count] = new RegExp(
          `^occupancy_limited_total\\{limit="${limit}"\\} (\\d+)$`,
          "m",
        ).exec(metrics)!;
        assert.ok(Number(count) > 1000, `${limit}: ${count}`);
      }

      server.kill();
      const { code, stderr } = await server.ended();
      assert.equal(code, 0);

      const written = stderr.slice(before);
      const lines = written.trimEnd().split("\n");
      assert.ok(written.length < 50_000, `${written.length} bytes`);
      assert.ok(lines.length < 40, written);
      for (const line of lines) {
        const text = format === "json"
          ? JSON.parse(line).message
          : /^\d{4}-\d\d-\d\dT[\d:.]+Z (.+)$/.exec(line)![1]!;
        assert.doesNotMatch(line, UNSAFE);
        assert.doesNotMatch(text, UNSAFE);
        assert.match(
          text,
          /^(Warning: )?(Dropped messages for|Refused|Disconnected|The server|Another client|Shutting)/,
        );
        assert.ok(text.length < 1000, `${text.length} characters`);
      }
      assert.match(written, /\(and \d+ more in the last minute\)/);
    },
  });
}
