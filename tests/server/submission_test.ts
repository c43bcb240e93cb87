/** Which submission of readings is processed before which. */
import assert from "node:assert/strict";
import { Server } from "../../src/server/mod.ts";
import { fakeOptions } from "./support.ts";

Deno.test({
  name: "a small submission does not wait for large ones",
  permissions: "none",
  fn: async () => {
    const server = new Server(fakeOptions());
    await server.start();
    const ended: string[] = [];
    const submit = async (name: string, rows: number) => {
      const payload = new TextEncoder().encode("1,2,1\n".repeat(rows));
      const { outcome } = await server.submit("default", payload);
      assert.equal(outcome, "committed");
      ended.push(name);
    };
    await Promise.all([
      submit("large 1", 300_000),
      submit("large 2", 300_000),
      submit("large 3", 300_000),
      submit("small", 1),
    ]);
    assert.ok(ended.indexOf("small") < 2, `${ended}`);
    await server.stop();
  },
});
