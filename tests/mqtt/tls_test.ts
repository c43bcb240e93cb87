/**
 * TLS with a real broker: what is accepted, and the error for each fault of the
 * certificates of broker and client.
 */
import assert from "node:assert/strict";
import type { ConnectionOptions } from "../../src/mqtt/connection.ts";
import { LinkError } from "../../src/mqtt/link.ts";
import type { BrokerAccess } from "../../src/mqtt/transport.ts";
import { closeLink } from "../support/close_link.ts";
import {
  type CertificateFiles,
  type Certificates,
  createCertificates,
} from "../support/certificates.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { freePort } from "../support/temp.ts";

/** Mosquitto with one listener for each certificate of a broker. */
interface TlsBrokers extends AsyncDisposable {
  readonly certificates: Certificates;
  /** The address of each listener. */
  readonly urls: Record<
    "right" | "other" | "expired" | "self" | "required" | "web",
    string
  >;
  /** The authority that signed all but the self-signed one. */
  readonly ca: string;
  /** Creates a client certificate. */
  client(authority: string, days?: number): Promise<BrokerAccess>;
}

async function startBrokers(): Promise<TlsBrokers> {
  const certificates = await createCertificates();
  const authority = await certificates.createAuthority("ours");
  await certificates.createAuthority("theirs");
  const signed = { authority: "ours" };
  const right = await certificates.create("right", signed);
  const other = { ...signed, names: "DNS:other.example" };
  const listeners = {
    right: { files: right },
    other: { files: await certificates.create("other", other) },
    expired: {
      files: await certificates.create("expired", { ...signed, days: -1 }),
    },
    self: { files: await certificates.create("self") },
    required: { files: right, client: true },
    web: { files: right, client: true, isWeb: true },
  };
  const lines: string[] = [];
  const urls: Record<string, string> = {};
  for (const [name, listener] of Object.entries(listeners)) {
    const { files, client, isWeb } = {
      client: false,
      isWeb: false,
      ...listener,
    };
    const port = freePort();
    urls[name] = `${isWeb ? "wss" : "mqtts"}://localhost:${port}`;
    lines.push(
      `listener ${port} 127.0.0.1`,
      `certfile ${files.cert}`,
      `keyfile ${files.key}`,
      ...(client
        ? [`cafile ${authority.cert}`, "require_certificate true"]
        : []),
      ...(isWeb ? ["protocol websockets"] : []),
    );
  }
  const broker = await startMosquitto(lines);
  return {
    certificates,
    urls: urls as TlsBrokers["urls"],
    ca: await Deno.readTextFile(authority.cert),
    client: async (authority, days = 2) =>
      await contentOf(
        await certificates.create("client", { authority, days }),
      ),
    [Symbol.asyncDispose]: async () => {
      await broker[Symbol.asyncDispose]();
      await certificates[Symbol.asyncDispose]();
    },
  };
}

async function contentOf(
  { cert, key }: CertificateFiles,
): Promise<{ cert: string; key: string }> {
  return {
    cert: await Deno.readTextFile(cert),
    key: await Deno.readTextFile(key),
  };
}

/** Connects and publishes; returns the error if that fails. */
async function failureOf(
  options: Omit<ConnectionOptions, "clientId">,
): Promise<LinkError | undefined> {
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const link = new Connection({ ...options, clientId: "tls-test" });
  try {
    await link.open({ message: () => {} });
    await link.publish("test", new Uint8Array(1), { qos: 1 });
    return undefined;
  } catch (error) {
    assert.ok(error instanceof LinkError, String(error));
    return error;
  } finally {
    await closeLink(link);
  }
}

async function assertFails(
  options: Omit<ConnectionOptions, "clientId">,
  message: RegExp,
  hint: RegExp,
): Promise<void> {
  const error = await failureOf(options);
  assert.ok(error !== undefined, `${options.url}: connected`);
  assert.equal(error.code, "tls", error.message);
  assert.match(error.message, message);
  assert.match(error.hint!, hint);
}

Deno.test({
  name: "Connection checks the certificate of the broker, unless insecure",
  ...needs("mosquitto", "openssl"),
  fn: async () => {
    await using brokers = await startBrokers();
    const { urls, ca } = brokers;
    assert.equal(await failureOf({ url: urls.right, ca }), undefined);
    const byAddress = urls.right.replace("localhost", "127.0.0.1");
    assert.equal(await failureOf({ url: byAddress, ca }), undefined);

    const url = urls.right;
    await assertFails({ url }, /no known authority signed/, /--ca FILE/);
    const { cert } = await contentOf(
      await brokers.certificates.createAuthority("theirs"),
    );
    await assertFails({ url, ca: cert }, /--ca\) did not sign/, /authority/);
    await assertFails(
      { url: urls.other, ca },
      /for another host \(DNS:other\.example\)$/,
      /host name/,
    );
    await assertFails(
      { url: urls.expired, ca },
      /broker has expired$/,
      /^Renew/,
    );
    await assertFails({ url: urls.self, ca }, /is self-signed$/, /--ca FILE/);
    const self = await Deno.readTextFile(
      `${brokers.certificates.path}/self.pem`,
    );
    assert.equal(await failureOf({ url: urls.self, ca: self }), undefined);

    for (const name of ["right", "other", "expired", "self"] as const) {
      const options = { url: urls[name], insecure: true };
      assert.equal(await failureOf(options), undefined, name);
    }
    // Errors other than those of the certificate are reported too.
    const error = await failureOf({
      url: `mqtts://localhost:${freePort()}`,
      insecure: true,
    });
    assert.match(error!.message, /no broker is running there$/);
  },
});

for (const name of ["required", "web"] as const) {
  Deno.test({
    name: `Connection sends a client certificate (${
      name === "web" ? "wss" : "mqtts"
    })`,
    ...needs("mosquitto", "openssl"),
    fn: async () => {
      await using brokers = await startBrokers();
      const { urls, ca } = brokers;
      const url = urls[name];
      await assertFails({ url, ca }, /requires a client cert/, /--cert FILE/);
      // Without the check of the broker, the reason is the same.
      await assertFails(
        { url, insecure: true },
        /requires a client certificate$/,
        /--cert FILE/,
      );
      const stranger = await brokers.client("theirs");
      await assertFails(
        { url, ca, ...stranger },
        /no authority of the broker signed the client certificate$/,
        /--cert FILE/,
      );
      const expired = await brokers.client("ours", -1);
      await assertFails(
        { url, ca, ...expired },
        /client certificate has expired/,
        /^Renew/,
      );
      const right = await brokers.client("ours");
      assert.equal(await failureOf({ url, ca, ...right }), undefined);
      assert.equal(
        await failureOf({ url, insecure: true, ...right }),
        undefined,
      );
    },
  });

  Deno.test({
    name: `ProbeConnection sends a client certificate (${
      name === "web" ? "wss" : "mqtts"
    })`,
    ...needs("mosquitto", "openssl"),
    fn: async () => {
      const { ProbeConnection } = await import(
        "../../src/mqtt/probe_connection.ts"
      );
      await using brokers = await startBrokers();
      const options = {
        url: brokers.urls[name],
        ca: brokers.ca,
        clientId: "probe-test",
        timeout: 5000,
      };
      await assert.rejects(
        ProbeConnection.open(options),
        /requires a client certificate/,
      );
      const access = await brokers.client("ours");
      const probe = await ProbeConnection.open({ ...options, ...access });
      assert.equal(probe.version, 5);
      await probe.close();
    },
  });
}
