import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { connectorOf, tcpTarget } from "../../src/mqtt/transport.ts";
import { needs } from "../support/needs.ts";

Deno.test({
  name: "tcpTarget() reads host and port, 1883 if none is named",
  permissions: "none",
  fn: () => {
    const cases = {
      "mqtt://broker.example": ["broker.example", 1883],
      "mqtt://10.0.0.1:1884": ["10.0.0.1", 1884],
      "mqtt://broker:80/ignored?x=1": ["broker", 80],
      "MQTT://broker": ["broker", 1883],
      "mqtt://[::1]": ["::1", 1883],
      "mqtt://[fe80::1]:1884": ["fe80::1", 1884],
      "mqtt://bücher.example": ["xn--bcher-kva.example", 1883],
    };
    for (const [url, [host, port]] of Object.entries(cases)) {
      assert.deepEqual(tcpTarget(url), { host, port }, url);
    }
  },
});

Deno.test({
  name: "tcpTarget() decodes user and password, which may have a colon or an @",
  permissions: "none",
  fn: () => {
    const cases: Record<string, { username?: string; password?: string }> = {
      "mqtt://me@b": { username: "me" },
      "mqtt://me:secret@b": { username: "me", password: "secret" },
      "mqtt://m%40e:p%3A%2Fs@b": { username: "m@e", password: "p:/s" },
      "mqtt://me:a:b@b": { username: "me", password: "a:b" },
      "mqtt://me:a@b@b": { username: "me", password: "a@b" },
    };
    for (const [url, credentials] of Object.entries(cases)) {
      const target = { host: "b", port: 1883, ...credentials };
      assert.deepEqual(tcpTarget(url), target, url);
    }
    assert.throws(() => tcpTarget("mqtt://me:50%@b"), URIError);
  },
});

Deno.test({
  name: "connectorOf() sends nothing until it is told to connect",
  ...needs(),
  fn: async () => {
    let connections = 0;
    await using server = await listening();
    server.on("connection", () => connections++);
    const connect = await connectorOf(`mqtt://127.0.0.1:${server.port}`);
    assert.equal(connections, 0);
    const arrived = once(server, "connection");
    const client = connect({ reconnectPeriod: 0 });
    client.on("error", () => {});
    const [socket] = await arrived;
    const [first] = await once(socket, "data");
    assert.equal(first[0], 0x10, "CONNECT (MQTT 5, 3.1)");
    socket.destroy();
    await client.endAsync(true);
    assert.equal(connections, 1);
  },
});

/** A server on a free port, that is closed with its scope. */
async function listening(): Promise<
  Server & AsyncDisposable & { port: number }
> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return Object.assign(server, {
    port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  });
}
