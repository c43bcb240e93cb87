/** Settings of the embedded broker that let other machines in, or not. */
import assert from "node:assert/strict";
import { createCertificates } from "../../../support/certificates.ts";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import {
  forEachAtOnce,
  occupancy,
  runOccupancy,
} from "../../../support/processes.ts";
import { freePort, tempDir } from "../../../support/temp.ts";

Deno.test({
  name: "the embedded broker needs users or --allow-anonymous beyond loopback",
  ...needs(),
  fn: async () => {
    const open: [string[], string][] = [
      [["--listen", "0.0.0.0:0"], "0.0.0.0:0"],
      [["--listen", "[::]:0"], "[::]:0"],
      [["--listen", "192.0.2.1:1883"], "192.0.2.1:1883"],
      [["--listen", "host.example:1883"], "host.example:1883"],
      [["--listen-ws", "0.0.0.0:9001"], "0.0.0.0:9001"],
    ];
    await forEachAtOnce(open, async ([args, address]) => {
      const ended = await runOccupancy(["server", ...args]);
      assertFailure(
        ended,
        2,
        /without users: other machines can reach it$/m,
        /--users FILE .*--allow-anonymous/,
      );
      assert.ok(ended.stderr.includes(` on ${address} without`), ended.stderr);
    });
    const allowed = ["--listen", "0.0.0.0:0", "--allow-anonymous"];
    await using server = occupancy(["server", ...allowed]);
    await server.waitFor(/Ready/);
    await using local = occupancy(["server", "--listen", "127.0.0.2:0"]);
    await local.waitFor(/Ready/);
  },
});

Deno.test({
  name: "addresses and certificates of the embedded broker fit together",
  ...needs("openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { cert, key } = await certificates.create("broker");
    const other = await certificates.create("other");
    const tls = ["--tls-cert", cert, "--tls-key", key];
    const at = (name: string) => [name, `127.0.0.1:${freePort()}`];
    const everywhere = ["--listen-tls", "0.0.0.0:8883"];
    const cases: [string[], RegExp, RegExp][] = [
      [at("--listen-tls"), /--listen-tls without a certificate/, /--tls-cert/],
      [
        [...at("--listen-wss"), "--tls-cert", cert],
        /--listen-wss without a certificate/,
        /--tls-key/,
      ],
      [tls, /--tls-cert without an address for TLS/, /--listen-tls/],
      [
        ["--tls-key", key, ...at("--listen-ws")],
        /--tls-key without an address/,
        /--listen-tls/,
      ],
      [
        [...tls, ...at("--listen-wss"), "--tls-client-ca", cert],
        /--tls-client-ca without --listen-tls/,
        /need a certificate/,
      ],
      [
        [...at("--listen-tls"), "--tls-cert", cert, "--tls-key", other.key],
        /does not belong to the certificate/,
        /Use the key/,
      ],
      [
        [...at("--listen-tls"), "--tls-cert", key, "--tls-key", key],
        /is not a certificate/,
        /PEM/,
      ],
      [
        [...at("--listen-tls"), ...tls, "--tls-client-ca", key],
        /is not a certificate/,
        /PEM/,
      ],
      [[...everywhere, ...tls], /on 0\.0\.0\.0:8883 without users/, /--users/],
      [
        ["--users", "users", "--broker", "mqtt://127.0.0.1:1"],
        /--broker/,
        /another broker/,
      ],
    ];
    await forEachAtOnce(cases, async ([args, message, hint]) => {
      assertFailure(
        await runOccupancy(["server", ...args]),
        2,
        message,
        hint,
      );
    });
  },
});

Deno.test({
  name: "a server refuses to start with a wrong users file",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const users = await folder.file("users", "user alice\n\npublsh x\n");
    const listen = ["--listen", "127.0.0.1:0"];
    assertFailure(
      await runOccupancy(["server", ...listen, "--users", users]),
      2,
      /Cannot use .*users:3: unknown word "publsh"/,
      /A line begins with/,
    );
    assertFailure(
      await runOccupancy(["server", ...listen, "--users", `${users}.no`]),
      1,
      /No such file: .*users\.no/,
      /occupancy users add/,
    );
  },
});
