/** TLS of the embedded broker: certificates, their reload, and hostile bytes. */
import assert from "node:assert/strict";
import type { Login, LoginResult } from "../../src/broker/access/access.ts";
import { OpenAccess } from "../../src/broker/access/open_access.ts";
import {
  type Certificates,
  createCertificates,
} from "../support/certificates.ts";
import { needs } from "../support/needs.ts";
import { encode, encodeConnect, PacketDecoder } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until, within } from "../support/until.ts";
import { RecordingBroker } from "./recording_broker.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };
/** Clients that never finish their handshake. */
const SLOW_HANDSHAKES = 100;

interface ClientFiles {
  /** The authority that the client trusts; default: none but the usual ones. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly hostname?: string;
}

/** A client over TLS that sends packets and reads until the next one. */
class TlsClient implements Disposable {
  readonly #connection: Deno.TlsConn;
  readonly #decoder = new PacketDecoder();

  private constructor(connection: Deno.TlsConn) {
    this.#connection = connection;
  }

  /** Connects, and sends CONNECT. @throws {Error} if it is refused */
  static async open(
    port: number,
    clientId: string,
    { ca, cert, key, hostname = "127.0.0.1" }: ClientFiles = {},
  ): Promise<TlsClient> {
    const read = Deno.readTextFileSync;
    const connection = await Deno.connectTls({
      ...{ hostname, port },
      ...(ca !== undefined && { caCerts: [read(ca)] }),
      ...(cert !== undefined && key !== undefined &&
        { cert: read(cert), key: read(key) }),
    });
    const client = new TlsClient(connection);
    try {
      await connection.handshake();
      await client.send(encodeConnect(clientId));
      assert.equal(await client.next(), "connack");
      return client;
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  async next(): Promise<string> {
    const chunk = new Uint8Array(1024);
    const count = await within(this.#connection.read(chunk), "a packet");
    if (count === null) throw new Error("the connection was closed");
    return this.#decoder.push(chunk.slice(0, count))[0]!.cmd;
  }

  async ping(): Promise<void> {
    await this.send(encode({ cmd: "pingreq" }));
    assert.equal(await this.next(), "pingresp");
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

function filesOf(files: { cert: string; key: string }, clientCa?: string) {
  return {
    cert: Deno.readTextFileSync(files.cert),
    key: Deno.readTextFileSync(files.key),
    ...(clientCa !== undefined &&
      { clientCa: Deno.readTextFileSync(clientCa) }),
  };
}

async function openTls(
  certificates: Certificates,
  name = "broker",
  options: { names?: string; days?: number; authority?: string } = {},
): Promise<RecordingBroker> {
  const files = await certificates.create(name, options);
  return await RecordingBroker.open({ tls: { ...LOCAL, ...filesOf(files) } });
}

Deno.test({
  name:
    "TLS: clients accept the right certificate, and no wrong host, expired, foreign or self-signed one",
  ...needs("openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { cert: ca } = await certificates.createAuthority("ca");
    await certificates.createAuthority("other");
    const authority = "ca";
    const cases = [
      ["right", { authority }, undefined],
      ["wrong-host", { authority, names: "DNS:other.example" }, /name|valid/i],
      ["expired", { authority, days: -1 }, /expired/i],
      ["foreign", { authority: "other" }, /issuer|signature/i],
      ["self-signed", {}, /issuer|CaUsedAsEndEntity|certificate/i],
    ] as const;
    for (const [name, options, refused] of cases) {
      await using server = await openTls(certificates, name, options);
      const { port } = server.broker.tlsAddress!;
      if (refused === undefined) {
        using client = await TlsClient.open(port, name, { ca });
        await client.ping();
        using byName = await TlsClient.open(port, "by-name", {
          ...{ ca, hostname: "localhost" },
        });
        await byName.ping();
      } else {
        await assert.rejects(TlsClient.open(port, name, { ca }), refused, name);
      }
      // A refused handshake harms no other client.
      await using plain = await RawConnection.open(server.port, "plain");
      await plain.ping();
    }
  },
});

Deno.test({
  name:
    "TLS: a reload applies to new connections; open ones stay, with and without client certificates",
  ...needs("openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { path } = certificates;
    const old = await certificates.createAuthority("old");
    const oldBroker = await certificates.create("broker", { authority: "old" });
    const oldClient = await certificates.create("a", { authority: "old" });
    await using server = await RecordingBroker.open({
      tls: { ...LOCAL, ...filesOf(oldBroker, old.cert) },
    });
    const { port } = server.broker.tlsAddress!;
    using first = await TlsClient.open(port, "first", {
      ...{ ca: old.cert, ...oldClient },
    });
    const fresh = await certificates.createAuthority("fresh");
    const freshBroker = await certificates.create("broker2", {
      authority: "fresh",
    });
    const freshClient = await certificates.create("b", { authority: "fresh" });
    server.broker.reloadTls(filesOf(freshBroker, fresh.cert));
    await first.ping();
    using second = await TlsClient.open(port, "second", {
      ...{ ca: fresh.cert, ...freshClient },
    });
    await second.ping();
    for (
      const files of [
        { ca: old.cert, ...freshClient }, // the broker has a new one
        { ca: fresh.cert, ...oldClient },
        { ca: fresh.cert },
      ]
    ) await assert.rejects(TlsClient.open(port, "refused", files));
    assert.throws(
      () =>
        server.broker.reloadTls({
          cert: Deno.readTextFileSync(freshBroker.cert),
          key: Deno.readTextFileSync(`${path}/broker.key`),
        }),
      { name: "LinkError", code: "tls" },
    );
    using third = await TlsClient.open(port, "third", {
      ...{ ca: fresh.cert, ...freshClient },
    });
    for (const client of [first, second, third]) await client.ping();
    assert.deepEqual(server.dropped, []);
  },
});

Deno.test({
  name:
    "TLS: the user of a client certificate is its only common name, else the first alternative name",
  ...needs("openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { cert: ca } = await certificates.createAuthority("ca");
    const files = await certificates.create("broker", { authority: "ca" });
    const users: (string | undefined)[] = [];
    class RecordingAccess extends OpenAccess {
      override login(login: Login): LoginResult {
        users.push(login.certificateName);
        return super.login(login);
      }
    }
    await using server = await RecordingBroker.open({
      access: new RecordingAccess(),
      tls: { ...LOCAL, ...filesOf(files, ca) },
    });
    const { port } = server.broker.tlsAddress!;
    for (
      const [subject, names] of [
        ["/CN=alice", "DNS:other"],
        ["/O=example", "DNS:sensor-17,email:a@b.example"],
        ["/CN=alice/CN=root", "DNS:bob"],
      ] as const
    ) {
      const client = await certificates.create("client", {
        authority: "ca",
        subject,
        names,
      });
      using connected = await TlsClient.open(port, "c", { ca, ...client });
      await connected.ping();
    }
    assert.deepEqual(users, ["alice", "sensor-17", undefined]);
  },
});

Deno.test({
  name: "TLS: clients that do not finish their handshake hold up no other",
  ...needs("openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { cert: ca } = await certificates.createAuthority("ca");
    await using server = await openTls(certificates, "broker", {
      authority: "ca",
    });
    const { port } = server.broker.tlsAddress!;
    const slow: Deno.TcpConn[] = [];
    try {
      for (let i = 0; i < SLOW_HANDSHAKES; i++) {
        const one = await Deno.connect({ hostname: "127.0.0.1", port });
        slow.push(one);
        // The head of a ClientHello of 512 bytes, which do not follow.
        if (i % 2 === 0) {
          await one.write(Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252));
        }
      }
      for (let i = 0; i < 5; i++) {
        using client = await TlsClient.open(port, `good-${i}`, { ca });
        await client.ping();
      }
    } finally {
      for (const one of slow) one.close();
    }
    await until(() => server.broker.brokerState!.clients === 0);
  },
});

Deno.test({
  name: "TLS: handshakes that take too long are ended",
  ...needs("openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const files = await certificates.create("broker");
    await using server = await RecordingBroker.open({
      tls: { ...LOCAL, ...filesOf(files) },
      limits: { connection: { connectTimeoutMs: 300 } },
    });
    const { port } = server.broker.tlsAddress!;
    using slow = await Deno.connect({ hostname: "127.0.0.1", port });
    await slow.write(Uint8Array.of(22, 3, 1, 2, 0));
    const end = slow.read(new Uint8Array(64)).catch(() => null);
    assert.equal(await within(end, "the end of the handshake"), null);
  },
});

Deno.test({
  name:
    "TLS: plain MQTT on the TLS port, and TLS on the plain port, end only their connection",
  ...needs("openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { cert: ca } = await certificates.createAuthority("ca");
    await using server = await openTls(certificates, "broker", {
      authority: "ca",
    });
    const { port } = server.broker.tlsAddress!;
    using good = await TlsClient.open(port, "good", { ca });
    {
      using plain = await Deno.connect({ hostname: "127.0.0.1", port });
      await plain.write(encodeConnect("plain"));
      const bytes: number[] = [];
      const chunk = new Uint8Array(1024);
      for (;;) {
        const count = await within(
          plain.read(chunk).catch(() => null),
          "the end of the connection",
        );
        if (count === null) break;
        bytes.push(...chunk.subarray(0, count));
      }
      // Nothing, or a TLS alert (type 21); no CONNACK.
      assert.ok(bytes.length === 0 || bytes[0] === 21, `${bytes}`);
    }
    await assert.rejects(TlsClient.open(server.port, "tls", { ca }));
    await good.ping();
    await using raw = await RawConnection.open(server.port, "raw");
    await raw.ping();
  },
});
