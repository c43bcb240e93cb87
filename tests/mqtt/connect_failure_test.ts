/** What people are told when a broker cannot be joined, case by case. */
import assert from "node:assert/strict";
import { LinkError, type LinkErrorCode } from "../../src/mqtt/link.ts";
import type { ConnectionOptions } from "../../src/mqtt/connection.ts";
import { explainConnectFailure } from "../../src/mqtt/failure.ts";
import { connack4, connack5, FakeBroker } from "../support/fake_broker.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { freePort } from "../support/temp.ts";

Deno.test({
  name: "Connection.open() where nothing listens: unreachable",
  ...needs(),
  fn: async () => {
    const url = `mqtt://127.0.0.1:${freePort()}`;
    await assertFails(url, "unreachable", /^No broker answers at mqtt:/);
    // A name may have several addresses: the error is then one of each.
    const named = url.replace("127.0.0.1", "localhost");
    await assertFails(named, "unreachable", /^No broker answers at mqtt:/);
  },
});

Deno.test({
  name: "explainConnectFailure() of a host that is not there: unreachable",
  permissions: "none",
  fn: () => {
    for (const code of ["ENOTFOUND", "EAI_AGAIN"]) {
      const cause = Object.assign(new Error(`getaddrinfo ${code}`), { code });
      const error = explainConnectFailure(cause, "mqtt://nowhere.invalid");
      assert.equal(error.code, "unreachable");
      assert.equal(error.message, "No such host: mqtt://nowhere.invalid");
      assert.match(error.hint!, /spelling/);
      assert.equal(error.cause, cause);
    }
  },
});

Deno.test({
  name: "Connection.open() to a web server: not MQTT",
  ...needs(),
  fn: async () => {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("hello"),
    );
    const { port } = server.addr;
    const says = /^What answers at \S+ does not speak MQTT$/;
    await assertFails(`mqtt://127.0.0.1:${port}`, "not-mqtt", says);
    await assertFails(`ws://127.0.0.1:${port}`, "not-mqtt", says);
  },
});

Deno.test({
  name: "Connection.open() to one who says nothing: not MQTT, in time",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    const accepted = broker.accept();
    await assertFails(broker.url, "not-mqtt", /does not speak MQTT$/, {
      connectTimeout: 200,
    });
    await accepted;
  },
});

Deno.test({
  name: "Connection.open() to one who hangs up: not MQTT",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    const hangUp = async () => {
      for (let i = 0; i < 2; i++) { // once for each version
        await (await broker.accept())[Symbol.asyncDispose]();
      }
    };
    await Promise.all([
      assertFails(broker.url, "not-mqtt", /does not speak MQTT$/),
      hangUp(),
    ]);
  },
});

Deno.test({
  name: "Connection.open() with TLS to a plain port: no trusted connection",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const url = broker.url.replace("mqtt:", "mqtts:");
    const error = await failureOf(url, {});
    assert.equal(error.code, "tls");
    assert.match(error.message, /^No trusted TLS connection to mqtts:/);
    assert.ok(error.hint);
  },
});

for (
  const [code4, code5, says, hint] of [
    [2, 0x85, /refuses this client id/, /--name/],
    [3, 0x88, /is not available/, /later/],
    [4, 0x86, /refuses the user name or password/, /user:password@/],
    [5, 0x87, /does not let this client in/, /user:password@/],
  ] as const
) {
  Deno.test({
    name: `Connection.open() refused with code ${code4} or ${code5}: says why`,
    ...needs(),
    fn: async () => {
      const answers = [
        { four: connack4(code4) },
        { five: connack5(code5) },
      ];
      for (const answer of answers) {
        await using broker = new FakeBroker(answer);
        const admitting = broker.admit().catch(() => {});
        const error = await failureOf(broker.url, {});
        assert.equal(error.code, "refused");
        assert.match(error.message, says);
        assert.match(error.hint!, hint);
        await broker[Symbol.asyncDispose]();
        await admitting;
      }
    },
  });
}

Deno.test({
  name: "Connection.open() with a wrong password: says so without showing it",
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
  says: RegExp,
  options: Partial<ConnectionOptions> = {},
): Promise<void> {
  const error = await failureOf(url, options);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, says);
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
    await link.close();
  }
  assert.fail(`${url} let us in`);
}
