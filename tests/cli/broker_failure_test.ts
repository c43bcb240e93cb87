/**
 * Errors of the commands without a broker, or with another program on its port.
 */
import assert from "node:assert/strict";
import { assertFailure } from "../support/assert_failure.ts";
import { needs } from "../support/needs.ts";
import {
  forEachAtOnce,
  occupancy,
  runOccupancy,
} from "../support/processes.ts";
import { freePort } from "../support/temp.ts";

const COMMANDS = [
  ["server"],
  ["client", "--file", "client1.json"],
  ["request"],
];

for (const command of COMMANDS) {
  Deno.test({
    name: `${command[0]} without a broker: exit 4 and a hint`,
    ...needs(),
    fn: async () => {
      const url = `mqtt://127.0.0.1:${freePort()}`;
      assertFailure(
        await runOccupancy([...command, "--broker", url]),
        4,
        new RegExp(
          `^occupancy: Cannot connect to ${url}: no broker is running there\n  hint: .+\n$`,
        ),
        /Start one/,
      );
    },
  });

  Deno.test({
    name: `${command[0]} with an HTTP server instead of a broker: exit 4`,
    ...needs(),
    fn: async () => {
      await using server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        () => new Response("hello"),
      );
      const url = `mqtt://127.0.0.1:${server.addr.port}`;
      assertFailure(
        await runOccupancy([...command, "--broker", url]),
        4,
        /^occupancy: Cannot connect to \S+: no answer in MQTT\n {2}hint: .+\n$/,
        /1883/,
      );
    },
  });
}

Deno.test({
  name: "request with a listener that never replies: exit 4 after --timeout",
  ...needs(),
  fn: async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = (async () => {
      const all: Deno.Conn[] = [];
      for await (const conn of listener) all.push(conn);
      return all;
    })();
    const { port } = listener.addr as Deno.NetAddr;
    const start = performance.now();
    const ended = await runOccupancy([
      ...["request", "--broker", `mqtt://127.0.0.1:${port}`],
      ...["--timeout", "700ms"],
    ]);
    const took = performance.now() - start;
    assertFailure(
      ended,
      4,
      /No broker answered at \S+ within 0\.7 s/,
      /--timeout/,
    );
    assert.ok(took > 700, `${took} ms`);
    listener.close();
    for (const conn of await accepted) conn.close();
  },
});

Deno.test({
  name: "server --listen on a port in use: exit 4 and a hint",
  ...needs(),
  fn: async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    assertFailure(
      await runOccupancy(["server", "--listen", `127.0.0.1:${port}`]),
      4,
      new RegExp(`${port}`),
      /./,
    );
  },
});

Deno.test({
  name: "server with invalid flags: exit 2 and a hint",
  ...needs(),
  fn: async () => {
    const cases: [args: string[], message: RegExp][] = [
      [["--listen", "nowhere"], /HOST:PORT/],
      [["--listen", ":99999"], /HOST:PORT/],
      [
        ["--listen", ":0", "--broker", "x"],
        /Cannot use --listen with --broker/,
      ],
      [["--prefix", "#"], /wildcard/],
      [["--prefix", "$SYS"], /starts with \$/],
      [["--prefix", ""], /is empty/],
      [["--max-skew", "-1s"], /500ms/],
      [["--max-skew", "x"], /500ms/],
      [["--name", ""], /Invalid --name ""/],
      [["--store", "foo:"], /Invalid --store "foo:"/],
      [["--store", "sqlite:"], /Invalid --store "sqlite:"/],
      // The address is checked before the store is created.
      [
        ["--broker", "http://x", "--store", "sqlite:/dev/null/map.db"],
        /Invalid scheme http/,
      ],
    ];
    await forEachAtOnce(
      cases,
      async ([args, message]) =>
        assertFailure(await runOccupancy(["server", ...args]), 2, message, /./),
    );
  },
});

Deno.test({
  name: "a password in the broker's address is never printed",
  ...needs(),
  fn: async () => {
    const url = `mqtt://ann:s3cret@127.0.0.1:${freePort()}`;
    await using running = occupancy(["request", "--broker", url]);
    const ended = await running.ended();
    assertFailure(
      ended,
      4,
      /Cannot connect to mqtt:\/\/ann:\*\*\*@127/,
      /./,
    );
    if (ended.stderr.includes("s3cret")) throw new Error(ended.stderr);
  },
});

Deno.test({
  name:
    "server: a flag wins over the environment, --listen over OCCUPANCY_BROKER too",
  ...needs(),
  fn: async () => {
    await using server = occupancy(["server", "--listen", "127.0.0.1:0"], {
      env: { OCCUPANCY_BROKER: "mqtt://127.0.0.1:1" },
    });
    await server.waitFor(/Started the embedded broker/);
  },
});
