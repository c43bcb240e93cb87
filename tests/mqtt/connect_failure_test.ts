/** The error of each way in which a connection to a broker fails. */
import assert from "node:assert/strict";
import { LinkError, type LinkErrorCode } from "../../src/mqtt/link.ts";
import type { ConnectionOptions } from "../../src/mqtt/connection.ts";
import { explainConnectFailure } from "../../src/mqtt/failure.ts";
import { closeLink } from "../support/close_link.ts";
import { connack4, connack5, FakeBroker } from "../support/fake_broker.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { freePort } from "../support/temp.ts";

Deno.test({
  name: "Connection.open() fails with unreachable if nothing is listening",
  ...needs(),
  fn: async () => {
    const url = `mqtt://127.0.0.1:${freePort()}`;
    await assertFails(
      url,
      "unreachable",
      /^Cannot connect to mqtt:.*: no broker is running/,
    );
    // A name with several addresses: an error for each.
    const named = url.replace("127.0.0.1", "localhost");
    await assertFails(
      named,
      "unreachable",
      /^Cannot connect to mqtt:.*: no broker is running/,
    );
  },
});

Deno.test({
  name: "explainConnectFailure() returns unreachable for an unknown host",
  permissions: "none",
  fn: () => {
    for (const code of ["ENOTFOUND", "EAI_AGAIN"]) {
      const cause = Object.assign(new Error(`getaddrinfo ${code}`), { code });
      const error = explainConnectFailure(cause, "mqtt://nowhere.invalid");
      assert.equal(error.code, "unreachable");
      assert.equal(
        error.message,
        "Cannot connect to mqtt://nowhere.invalid: host not found",
      );
      assert.match(error.hint!, /spelling/);
      assert.equal(error.cause, cause);
    }
  },
});

Deno.test({
  name: "Connection.open() fails with not-mqtt at a web server",
  ...needs(),
  fn: async () => {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("hello"),
    );
    const { port } = server.addr;
    const message = /^Cannot connect to \S+: no answer in MQTT$/;
    await assertFails(`mqtt://127.0.0.1:${port}`, "not-mqtt", message);
    await assertFails(`ws://127.0.0.1:${port}`, "not-mqtt", message);
  },
});

Deno.test({
  name: "Connection.open() fails with not-mqtt without an answer in time",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    const accepted = broker.accept();
    await assertFails(broker.url, "not-mqtt", /no answer in MQTT$/, {
      connectTimeout: 200,
    });
    await accepted;
  },
});

Deno.test({
  name: "Connection.open() fails with not-mqtt if the connection is closed",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    const hangUp = async () => {
      for (let i = 0; i < 2; i++) { // once for each version
        await (await broker.accept())[Symbol.asyncDispose]();
      }
    };
    await Promise.all([
      assertFails(broker.url, "not-mqtt", /no answer in MQTT$/),
      hangUp(),
    ]);
  },
});

Deno.test({
  name: "Connection.open() fails with tls at a port without TLS",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const url = broker.url.replace("mqtt:", "mqtts:");
    const error = await failureOf(url, {});
    assert.equal(error.code, "tls");
    assert.match(error.message, /^Cannot connect to mqtts:.*: TLS failed/);
    assert.ok(error.hint);
  },
});

for (
  const [code4, code5, message, hint] of [
    [2, 0x85, /client id refused$/, /another client id/],
    [3, 0x88, /broker not available$/, /later/],
    [4, 0x86, /login refused \(user or password\)$/, /user:password@/],
    [5, 0x87, /not authorized$/, /user:password@/],
  ] as const
) {
  Deno.test({
    name: `Connection.open() explains CONNACK code ${code4} or ${code5}`,
    ...needs(),
    fn: async () => {
      const answers = [
        { four: connack4(code4) },
        { five: connack5(code5) },
      ];
      for (const answer of answers) {
        await using broker = new FakeBroker(answer);
        const admitting = broker.acceptClient().catch(() => {});
        const error = await failureOf(broker.url, {});
        assert.equal(error.code, "refused");
        assert.match(error.message, message);
        assert.match(error.hint!, hint);
        await broker[Symbol.asyncDispose]();
        await admitting;
      }
    },
  });
}

Deno.test({
  name: "Connection.open() explains a wrong password without showing it",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto([], { anonymous: false });
    const url = broker.url.replace("//", "//ann:s3cret@");
    const error = await failureOf(url, {});
    assert.equal(error.code, "refused");
    assert.match(error.message, /mqtt:\/\/ann:\*\*\*@127\.0\.0\.1:\d+/);
    assert.doesNotMatch(error.message + error.hint, /s3cret/);
  },
});

async function assertFails(
  url: string,
  code: LinkErrorCode,
  message: RegExp,
  options: Partial<ConnectionOptions> = {},
): Promise<void> {
  const error = await failureOf(url, options);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.ok(error.hint);
}

async function failureOf(
  url: string,
  options: Partial<ConnectionOptions>,
): Promise<LinkError> {
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const link = new Connection({ url, clientId: "tester", ...options });
  try {
    await link.open({ message: () => {} });
  } catch (error) {
    assert.ok(error instanceof LinkError, String(error));
    return error;
  } finally {
    await closeLink(link);
  }
  assert.fail(`${url} accepted the connection`);
}
