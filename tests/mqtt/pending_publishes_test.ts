import { deepEqual } from "node:assert/strict";
import { PendingPublishes } from "../../src/mqtt/pending_publishes.ts";
import { settled } from "../support/fake_link.ts";

const MIB = 1024 * 1024;

/** Acquires for each size, and records by index which may be sent. */
function start(sizes: number[]) {
  const pending = new PendingPublishes();
  const proceeded: number[] = [];
  const acquire = (bytes: number, i: number) =>
    pending.acquire(bytes).then(() => proceeded.push(i));
  sizes.forEach(acquire);
  return { pending, proceeded };
}

Deno.test({
  name: "PendingPublishes.acquire() limits the bytes in flight to 16 MiB",
  permissions: "none",
  async fn() {
    const sizes = [8 * MIB, 8 * MIB, 1];
    const { pending, proceeded } = start(sizes);
    await settled();
    deepEqual(proceeded, [0, 1]);
    pending.release(8 * MIB);
    await settled();
    deepEqual(proceeded, [0, 1, 2]);
  },
});

Deno.test({
  name: "PendingPublishes.acquire() lets a longer message proceed alone",
  permissions: "none",
  async fn() {
    const { pending, proceeded } = start([1, 100 * MIB, 1, 1]);
    await settled();
    deepEqual(proceeded, [0], "short messages do not overtake it");
    pending.release(1);
    await settled();
    deepEqual(proceeded, [0, 1]);
    pending.release(100 * MIB);
    await settled();
    deepEqual(proceeded, [0, 1, 2, 3]);
  },
});

Deno.test({
  name: "PendingPublishes.limit() bounds the messages in flight, in order",
  permissions: "none",
  async fn() {
    const { pending, proceeded } = start([]);
    pending.limit(2);
    for (let i = 0; i < 5; i++) {
      void pending.acquire(1).then(() => proceeded.push(i));
    }
    await settled();
    deepEqual(proceeded, [0, 1]);
    pending.release(1);
    void pending.acquire(1).then(() => proceeded.push(5));
    await settled();
    deepEqual(proceeded, [0, 1, 2]);
    pending.close();
    await settled();
    deepEqual(proceeded, [0, 1, 2, 3, 4, 5]);
  },
});
