import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  AckQueue,
  PublishInterceptor,
} from "../../src/broker/publish_interceptor.ts";
import type { Incoming } from "../../src/mqtt/link.ts";

const payload = new Uint8Array(1);

Deno.test({
  name:
    "PublishInterceptor keeps the order of each client, for any order of events",
  permissions: "none",
  fn() {
    const kind = <K>(kind: K, max: number) =>
      fc.record({ kind: fc.constant(kind), n: fc.nat(max) });
    const event = fc.oneof(
      { weight: 5, arbitrary: kind("intercept" as const, 2) },
      { weight: 2, arbitrary: kind("pass" as const, 2) },
      { weight: 4, arbitrary: kind("acknowledge" as const, 50) },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100 }), (events) => {
        const interceptor = new PublishInterceptor();
        const delivered: Incoming[] = [];
        interceptor.connect((message) => delivered.push(message));
        const queues = [new AckQueue(), new AckQueue(), new AckQueue()];
        const arrived: number[][] = [[], [], []];
        const proceeded: number[][] = [[], [], []];
        let intercepted = 0;
        let count = 0;
        for (const { kind, n } of events) {
          const id = count++;
          if (kind === "acknowledge") {
            if (delivered.length === 0) continue;
            interceptor.acknowledge([delivered[n % delivered.length]!]);
          } else {
            const proceed = () => void proceeded[n]!.push(id);
            arrived[n]!.push(id);
            if (kind === "pass") queues[n]!.pass(proceed);
            else {
              intercepted++;
              const message = { topic: `${id}`, payload, qos: 1 } as const;
              interceptor.intercept(message, queues[n]!, proceed);
            }
          }
          for (const [i, ids] of proceeded.entries()) {
            deepEqual(ids, arrived[i]!.slice(0, ids.length));
          }
        }
        const topics = delivered.map(({ topic }) => Number(topic));
        deepEqual(topics, topics.toSorted((a, b) => a - b));
        equal(delivered.length, intercepted);
        interceptor.acknowledge(delivered);
        deepEqual(proceeded, arrived);
        for (const queue of queues) equal(queue.full, false);
      }),
    );
  },
});

Deno.test({
  name: "AckQueue.full is true from 4,096 messages or 1 MiB on",
  permissions: "none",
  fn() {
    for (
      const [size, count] of [[1, 4096], [1024, 1024], [2 ** 21, 1]] as const
    ) {
      const interceptor = new PublishInterceptor();
      const queue = new AckQueue();
      const delivered: Incoming[] = [];
      interceptor.connect((message) => delivered.push(message));
      const intercept = () =>
        interceptor.intercept(
          { topic: "a", payload: new Uint8Array(size), qos: 0 },
          queue,
          () => {},
        );
      for (let i = 1; i < count; i++) intercept();
      equal(queue.full, false);
      intercept();
      equal(queue.full, true);
      interceptor.acknowledge(delivered.slice(0, 1));
      equal(queue.full, false);
    }
  },
});
