/** Failovers, as Sentinels do them, for tests. */
import {
  type RedisServer,
  type ReplicatedRedis,
  waitForReplicas,
} from "../../support/redis.ts";

/** Makes the replica that has most the master of the others, as Sentinels do. */
export async function promote(
  { replicas }: ReplicatedRedis,
): Promise<RedisServer> {
  const offsets = await Promise.all(
    replicas.map(async (one) => Number(await one.info("slave_repl_offset"))),
  );
  const most = offsets.indexOf(Math.max(...offsets));
  const master = replicas[most]!;
  await master.command("REPLICAOF", "NO", "ONE");
  for (const other of replicas) {
    if (other === master) continue;
    await other.command("REPLICAOF", "127.0.0.1", `${master.port}`);
  }
  await waitForReplicas(master, replicas.length - 1);
  return master;
}
