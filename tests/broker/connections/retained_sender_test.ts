import { deepEqual, equal } from "node:assert/strict";
import { RetainedSender } from "../../../src/broker/connections/retained_sender.ts";
import { Turns } from "../../../src/broker/connections/turns.ts";
import { until } from "../../support/until.ts";

const PURE = { permissions: "none" } as const;

/** Yields numbers; waits before each while the client does not read. */
function* numbers(
  count: number,
  client: { reads: boolean },
  sent: number[],
): Generator<boolean, void> {
  for (let i = 0; i < count; i++) {
    while (!client.reads) yield false;
    sent.push(i);
    yield true;
  }
}

Deno.test(
  "RetainedSender holds one search for a filter, however often it is added",
  PURE,
  async () => {
    const sender = new RetainedSender(new Turns());
    const client = { reads: false };
    const sent: number[][] = [];
    for (let i = 0; i < 1000; i++) {
      const one: number[] = [];
      sent.push(one);
      sender.add("#", numbers(100, client, one));
    }
    const other: number[] = [];
    sender.add("a", numbers(3, client, other));
    client.reads = true;
    await until(() => {
      sender.continue();
      return other.length === 3;
    });
    equal(sent.at(-1)!.length, 100);
    deepEqual(sent.slice(0, -1).flat(), []);
  },
);
