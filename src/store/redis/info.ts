/**
 * Reads INFO: the role of a server and its replicas.
 *
 * @module
 */
import type { RedisEndpoint } from "./address.ts";
import type { RedisNode, Reply } from "./deployment.ts";

/** A replica, as its master knows it. */
export interface ReplicaInfo extends RedisEndpoint {
  /** True if it receives all writes. */
  readonly online: boolean;
}

/** What a server says of its replication. */
export interface ReplicationInfo {
  readonly isMaster: boolean;
  /** The same on two connections: the same server. */
  readonly replicationId: string;
  /** Of a replica. */
  readonly master?: RedisEndpoint;
  /** Of a master. */
  readonly replicas: readonly ReplicaInfo[];
}

/**
 * Reads a section of INFO.
 *
 * @param section such as `server`, `memory`, `persistence`
 * @param timeout in ms; default: that of the connection
 * @returns values by field
 * @throws {RedisError} if the server does not answer
 */
export async function readInfo(
  node: RedisNode,
  section: string,
  timeout?: number,
): Promise<Map<string, string>> {
  const text = textOf(await node.send(["INFO", section], timeout));
  return new Map(
    text.split("\r\n").flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 0 || line.startsWith("#")
        ? []
        : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

/**
 * Reads the role of a server.
 *
 * @param timeout in ms; default: that of the connection
 * @throws {RedisError} if the server does not answer
 */
export async function readReplication(
  node: RedisNode,
  timeout?: number,
): Promise<ReplicationInfo> {
  const info = await readInfo(node, "replication", timeout);
  const host = info.get("master_host");
  return {
    isMaster: info.get("role") === "master",
    replicationId: info.get("master_replid") ?? "",
    ...(host !== undefined && {
      master: { host, port: Number(info.get("master_port")) },
    }),
    replicas: [...info].flatMap(([field, value]) =>
      /^slave\d+$/.test(field) ? [parseReplica(value)] : []
    ),
  };
}

/** Returns a bulk or simple string as text; empty for other replies. */
export function textOf(reply: Reply | undefined): string {
  if (typeof reply === "string") return reply;
  return reply instanceof Uint8Array ? new TextDecoder().decode(reply) : "";
}

/** Parses `ip=127.0.0.1,port=6380,state=online,offset=14,lag=0`. */
function parseReplica(text: string): ReplicaInfo {
  const fields = new Map(
    text.split(",").map((part) => part.split("=", 2) as [string, string]),
  );
  return {
    host: fields.get("ip") ?? "",
    port: Number(fields.get("port")),
    online: fields.get("state") === "online",
  };
}
