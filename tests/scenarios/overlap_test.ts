/** The two sample clients report overlapping cells: the later reading wins. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { runOccupancy } from "../support/processes.ts";
import { BROKERS, startSystem } from "../support/system.ts";

const FIRST = ["1\t2\t0", "1\t3\t1", "2\t2\t0", "3\t3\t0"];
const SECOND = ["1\t2\t1", "2\t2\t1", "3\t3\t1", "4\t4\t1"];
const FIRST_THEN_SECOND = [
  "1\t2\t1",
  "2\t2\t1",
  "1\t3\t1",
  "3\t3\t1",
  "4\t4\t1",
];
const SECOND_THEN_FIRST = [
  "1\t2\t0",
  "2\t2\t0",
  "1\t3\t1",
  "3\t3\t0",
  "4\t4\t1",
];

for (const broker of BROKERS) {
  Deno.test({
    name:
      `client 1 then client 2 over ${broker}: the map has the values of client 2`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(broker);
      assert.deepEqual(await client("client1.json", system.url), [
        FIRST[0],
        FIRST[2],
        FIRST[1],
        FIRST[3],
      ]);
      assert.deepEqual(
        await client("client2.json", system.url),
        FIRST_THEN_SECOND,
      );
    },
  });

  Deno.test({
    name:
      `client 2 then client 1 over ${broker}: the map has the values of client 1`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(broker);
      assert.deepEqual(await client("client2.json", system.url), SECOND);
      assert.deepEqual(
        await client("client1.json", system.url),
        SECOND_THEN_FIRST,
      );
    },
  });
}

/** Runs the command; returns x, y and value of each row of its output. */
async function client(file: string, broker: string): Promise<string[]> {
  const { code, stdout, stderr } = await runOccupancy([
    "client",
    "--file",
    file,
    "--broker",
    broker,
  ]);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd().split("\n")
    .map((line) => line.split("\t").slice(0, 3).join("\t"));
}
