import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { Lane } from "../../src/broker/ack_queue.ts";
import type { Incoming } from "../../src/mqtt/link.ts";
import { Tap } from "../../src/broker/publish_interceptor.ts";

const payload = new Uint8Array(1);

Deno.test({
  name:
    "Tap hands over and lets go in each client's order, whatever the order of events",
  permissions: "none",
  fn() {
    const event = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant("take"), n: fc.nat(2) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant("pass"), n: fc.nat(2) }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant("ack"), n: fc.nat(50) }),
      },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100 }), (events) => {
        const tap = new Tap();
        const handed: Incoming[] = [];
        tap.connect((message) => handed.push(message));
        const lanes = [new Lane(), new Lane(), new Lane()];
        const arrived: number[][] = [[], [], []];
        const gone: number[][] = [[], [], []];
        let taken = 0;
        let count = 0;
        for (const { kind, n } of events) {
          const id = count++;
          if (kind === "take" || kind === "pass") {
            const proceed = () => void gone[n]!.push(id);
            arrived[n]!.push(id);
            if (kind === "pass") lanes[n]!.pass(proceed);
            else {
              taken++;
              tap.take({ topic: `${id}`, payload, qos: 1 }, lanes[n]!, proceed);
            }
          } else if (handed.length > 0) {
            tap.acknowledge([handed[n % handed.length]!]);
          }
          for (const [i, lane] of gone.entries()) {
            deepEqual(lane, arrived[i]!.slice(0, lane.length));
          }
        }
        const topics = handed.map(({ topic }) => Number(topic));
        deepEqual(topics, topics.toSorted((a, b) => a - b));
        equal(handed.length, taken);
        tap.acknowledge(handed);
        deepEqual(gone, arrived);
        for (const lane of lanes) equal(lane.full, false);
      }),
    );
  },
});

Deno.test({
  name:
    "Lane.full is true from 4,096 messages or 1 MiB, and no longer when they are let go",
  permissions: "none",
  fn() {
    for (
      const [size, count] of [[1, 4096], [1024, 1024], [2 ** 21, 1]] as const
    ) {
      const tap = new Tap();
      const lane = new Lane();
      const handed: Incoming[] = [];
      tap.connect((message) => handed.push(message));
      const take = () =>
        tap.take(
          { topic: "a", payload: new Uint8Array(size), qos: 0 },
          lane,
          () => {},
        );
      for (let i = 1; i < count; i++) take();
      equal(lane.full, false);
      take();
      equal(lane.full, true);
      tap.acknowledge(handed.slice(0, 1));
      equal(lane.full, false);
    }
  },
});
