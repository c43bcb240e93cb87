import assert from "node:assert/strict";
import {
  JournalGapError,
  JournalSource,
} from "../../../src/store/redis/journal_source.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { openDeployment } from "../../../src/store/redis/connect.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";

const KEY = "{test/0}:journal";

/** Adds markers with the ids 1-0, 2-0, … */
async function addMarkers(redis: RedisServer, ...ids: number[]) {
  for (const id of ids) {
    await redis.command("XADD", KEY, `${id}-0`, "w", `run:${id}`);
  }
}

/** Reads the journal to its end. */
async function readAll(
  redis: RedisServer,
  position: string,
  isLost = false,
): Promise<string[]> {
  const deployment = await openDeployment(parseRedisAddress(redis.url));
  try {
    const source = await JournalSource.open(
      deployment,
      KEY,
      position,
      isLost,
    );
    const ids: string[] = [];
    do {
      for (const { id } of await source.read()) ids.push(id);
    } while (!source.isAtEnd);
    return ids;
  } finally {
    deployment.close();
  }
}

function gap(reason: "trimmed" | "lost") {
  return (error: unknown) =>
    error instanceof JournalGapError && error.reason === reason;
}

Deno.test({
  name: "JournalSource reads all entries after a position, and finds gaps",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    assert.deepEqual(await readAll(redis, "0-0"), []);
    await assert.rejects(readAll(redis, "3-0"), gap("lost"));
    await addMarkers(redis, ...Array.from({ length: 100 }, (_, i) => i + 1));
    assert.equal((await readAll(redis, "0-0")).length, 100);
    assert.deepEqual(await readAll(redis, "98-0"), ["99-0", "100-0"]);
    await assert.rejects(readAll(redis, "101-0"), gap("lost"));
    // As checkpoints trim.
    await redis.command("XDEL", KEY, "49-0");
    await redis.command("XTRIM", KEY, "MINID", "50-0");
    assert.equal((await readAll(redis, "49-0")).length, 51);
    await assert.rejects(readAll(redis, "48-0"), gap("trimmed"));
    await assert.rejects(readAll(redis, "0-0"), gap("trimmed"));
    // Another journal under the same key.
    await redis.command("DEL", KEY);
    await addMarkers(redis, 200, 201);
    await assert.rejects(readAll(redis, "100-0"), gap("lost"));
  },
});

Deno.test({
  name: "JournalSource goes on where a journal was lost, if that is known",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    assert.deepEqual(await readAll(redis, "3-0", true), []);
    await addMarkers(redis, 1, 2);
    assert.deepEqual(await readAll(redis, "3-0", true), []);
    await addMarkers(redis, 4);
    assert.deepEqual(await readAll(redis, "3-0", true), ["4-0"]);
  },
});
