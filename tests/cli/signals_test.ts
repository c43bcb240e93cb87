/**
 * SIGINT, SIGTERM and SIGHUP end every command in order, with their exit codes.
 */
import assert from "node:assert/strict";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import {
  type Ended,
  forEachAtOnce,
  occupancy,
  ROOT,
  Running,
} from "../support/processes.ts";
import { startSystem } from "../support/system.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const SIGNALS = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const;
const EXIT_DEADLINE_MS = 4000;

/**
 * Sends a signal to a new process when it is ready.
 *
 * @param args the words of the command
 * @param ready waits until the process is ready for the signal; `layer` is
 * unique to it
 * @param check checks its output
 */
async function endsAt(
  [signal, exitCode]: typeof SIGNALS[number],
  args: string[],
  ready: (running: Running, layer: string) => Promise<unknown>,
  check: (ended: Ended) => unknown = () => {},
): Promise<void> {
  await using running = occupancy(args, { env: { OCCUPANCY_LAYER: signal } });
  await ready(running, signal);
  running.kill(signal);
  const ended = await running.ended(EXIT_DEADLINE_MS);
  assert.equal(ended.code, exitCode, ended.stderr);
  assert.equal(ended.signal, null, "the command ended itself");
  assert.doesNotMatch(ended.stderr, /occupancy: |hint:/);
  await check(ended);
}

/** Calls {@linkcode endsAt} with each signal, in parallel. */
async function endsAtEach(
  args: string[],
  ready: (running: Running, layer: string) => Promise<unknown>,
  check?: (ended: Ended) => unknown,
): Promise<void> {
  await forEachAtOnce(SIGNALS, (one) => endsAt(one, args, ready, check));
}

/** A listener that accepts connections and never replies. */
function silentListener() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted: Deno.Conn[] = [];
  const loop = (async () => {
    for await (const connection of listener) accepted.push(connection);
  })();
  return {
    url: `mqtt://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    accepts: () => until(() => accepted.length > 0),
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await loop;
      for (const connection of accepted) connection.close();
    },
  };
}

Deno.test({
  name: "client ends at a signal: what was sent is acknowledged and counted",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    await using folder = await tempDir();
    const file = await folder.file("rows.csv", "1,1,1\n2,2,1\n3,3,1\n");
    await endsAtEach(
      ["client", "-f", file, "-b", system.url, "--interval", "1h"],
      (_, layer) => until(() => system.map.layer(layer)?.size),
      ({ stdout, stderr }) => {
        assert.equal(stdout, "");
        assert.match(
          stderr,
          /^Sent 1 reading in 1 message to occupancy\/data\/SIG\w+ \(100% of \S+rows\.csv\), then interrupted$/m,
        );
      },
    );
  },
});

Deno.test({
  name: "a signal that a launcher passes on does not end a command at once",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    await using folder = await tempDir();
    const file = await folder.file("rows.csv", "1,1,1\n2,2,1\n");
    await using running = occupancy(
      ["client", "-f", file, "-b", system.url, "--interval", "1h"],
    );
    await until(() => system.map.size);
    running.kill("SIGINT");
    running.kill("SIGINT");
    const { code, stderr } = await running.ended(EXIT_DEADLINE_MS);
    assert.equal(code, 130);
    assert.match(stderr, /^Sent 1 reading /m);
  },
});

Deno.test({
  name: "request ends at a signal while it waits for the reply",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await endsAtEach(
      ["request", "-b", broker.url, "--timeout", "1h", "--verbose"],
      (running) => running.waitFor(/Connected/),
    );
  },
});

Deno.test({
  name: "request, client and doctor end at a signal while they connect",
  ...needs(),
  fn: async () => {
    for (
      const command of [
        ["request"],
        ["request", "--watch"],
        ["client", "--file", "client1.json"],
        ["doctor", "--http", "off"],
      ]
    ) {
      await forEachAtOnce(SIGNALS, async (one) => {
        await using listener = silentListener();
        const args = [...command, "-b", listener.url, "--timeout", "1h"];
        await endsAt(one, args, listener.accepts, ({ stderr }) => {
          assert.equal(
            stderr,
            command[0] === "client"
              ? "Interrupted before a reading was sent\n"
              : "",
          );
        });
      });
    }
  },
});

Deno.test({
  name: "request --watch and simulate end at a signal",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    await endsAtEach(
      ["simulate", "-b", system.url, "--rate", "1000"],
      (_, layer) => until(() => system.map.layer(layer)?.size),
      ({ stderr }) => assert.match(stderr, /^Sent \d+ readings? in/),
    );
    await endsAtEach(
      ["request", "--watch", "-b", system.url],
      (running) => until(() => running.stdout !== ""),
    );
  },
});

Deno.test({
  name: "request --watch ends at a signal although its output is not read",
  ...needs("sh"),
  fn: async () => {
    await using system = await startSystem("embedded");
    await using folder = await tempDir();
    const fifo = `${folder.path}/fifo`;
    await using mkfifo = new Running("mkfifo", [fifo]);
    assert.equal((await mkfifo.ended()).code, 0);
    using reader = await Deno.open(fifo, { read: true, write: true });
    await using watching = new Running("sh", [
      "-c",
      `exec ${ROOT}occupancy request --watch --json -b ${system.url} > ${fifo}`,
    ]);
    await reader.read(new Uint8Array(1)); // then the pipe fills
    await using filling = occupancy(
      ["simulate", "-b", system.url, "--rate", "max", "--count", "200000"],
    );
    assert.equal((await filling.ended()).code, 0);
    watching.kill("SIGTERM");
    assert.equal((await watching.ended(10_000)).code, 143);
  },
});
