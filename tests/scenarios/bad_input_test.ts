/** Bad input: the server counts and reports it, and continues to answer. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { BAD_READINGS, BAD_REQUESTS } from "../support/bad_payloads.ts";
import { needs } from "../support/needs.ts";
import { encodePublish, type PublishPacket } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { BROKERS, startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

const REPLY_TOPIC = "occupancy/response/good";

interface ErrorReport {
  topic: string;
  code: string;
  message: string;
  line?: number;
  count: number;
  suppressed: number;
}

for (const broker of BROKERS) {
  Deno.test({
    name: `bad readings over ${broker}: refused with their code and counted`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(broker);
      await using client = await RawConnection.open(system.port, "client");
      await client.subscribe("occupancy/errors");
      let total = 0;
      for (const [code, payloads] of BAD_READINGS) {
        const before = system.server.stats.refused.get(code) ?? 0;
        await client.write(burst("occupancy/data", payloads));
        await client.write(burst("occupancy/data/floor/2", payloads));
        total += 2 * payloads.length;
        await until(
          () =>
            system.server.stats.refused.get(code) ===
              before + 2 * payloads.length,
          { what: () => `${code}: ${describe(system)}` },
        );
      }
      assert.equal(sum(system.server.stats.refused.values()), total);
      assert.equal(system.map.size, 0, "no cell");
      await assertAnswers(system, client);
      await assertReported(client, total);
    },
  });

  Deno.test({
    name: `bad layers over ${broker}: refused, also names that are not UTF-8`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(broker);
      await using client = await RawConnection.open(system.port, "client");
      const layers = ["", "/", "a//b", "/a", "a/", "l".repeat(201), "a\u0001"];
      for (const layer of layers) {
        await using other = await RawConnection.open(system.port, "layers");
        await other.write(
          encodePublish(`occupancy/data/${layer}`, "1,2,1", { qos: 1, id: 1 }),
        );
        // Some brokers refuse such a topic and disconnect the client.
        await until(() =>
          other.closed || other.takeReceived("puback").length > 0
        );
      }
      // B\xfcro and B\xe4ro in Latin-1, not in UTF-8.
      for (const byte of [0xfc, 0xe4]) {
        await using other = await RawConnection.open(system.port, "latin1");
        const packet = encodePublish("occupancy/data/B?ro", "1,2,1", {
          qos: 1,
          id: 1,
        });
        packet[packet.indexOf("?")] = byte;
        await other.write(packet);
        await until(() =>
          other.closed || other.takeReceived("puback").length > 0
        );
      }
      await client.write(
        encodePublish("occupancy/data/__proto__", "1,2,1", { qos: 1, id: 1 }),
      );
      await assertAnswers(system, client);
      assert.deepEqual([...system.map.layers()].map(([name]) => name).sort(), [
        "__proto__",
        "default",
      ]);
    },
  });

  Deno.test({
    name: `bad requests over ${broker}: the reply has the error code`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(broker);
      await using client = await RawConnection.open(system.port, "client");
      await client.subscribe("occupancy/response");
      for (const [code, payloads] of BAD_REQUESTS) {
        await client.write(burst("occupancy/request", payloads));
        for (const payload of payloads) {
          const reply = JSON.parse(text(await nextPublish(client)));
          assert.equal(reply.status, "error", payload);
          assert.equal(reply.error.code, code, payload);
          assert.ok(reply.error.message.length > 10);
        }
      }
      await assertAnswers(system, client);
    },
  });

  Deno.test({
    name:
      `requests that are not a JSON object, over ${broker}: the reply has the original format`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(broker);
      await using client = await RawConnection.open(system.port, "client");
      await client.subscribe("occupancy/response");
      const payloads = [
        "",
        "get data",
        "[]",
        "5",
        "null",
        '"{}"',
        "{",
        '{"transaction":1',
        "\0",
        "\ufeff",
        Uint8Array.of(0xff, 0xfe),
        "x".repeat(100_000),
      ];
      await client.write(burst("occupancy/request", payloads));
      for (const _ of payloads) {
        assert.equal(text(await nextPublish(client)), "{}");
      }
      await assertAnswers(system, client);
    },
  });

  Deno.test({
    name: `valid lines beside bad ones over ${broker}: accepted`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(broker);
      await using client = await RawConnection.open(system.port, "client");
      await client.subscribe("occupancy/errors");
      await client.write(encodePublish(
        "occupancy/data",
        "\ufeff1,2,1\r\nthree,4,1\r\n\r\n-5,-6,0\r\n7,8,1e99\r\n9,10,2",
      ));
      const reports = [
        await nextReport(client),
        await nextReport(client),
      ];
      assert.deepEqual(
        reports.map(({ code, line, count }) => [code, line, count]),
        [["bad-x", 2, 1], ["bad-value", 5, 1]],
      );
      const found = [[1, 2], [-5, -6], [9, 10]].map(([x, y]) =>
        system.map.layer("default")?.get(x!, y!)?.value
      );
      assert.deepEqual(found, [1, 0, 2]);
      assert.equal(system.map.size, 3);
    },
  });
}

for (const broker of BROKERS) {
  Deno.test({
    name:
      `any bytes as readings and requests over ${broker}: the server continues`,
    ...needs("mosquitto"),
    fn: async () => {
      const { default: fc } = await import("fast-check");
      await using system = await startSystem(broker);
      await using client = await RawConnection.open(system.port, "client");
      const encoder = new TextEncoder();
      const payload = fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: "binary" }).map((text) => encoder.encode(text)),
        fc.json({ maxDepth: 4 }).map((text) => encoder.encode(text)),
        fc.string({
          unit: fc.constantFrom(...'0123456789-+,.eE{}[]"xyvalue:tim \n\r'),
        }).map((text) => encoder.encode(text)),
      );
      const topic = fc.oneof(
        fc.constantFrom("occupancy/data", "occupancy/request"),
        fc.stringMatching(/^[a-z0-9/ $.-]{0,20}$/).map((layer) =>
          `occupancy/data/${layer}`
        ),
      );
      const messages = fc.array(fc.tuple(topic, payload), {
        minLength: 1,
        maxLength: 60,
      });
      await fc.assert(
        fc.asyncProperty(messages, async (messages) => {
          await client.write(
            Buffer.concat(
              messages.map(([topic, payload], i) =>
                encodePublish(topic, payload, { qos: 1, id: i + 1 })
              ),
            ),
          );
          await assertAnswers(system, client);
        }),
        { numRuns: 40 },
      );
      // Refusals may quote errors of JSON.parse.
      const otherLines = system.log.filter((line) =>
        !line.startsWith("Refused")
      );
      assert.deepEqual(otherLines.filter((line) => /Error/.test(line)), []);
    },
  });
}

Deno.test({
  name:
    "a retained reading without a time is refused, one with a time accepted",
  ...needs("mosquitto"),
  fn: async () => {
    const time = Date.now() - 3_600_000;
    await using system = await startSystem("mosquitto", {
      beforeServer: async (port) => {
        await using client = await RawConnection.open(port, "publisher");
        await client.write(Buffer.concat([
          encodePublish("occupancy/data/undated", "1,2,1", { retain: true }),
          encodePublish(
            "occupancy/data/dated",
            `1,2,1,${time}\n3,4,1`,
            { retain: true, qos: 1, id: 7 },
          ),
        ]));
        await client.take("puback");
      },
    });
    await until(() => system.server.stats.refused.get("retained") === 2);
    assert.equal(system.map.layer("undated"), undefined);
    assert.equal(system.map.layer("dated")?.get(1, 2)?.time, time);
    assert.equal(system.map.size, 1);
    // With MQTT 5 a live one arrives with RETAIN too, as one that a bridge
    // sends again: the server cannot tell them apart.
    await using client = await RawConnection.open(system.port, "live");
    await client.write(
      encodePublish("occupancy/data/undated", "1,2,1", { retain: true }),
      encodePublish("occupancy/data/live", "1,2,1"),
    );
    await until(() => system.map.layer("live")?.get(1, 2)?.value === 1);
    assert.equal(system.server.stats.refused.get("retained"), 3);
    assert.equal(system.map.layer("undated"), undefined);
  },
});

/** Encodes messages at QoS 1: without acknowledgements a broker stops sending. */
function burst(
  topic: string,
  payloads: readonly (string | Uint8Array)[],
): Uint8Array {
  return Buffer.concat(
    payloads.map((payload, i) =>
      encodePublish(topic, payload, { qos: 1, id: i + 1 })
    ),
  );
}

