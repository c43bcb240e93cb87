/** Sessions of Mosquitto's clients over restarts of the server. */
import assert from "node:assert/strict";
import { needs, requireTool } from "../support/needs.ts";
import { Running } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { type BrokerProcess, startBroker } from "./broker_state_support.ts";

const MESSAGES = 100;

/** Starts `mosquitto_sub -c`, which ends after a number of messages. */
function subscriber(
  { port }: BrokerProcess,
  version: string,
  qos: number,
  count: number,
): Running {
  const program = requireTool("mosquitto_sub");
  // Into a pipe it would write whole blocks.
  return new Running("stdbuf", [
    ...["-oL", program, "-p", `${port}`, "-i", `sub-${version}-${qos}`, "-c"],
    ...["-V", version, "-q", `${qos}`, "-t", "t/#", "-C", `${count}`],
    ...(version === "mqttv5" ? ["-x", "1000"] : []),
  ]);
}

async function publish(
  { port }: BrokerProcess,
  first: number,
  count: number,
): Promise<void> {
  await using raw = await RawConnection.open(port, "publisher");
  for (let i = first; i < first + count; i++) {
    await raw.publish("t/x", `${i}`, { qos: 2, id: i + 1 });
    await raw.expect("pubrec");
    await raw.send({ cmd: "pubrel", messageId: i + 1 });
    await raw.expect("pubcomp");
  }
}

for (const end of ["kill", "stop"] as const) {
  Deno.test({
    name:
      `mosquitto_sub -c gets what was published before a ${end} of the server`,
    ...needs("mosquitto_pub"),
    fn: async () => {
      await using folder = await tempDir();
      await using server = await startBroker(folder.path);
      const kinds = ["mqttv311", "mqttv5"].flatMap((version) =>
        [1, 2].map((qos) => [version, qos] as const)
      );
      await publish(server, 0, 1);
      for (const [version, qos] of kinds) {
        await using first = subscriber(server, version, qos, 1);
        // It ends after the first message, and its session stays.
        await until(async () => {
          await publish(server, 0, 1);
          return first.stdout !== "";
        });
        assert.equal((await first.ended()).code, 0);
      }
      // The others have waited for the present ones.
      for (const [version, qos] of kinds) {
        await publish(server, MESSAGES, 1);
        await using rest = subscriber(server, version, qos, 10_000);
        await until(() => rest.stdout.includes(`${MESSAGES}\n`));
        rest.kill();
        await rest.ended();
      }
      await publish(server, 0, MESSAGES);
      await server[end]();
      await server.start();
      for (const [version, qos] of kinds) {
        await using again = subscriber(server, version, qos, 3 * MESSAGES);
        await until(() => again.stdout.includes(`\n${MESSAGES - 1}\n`));
        const numbers = again.stdout.trim().split("\n").map(Number);
        const from = numbers.lastIndexOf(0);
        assert.deepEqual(
          numbers.slice(from),
          Array.from({ length: MESSAGES }, (_, i) => i),
          `${version} ${qos}`,
        );
      }
    },
  });
}

Deno.test({
  name:
    "a client that is connected when the server ends in order continues its session",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await using server = await startBroker(folder.path);
    {
      await using raw = await RawConnection.open(server.port, "client", {
        clean: false,
      });
      await raw.subscribe("t/x", 1);
      await publish(server, 0, 1);
      await raw.expect("publish"); // not acknowledged
      await server.stop();
    }
    await server.start();
    await using raw = await RawConnection.open(server.port, "client", {
      clean: false,
    });
    assert.equal(raw.sessionPresent, true);
    const { payload, dup } = await raw.expect("publish");
    assert.equal(payload.toString(), "0");
    assert.equal(dup, true);
    await publish(server, 1, 1);
    assert.equal((await raw.expect("publish")).payload.toString(), "1");
  },
});
