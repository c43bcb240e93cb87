/** Acknowledgements that wait for the commit of what they acknowledge. */
import { deepEqual, equal } from "node:assert/strict";
import { CommitGate } from "../../../src/broker/connections/commit_gate.ts";
import { Counters } from "../../../src/broker/sys/counters.ts";
import { ByteWriter } from "../../../src/common/byte_writer.ts";

const PURE = { permissions: "none" } as const;

/** A gate whose commits the test makes. */
function openGate() {
  const output = new ByteWriter();
  let sentBytes = 0;
  const waiting: (() => void)[] = [];
  const gate = new CommitGate({
    afterCommit: (callback) => waiting.push(callback),
    output: () => output,
    counters: new Counters(),
  });
  return {
    gate,
    append: (byte: number, isStaged: boolean, count = 1) =>
      gate.begin(isStaged).raw(new Uint8Array(count).fill(byte)),
    /** Ends the turn: the gate requests the commit. */
    turn: () => Promise.resolve(),
    commit: () => waiting.shift()!(),
    sent: () => {
      const bytes = [...output.take().subarray(sentBytes)];
      sentBytes = output.at;
      return bytes;
    },
  };
}

Deno.test("CommitGate sends in order, after each commit", PURE, async () => {
  const test = openGate();
  test.append(1, false);
  deepEqual(test.sent(), [1], "nothing waits");
  test.append(2, true);
  test.append(3, true);
  await test.turn();
  test.append(4, false);
  test.append(5, true);
  await test.turn();
  deepEqual(test.sent(), []);
  test.commit();
  deepEqual(test.sent(), [2, 3, 4]);
  test.commit();
  deepEqual(test.sent(), [5]);
  test.append(6, false);
  deepEqual(test.sent(), [6]);
});

Deno.test("CommitGate is full while 64 KiB wait", PURE, async () => {
  const test = openGate();
  const { gate } = test;
  let calls = 0;
  gate.onRoom = () => calls++;
  for (const byte of [1, 2, 3]) {
    equal(gate.isFull, false);
    test.append(byte, true, 30_000);
    await test.turn();
  }
  equal(gate.isFull, true);
  equal(calls, 0);
  test.commit();
  equal(gate.isFull, false);
  equal(calls, 1);
  test.commit();
  test.commit();
  equal(test.sent().length, 90_000);
  test.append(4, true, 70_000);
  equal(gate.isFull, true);
  await test.turn();
  test.commit();
  equal(gate.isFull, false);
  equal(calls, 1, "called once");
});
