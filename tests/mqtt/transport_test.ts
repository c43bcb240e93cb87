import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { needs } from "../support/needs.ts";

Deno.test({
  name: "connectorOf() returns a function that connects; sends nothing itself",
  ...needs(),
  fn: async () => {
    // Loading mqtt needs permissions.
    const { connectorOf } = await import("../../src/mqtt/transport.ts");
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

/** A server on a free port. */
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
