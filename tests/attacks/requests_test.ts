/** Floods of requests for a large map, beside a good client. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { BROKERS } from "../support/system.ts";
import { turnsIn } from "../support/turns.ts";
import { flood, requestSmall, startAttacked } from "./requests_support.ts";

/** Before the replies were divided, a turn took seconds. */
const MAX_TURN_MS = 250;
/** Before, there was no answer for a minute. A busy broker needs seconds. */
const MAX_MEDIAN_MS = 5000;

const FLOODS: Record<string, (index: number) => Record<string, unknown>> = {
  "equal requests": () => ({ maxBytes: 1024 }),
  "requests with different transactions": (index) => ({
    transaction: index,
    maxBytes: 1024,
  }),
  "requests for many topics": (index) => ({
    maxBytes: 1024,
    replyTo: `occupancy/response/flood/${index}`,
  }),
  "requests for different parts": (index) => ({
    maxBytes: 1024 + index,
    replyTo: `occupancy/response/flood/${index}`,
  }),
  "requests in the original format": (index) => ({
    format: "original",
    transaction: index,
    replyTo: `occupancy/response/flood/${index % 100}`,
  }),
};

for (const kind of BROKERS) {
  for (const [name, request] of Object.entries(FLOODS)) {
    Deno.test({
      name:
        `2,000 ${name} for a large map over ${kind}: a good client is answered, no turn is long, SIGTERM ends the server`,
      ...needs("mosquitto"),
      fn: async () => {
        await using attacked = await startAttacked(kind);
        const { server, port } = attacked;
        await using attacker = await RawConnection.open(port, "attacker");
        await attacker.subscribe("occupancy/response/#");
        await using good = await RawConnection.open(port, "good");
        await requestSmall(good, 3);
        await flood(attacker, 2000, request);
        const times = await requestSmall(good, 20);
        assert.ok(
          times[10]! < MAX_MEDIAN_MS,
          `median of ${times.join(" ")} ms`,
        );
        const signalled = performance.now();
        server.kill("SIGTERM");
        const { code, stderr } = await server.ended(20_000);
        const ms = performance.now() - signalled;
        assert.equal(code, 0, stderr);
        assert.ok(ms < 10_000, `ended after ${ms} ms`);
        const turns = turnsIn(stderr);
        assert.ok((turns[0] ?? 0) < MAX_TURN_MS, `turns: ${turns}`);
      },
    });
  }
}

Deno.test({
  name:
    "10,000 requests whose replies nothing receives cost the embedded broker's server nothing",
  ...needs(),
  fn: async () => {
    await using attacked = await startAttacked("embedded");
    const { server, port } = attacked;
    await using attacker = await RawConnection.open(port, "attacker");
    await using good = await RawConnection.open(port, "good");
    await flood(attacker, 10_000, (i) => ({ maxBytes: 1024, transaction: i }));
    const times = await requestSmall(good, 20);
    assert.ok(times[10]! < MAX_MEDIAN_MS, `median of ${times.join(" ")} ms`);
    server.kill("SIGTERM");
    const { code, stderr } = await server.ended();
    assert.equal(code, 0, stderr);
    const turns = turnsIn(stderr);
    assert.ok((turns[0] ?? 0) < MAX_TURN_MS, `turns: ${turns}`);
  },
});
