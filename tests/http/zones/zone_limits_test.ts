/** Limits of edits of zones over HTTP. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { SlowClient } from "../../attacks/http_client.ts";
import { within } from "../../support/until.ts";
import { startServer, type TestServer } from "../support.ts";

const ZONES = "/api/v1/zones";

function put(server: TestServer, name: string): Promise<Response> {
  return server.get(`${ZONES}/${name}`, {
    method: "PUT",
    body: JSON.stringify({
      type: "Feature",
      geometry: {
        type: "Polygon",
        coordinates: [[[0, 0], [9, 0], [9, 9], [0, 0]]],
      },
    }),
  });
}

Deno.test({
  name: "edits of zones wait for each other, and all are done",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => put(server, `z${i}`)),
    );
    for (const { status } of answers) assert.equal(status, 201);
    assert.equal(server.context.zones.definitions.size, 40);
  },
});

Deno.test({
  name: "an edit of zones that waits too long is refused and not done",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      limits: { zoneEdits: 0, waitMs: 50 },
    });
    for (
      const answer of [
        await put(server, "a"),
        await server.get(ZONES, { method: "PUT", body: "{}" }),
      ]
    ) {
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get("retry-after"), "1");
      assert.equal((await answer.json()).code, "overloaded");
    }
    assert.equal(server.context.zones.definitions.size, 0);
    assert.equal((await server.get(ZONES)).status, 200);
    const metrics = await (await server.get("/metrics")).text();
    assert.match(metrics, /limited_total\{limit="http-zone-edits"\} [1-9]/);
  },
});

Deno.test({
  name: "clients that send zones slowly are cut when others edit some",
  ...needs(),
  fn: async () => {
    // A client is slow after 0.1 s.
    const pace = { graceMs: 100, minBytesPerSecond: 1e7 };
    await using server = await startServer({ pace });
    const head = [`PUT ${ZONES} HTTP/1.1`, "Content-Length: 1000000"];
    const slow = await Promise.all(
      [1, 2].map(() => SlowClient.open(server.url, head)),
    );
    for (const client of slow) await client.send("{");
    const answer = await within(put(server, "a"), "an answer");
    assert.equal(answer.status, 201);
    const cut = await within(
      Promise.race(slow.map((client) => client.readHead())),
      "the answer to a slow client",
    );
    assert.match(cut, /^HTTP\/1.1 408 /);
    for (const client of slow) client[Symbol.dispose]();
  },
});