let lastTransaction = 0;

/** Sends a reading and a request, and checks that the reply has the reading. */
async function assertAnswers(
  system: System,
  client: RawConnection,
): Promise<void> {
  const n = ++lastTransaction;
  await using requester = await RawConnection.open(
    system.port,
    `requester-${n}`,
  );
  await requester.subscribe(REPLY_TOPIC);
  // On the same connection, so after all earlier messages.
  await client.write(Buffer.concat([
    encodePublish("occupancy/data", `-77,77,${n}`, { qos: 1, id: 60_001 }),
    encodePublish(
      "occupancy/request",
      JSON.stringify({
        transaction: n,
        region: [-77, 77, -77, 77],
        replyTo: REPLY_TOPIC,
      }),
      { qos: 1, id: 60_002 },
    ),
  ]));
  const reply = JSON.parse(text(await nextPublish(requester)));
  assert.equal(reply.transaction, n, describe(system));
  assert.deepEqual(reply.cells.map((cell: number[]) => cell.slice(0, 3)), [
    [-77, 77, n],
  ]);
}

/** Checks that at most ten reports per second count all refused input. */
async function assertReported(
  client: RawConnection,
  total: number,
): Promise<void> {
  const reports: ErrorReport[] = [];
  const counted = () =>
    sum(reports.map(({ count, suppressed }) => count + suppressed));
  const began = performance.now();
  await until(() => {
    for (const packet of client.takeReceived("publish")) {
      reports.push(JSON.parse(text(packet)));
    }
    return counted() >= total;
  }, { what: () => `${total} reported, not ${counted()}` });
  assert.equal(counted(), total);
  const seconds = Math.ceil((performance.now() - began) / 1000) + 10;
  assert.ok(reports.length <= 10 * seconds, `${reports.length} reports`);
  assert.ok(reports.length < total, "some were suppressed");
  assert.ok(reports.every(({ topic, message }) => topic && message));
}

async function nextReport(client: RawConnection): Promise<ErrorReport> {
  return JSON.parse(text(await nextPublish(client)));
}

async function nextPublish(client: RawConnection): Promise<PublishPacket> {
  return await client.take("publish");
}

function text({ payload }: PublishPacket): string {
  return payload.toString();
}

function describe(system: System): string {
  return JSON.stringify([...system.server.stats.refused]);
}

function sum(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
