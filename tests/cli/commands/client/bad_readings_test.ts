/** `occupancy client` reports readings that the server refused. */
import assert from "node:assert/strict";
import { parseReport, ProtocolError } from "../../../../src/protocol/mod.ts";
import { RefusalReports } from "../../../../src/cli/commands/client/bad_readings.ts";
import { needs } from "../../../support/needs.ts";
import { runOccupancy } from "../../../support/processes.ts";
import { BROKERS, startSystem } from "../../../support/system.ts";

const encoder = new TextEncoder();
const REPORT = {
  topic: "occupancy/data",
  code: "late",
  message: "observed before the present value of the cell",
  count: 3,
  suppressed: 0,
  time: 1_760_000_000_000,
};

function countOf(source: string | undefined, ...bodies: unknown[]): number {
  const refusals = new RefusalReports({
    errorsTopic: "occupancy/errors",
    dataTopic: "occupancy/data",
    source,
  });
  for (const body of bodies) {
    refusals.handle({
      topic: "occupancy/errors",
      payload: encoder.encode(JSON.stringify(body)),
      qos: 0,
      retain: false,
    });
  }
  return refusals.count;
}

Deno.test({
  name: "RefusalReports counts reports that may be about the client's readings",
  permissions: "none",
  fn: () => {
    assert.equal(countOf(undefined, REPORT, { ...REPORT, count: 2 }), 5);
    assert.equal(countOf("a", REPORT, { ...REPORT, source: "a" }), 6);
    assert.equal(countOf("a", { ...REPORT, source: "b" }), 0);
    assert.equal(
      countOf(undefined, { ...REPORT, topic: "occupancy/data/l2" }),
      0,
    );
    assert.equal(countOf(undefined, 5, {}, { ...REPORT, count: "3" }), 0);
  },
});

Deno.test({
  name: "parseReport() ignores unknown fields and rejects other messages",
  permissions: "none",
  fn: () => {
    const parse = (body: unknown) =>
      parseReport(encoder.encode(JSON.stringify(body)));
    const full = { ...REPORT, line: 3, source: "cam-7" };
    assert.deepEqual(parse({ ...full, news: 1 }), full);
    assert.deepEqual(parse(REPORT), REPORT);
    for (
      const wrong of [
        [],
        { ...REPORT, topic: 1 },
        { ...REPORT, count: -1 },
        { ...REPORT, suppressed: null },
        { ...REPORT, line: "3" },
        { ...REPORT, source: 7 },
      ]
    ) assert.throws(() => parse(wrong), ProtocolError);
  },
});

for (const broker of BROKERS) {
  Deno.test({
    name: `client over ${broker} warns about refused readings, and exits 3`,
    ...needs(...broker === "mosquitto" ? ["mosquitto"] as const : []),
    fn: async () => {
      await using system = await startSystem(broker);
      const send = (input: string) =>
        runOccupancy(
          ["client", "--file", "-", "--broker", system.url, "--format", "tsv"],
          { input },
        );
      const now = Date.now();
      const first = await send(`1,1,1,${now}\n`);
      assert.equal(first.code, 0, first.stderr);
      assert.doesNotMatch(first.stderr, /Warning/);
      const late = await send(`1,1,0,${now - 60_000}\n2,2,1,${now}\n`);
      assert.equal(late.code, 3, late.stderr);
      assert.match(late.stderr, /Sent 2 readings in 1 message/);
      assert.match(
        late.stderr,
        /Warning: the server reports 1 refused reading on occupancy\/data.*there may be more/,
      );
      assert.match(late.stderr, /observed before .* \[late\]/);
      // The map is printed too.
      assert.match(late.stdout, /^1\t1\t1\t/);
      const future = await send(`5,5,1,${now + 3_600_000}\n`);
      assert.equal(future.code, 3, future.stderr);
      assert.match(future.stderr, /\[future\]/);
    },
  });
}
