/**
 * Compatibility with the original Python scripts over both brokers: the original
 * client with our server, and our commands with the original server.
 */
import assert from "node:assert/strict";
import { needs, requireTool } from "../support/needs.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { ROOT, Running, runOccupancy } from "../support/processes.ts";
import { BROKERS, startSystem } from "../support/system.ts";

type Row = [x: number, y: number, value: number];

const CLIENT1: Row[] = [[1, 2, 0], [1, 3, 1], [2, 2, 0], [3, 3, 0]];
const CLIENT2: Row[] = [[1, 2, 1], [2, 2, 1], [3, 3, 1], [4, 4, 1]];

for (const broker of BROKERS) {
  Deno.test({
    name:
      `the original client receives the dict from our server, over ${broker}`,
    ...needs("mosquitto", "paho"),
    fn: async () => {
      await using system = await startSystem(broker);
      assert.deepEqual(await originalClient(system.port, []), []);
      assert.deepEqual(await originalClient(system.port, CLIENT1), CLIENT1);
      // Coordinates keep the order of their first reading, as in a dict.
      assert.deepEqual(
        await originalClient(system.port, CLIENT2),
        [[1, 2, 1], [1, 3, 1], [2, 2, 1], [3, 3, 1], [4, 4, 1]],
      );
      assert.deepEqual(
        (await originalClient(system.port, [[-7, 5, 3], [1, 3, 0]])).slice(-4),
        [[2, 2, 1], [3, 3, 1], [4, 4, 1], [-7, 5, 3]],
      );
    },
  });

  Deno.test({
    name:
      `client --wire original sends and requests from the original server, over ${broker}`,
    ...needs("mosquitto", "paho"),
    fn: async () => {
      await using original = await originalServer(broker);
      const flags = ["--broker", original.url, "--wire", "original"];
      const sent = await runOccupancy([
        "client",
        "--file",
        "client2.json",
        ...flags,
      ]);
      assert.equal(sent.code, 0, sent.stderr);
      assert.match(sent.stderr, /Sent 4 readings in 4 messages/);
      assert.equal(
        sent.stdout,
        "1\t2\t1\toccupied\t\n2\t2\t1\toccupied\t\n3\t3\t1\toccupied\t\n4\t4\t1\toccupied\t\n",
      );
      const requested = await runOccupancy(["request", "--json", ...flags]);
      assert.equal(requested.code, 0, requested.stderr);
      assert.deepEqual(JSON.parse(requested.stdout), {
        layer: "default",
        cells: CLIENT2,
      });
    },
  });
}

Deno.test({
  name:
    "without --wire original, our commands do not send to an original server, and name the option",
  ...needs("mosquitto", "paho"),
  fn: async () => {
    await using original = await originalServer("mosquitto");
    const flags = ["--broker", original.url];
    const wire = [...flags, "--wire", "original"];
    for (
      const [args, hint] of [
        [["client", "--file", "client1.json"], /--wire original/],
        [
          ["client", "--file", "client1.json", "--no-request"],
          /--wire original/,
        ],
        [["simulate", "--count", "100", "--rate", "max"], /--dry-run/],
        [["request"], /--wire original/],
        [["request", "--watch", "--count", "1"], /--wire original/],
      ] as const
    ) {
      const { code, stdout, stderr } = await runOccupancy([...args, ...flags]);
      const what = `${args.join(" ")}: ${stderr}`;
      assert.equal(code, 5, what);
      assert.equal(stdout, "", what);
      assert.match(
        stderr,
        /Only a server of the original protocol answers for "occupancy"\n {2}hint: /,
        what,
      );
      assert.match(stderr, hint, what);
      assert.doesNotMatch(stderr, /Sent \d/, what);
    }
    const found = await runOccupancy(["doctor", "--json", ...flags]);
    assert.match(found.stdout, /A server of the original protocol answers/);
    // It still runs, and has no readings.
    const { code, stdout } = await runOccupancy(["request", "--json", ...wire]);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).cells, []);
  },
});

Deno.test({
  name:
    "without a server, client sends its readings, and request waits for an answer",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const flags = ["--broker", broker.url, "--timeout", "1s"];
    const sent = await runOccupancy([
      ...["client", "--file", "client1.json", "--no-request"],
      ...flags,
    ]);
    assert.match(sent.stderr, /Sent 4 readings in 1 message/);
    const asked = await runOccupancy(["request", ...flags]);
    assert.equal(asked.code, 5, asked.stderr);
    assert.match(asked.stderr, /No server answered for "occupancy" within 1 s/);
  },
});

/** Runs the original client; returns the rows that it prints. */
async function originalClient(port: number, rows: Row[]): Promise<Row[]> {
  await using client = new Running(requireTool("paho"), [
    `${ROOT}tests/scenarios/original_client.py`,
    String(port),
    JSON.stringify(rows),
  ]);
  const { code, stdout, stderr } = await client.ended();
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Starts the original server and its broker. */
async function originalServer(
  kind: "mosquitto" | "embedded",
): Promise<AsyncDisposable & { url: string }> {
  const resources = new AsyncDisposableStack();
  const broker = resources.use(
    kind === "mosquitto" ? await startMosquitto() : await startEmbedded(),
  );
  const server = resources.use(
    new Running(requireTool("paho"), [
      `${ROOT}tests/scenarios/original_server.py`,
      String(broker.port),
    ]),
  );
  await server.waitFor(/ready/);
  return {
    url: `mqtt://127.0.0.1:${broker.port}`,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Starts the embedded broker without our server. */
async function startEmbedded(): Promise<AsyncDisposable & { port: number }> {
  const { createBroker } = await import("../../src/broker/broker.ts");
  const broker = createBroker({
    host: "127.0.0.1",
    port: 0,
    subscriptions: [],
  });
  await broker.open({ message: () => {} });
  return {
    port: broker.address.port,
    [Symbol.asyncDispose]: () => broker.close(),
  };
}
