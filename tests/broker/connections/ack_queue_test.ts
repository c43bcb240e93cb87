import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  AckEntry,
  AckQueue,
} from "../../../src/broker/connections/ack_queue.ts";

const PURE = { permissions: "none" } as const;

/** A message that records that it was finished. */
class Entry extends AckEntry {
  override readonly messages = 1;
  override readonly size: number;
  readonly #finish: () => void;

  constructor(queue: AckQueue, size: number, finish: () => void) {
    super(queue);
    this.size = size;
    this.#finish = finish;
  }

  override finish(): void {
    this.#finish();
  }
}

Deno.test(
  "AckQueue finishes messages in order, for any order of events",
  PURE,
  () => {
    const kind = <K>(kind: K, max: number) =>
      fc.record({ kind: fc.constant(kind), n: fc.nat(max) });
    const event = fc.oneof(
      { weight: 5, arbitrary: kind("add" as const, 2) },
      { weight: 4, arbitrary: kind("complete" as const, 50) },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100 }), (events) => {
        const queues = [new AckQueue(), new AckQueue(), new AckQueue()];
        const added: Entry[] = [];
        const arrived: number[][] = [[], [], []];
        const finished: number[][] = [[], [], []];
        for (const [id, { kind, n }] of events.entries()) {
          if (kind === "complete") {
            const entry = added[n % Math.max(1, added.length)];
            if (entry !== undefined) entry.queue.complete(entry);
          } else {
            const entry = new Entry(queues[n]!, 1, () => finished[n]!.push(id));
            arrived[n]!.push(id);
            added.push(entry);
            queues[n]!.add(entry);
          }
          for (const [i, ids] of finished.entries()) {
            deepEqual(ids, arrived[i]!.slice(0, ids.length));
          }
        }
        for (const entry of added) entry.queue.complete(entry);
        deepEqual(finished, arrived);
        for (const queue of queues) equal(queue.isEmpty, true);
      }),
    );
  },
);

Deno.test(
  "AckQueue is full from 4,096 messages or 1 MiB on, and reports room",
  PURE,
  () => {
    for (
      const [size, count] of [[1, 4096], [1024, 1024], [2 ** 21, 1]] as const
    ) {
      const queue = new AckQueue();
      const entries = Array.from(
        { length: count },
        () => new Entry(queue, size, () => {}),
      );
      for (const entry of entries.slice(1)) queue.add(entry);
      equal(queue.isFull, false);
      queue.add(entries[0]!);
      equal(queue.isFull, true);
      let calls = 0;
      queue.onRoom = () => calls++;
      for (const entry of entries) queue.complete(entry);
      equal(calls, 1);
      equal(queue.isFull, false);
    }
  },
);
