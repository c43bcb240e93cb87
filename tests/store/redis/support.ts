/** Connections to real Redis servers, for tests of the shared store. */
import { Buffer } from "node:buffer";
import {
  type Deployment,
  RedisError,
  type RedisNode,
  type Reply,
} from "../../../src/store/redis/deployment.ts";
import type { RedisServer } from "../../support/redis.ts";

export const KEYS = {
  ofShard: (shard: number, name: string) => `{test/${shard}}:${name}`,
};

/** One Redis server as a deployment. */
export function deploymentOf(server: RedisServer): Deployment {
  const nodes = new Set<RedisNode>();
  return {
    description: server.url,
    kind: "single",
    prefix: "test",
    changed: () => {},
    replicas: () => Promise.resolve(0),
    open: async () => {
      const node = await openNode(server);
      nodes.add(node);
      return node;
    },
    close: () => nodes.forEach((node) => node.close()),
  };
}

async function openNode(server: RedisServer): Promise<RedisNode> {
  const { createClient, RESP_TYPES } = await import("@redis/client");
  const client = createClient({
    RESP: 2,
    disableClientInfo: true,
    socket: { host: "127.0.0.1", port: server.port, reconnectStrategy: false },
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  client.on("error", () => {});
  await client.connect();
  return {
    address: server.address,
    send: async (command, timeout) => {
      const reply = client.sendCommand(
        command.map((arg) => typeof arg === "string" ? arg : Buffer.from(arg)),
      ) as Promise<Reply>;
      if (timeout === undefined) return await reply;
      let timer: ReturnType<typeof setTimeout> | undefined;
      try {
        return await Promise.race([
          reply,
          new Promise<never>((_, reject) =>
            timer = setTimeout(() => {
              client.destroy();
              reject(new RedisError("connection", `no answer: ${command[0]}`));
            }, timeout)
          ),
        ]);
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => client.isOpen && client.destroy(),
  };
}
