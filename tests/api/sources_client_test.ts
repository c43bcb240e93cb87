/** Sources in the library, with the embedded broker and with Mosquitto. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { BROKERS, startSystem } from "../support/system.ts";

for (const kind of BROKERS) {
  Deno.test({
    name: `OccupancyClient requests sources: ${kind} broker`,
    ...needs("mosquitto"),
    fn: async () => {
      const { connect } = await import("../../src/mod.ts");
      await using system = await startSystem(kind);
      await using client = await connect({ broker: system.url });
      const reading = { x: 1, y: 1, value: 1 };
      assert.equal((await client.sources()).total, 0);
      await client.publish([reading, reading], { source: "cam-7" });
      await client.publish([reading], { source: "gate/2" });
      await client.publish([reading]);
      const { sources, unnamed, total } = await client.sources();
      assert.equal(total, 2);
      assert.deepEqual(
        sources.map(({ source, readings, silent }) => [
          source,
          readings,
          silent,
        ]),
        [["cam-7", 2, false], ["gate/2", 1, false]],
      );
      assert.equal(unnamed?.readings, 1);
      const few = await client.sources({ limit: 1, contains: "GATE" });
      assert.deepEqual(few.sources.map(({ source }) => source), ["gate/2"]);
    },
  });
}
