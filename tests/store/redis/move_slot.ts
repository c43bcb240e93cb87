/** Moves slots of a Redis Cluster, for tests. */
import type { RedisServer } from "../../support/redis.ts";

/** Moves the keys of a slot, as `redis-cli --cluster reshard` does. */
export async function moveSlot(
  slot: number,
  { from, to, others }: {
    readonly from: RedisServer;
    readonly to: RedisServer;
    readonly others: readonly RedisServer[];
  },
  meanwhile: () => Promise<void>,
): Promise<void> {
  const [source, target] = [
    await from.text("CLUSTER", "MYID"),
    await to.text("CLUSTER", "MYID"),
  ];
  const number = `${slot}`;
  await to.command("CLUSTER", "SETSLOT", number, "IMPORTING", source);
  await from.command("CLUSTER", "SETSLOT", number, "MIGRATING", target);
  for (;;) {
    const keys = await from.command("CLUSTER", "GETKEYSINSLOT", number, "1");
    if (keys.length === 0) break;
    await from.command(
      ...["MIGRATE", "127.0.0.1", `${to.port}`, keys[0], "0", "5000"],
    );
    await meanwhile();
  }
  for (const server of [to, from, ...others]) {
    await server.command("CLUSTER", "SETSLOT", number, "NODE", target);
  }
}
