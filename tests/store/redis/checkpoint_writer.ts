/** A server that writes checkpoints all the time: to be killed. */
import { delay } from "../../../src/common/async.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { openDeployment } from "../../../src/store/redis/connect.ts";
import { randomIntegers } from "../../support/random.ts";
import { readingsEntry } from "../support.ts";
import type { RedisReply } from "../../support/redis.ts";
import { KEYS, Member } from "./checkpoint_support.ts";

const url = Deno.args[0]!;
const deployment = await openDeployment(parseRedisAddress(url));
const node = await deployment.open(KEYS.meta);
const command = (...args: (string | Uint8Array)[]): Promise<RedisReply> =>
  node.send(args);
const text = async (...args: string[]) => String(await command(...args));
const redis = { url, command, text };
const member = await Member.start(redis);
member.entryAgeMs = -3_600_000; // never trimmed
await member.lead();
const random = randomIntegers(Deno.pid);
for (;;) {
  await member.commit(
    readingsEntry(
      Date.now(),
      Array.from(
        { length: 10_000 },
        () => [random(1500), random(1500), random(3)] as const,
      ),
    ),
  );
  member.begin();
  await delay(20);
}
