/** `occupancy client` reports readings that the server refused. */
import assert from "node:assert/strict";
import { parseReport, ProtocolError } from "../../../../src/protocol/mod.ts";
import { RefusalReports } from "../../../../src/cli/commands/client/bad_readings.ts";
import { needs } from "../../../support/needs.ts";
import { startMosquitto } from "../../../support/mosquitto.ts";
import { encodePublish } from "../../../support/packets.ts";
import { RawConnection } from "../../../support/raw_connection.ts";
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

/** Counts what reports say to a client that has sent readings of a source. */
function countOf(source: string, ...bodies: unknown[]): number {
  const refusals = new RefusalReports("occupancy/errors");
  refusals.noteSent("occupancy/data", source);
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
    const line = { ...REPORT, line: 1 };
    assert.equal(countOf("", line, { ...line, count: 2 }), 5);
    assert.equal(countOf("a", { ...line, source: "a" }), 3);
    // A reading of somebody else.
    assert.equal(countOf("a", { ...line, source: "b" }), 0);
    assert.equal(countOf("a", line), 0);
    assert.equal(countOf("", { ...line, source: "b" }), 0);
    assert.equal(countOf("", { ...line, topic: "occupancy/data/l2" }), 0);
    // A payload that was not parsed, so that its source is not known.
    const unparsed = { ...REPORT, code: "too-many-layers" };
    assert.equal(countOf("a", unparsed), 3);
    // No payload of a client has these faults.
    assert.equal(countOf("", { ...REPORT, code: "bad-json" }), 0);
    assert.equal(countOf("", { ...line, code: "bad-fields" }), 0);
    assert.equal(countOf("", 5, {}, { ...line, count: "3" }), 0);
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

Deno.test({
  name:
    "client --no-request waits for reports no longer than --timeout, and not at all for a server that is offline",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const args = ["client", "--file", "-", "--broker", broker.url];
    const send = (...flags: string[]) =>
      runOccupancy([...args, "--no-request", ...flags], { input: "1,2,1\n" });
    const unanswered = await send("--timeout", "500ms");
    assert.equal(unanswered.code, 0, unanswered.stderr);
    assert.match(
      unanswered.stderr,
      /Warning: No server answered for "occupancy" within 0.5 s: it is not known/,
    );
    await using other = await RawConnection.open(broker.port, "other");
    await other.write(encodePublish(
      "occupancy/server/state",
      '{"state":"offline"}',
      { id: 1, retain: true },
    ));
    await other.expect("puback");
    const offline = await send("--timeout", "60s");
    assert.equal(offline.code, 0, offline.stderr);
    assert.match(offline.stderr, /The server is offline: it has not processed/);
  },
});

for (const broker of BROKERS) {
  Deno.test({
    name:
      `client --no-request over ${broker} ends with 3 whenever a reading was refused, and with 0 else`,
    ...needs(...broker === "mosquitto" ? ["mosquitto"] as const : []),
    fn: async () => {
      await using system = await startSystem(broker);
      await using noise = await RawConnection.open(system.port, "noise");
      const send = (input: string, ...flags: string[]) => {
        // Somebody else's reports use up the rate limit.
        for (let i = 0; i < 30; i++) {
          void noise.write(encodePublish("occupancy/data", "noise"));
          void noise.write(encodePublish(
            "occupancy/data",
            `{"source":"b","cells":[[1,1,1,${Date.now() + 3_600_000}]]}`,
          ));
        }
        const args = ["client", "--file", "-", "--broker", system.url];
        return runOccupancy([...args, "--no-request", ...flags], { input });
      };
      const codes: number[] = [];
      for (let i = 0; i < 4; i++) {
        const future = Date.now() + 3_600_000;
        const flags = i % 2 === 0 ? [] : ["--source", "me"];
        const { code, stderr } = await send(`5,5,1,${future}\n`, ...flags);
        codes.push(code);
        assert.match(stderr, /row|future.*\[future\]/);
        const good = await send("5,6,1\n", ...flags);
        codes.push(good.code);
        assert.doesNotMatch(good.stderr, /Warning/);
      }
      assert.deepEqual(codes, [3, 0, 3, 0, 3, 0, 3, 0]);
    },
  });

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
