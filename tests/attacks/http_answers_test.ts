/** Attacks with large answers: not read, or requested without a pause. */
import assert from "node:assert/strict";
import { startServer, type TestServer } from "../http/support.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { limited, SlowClient, square } from "./http_client.ts";

/** A client is slow after 0.2 s in which it reads nothing. */
const PACE = { graceMs: 200, minBytesPerSecond: 1e9 };
/** Its answer is larger than the buffers of the system. */
const SIDE = 700;
const CELLS = SIDE * SIDE;

/** Opens clients that request something and do not read it. */
function openUnread(
  { url }: TestServer,
  path: string,
  count: number,
): Promise<SlowClient[]> {
  return Promise.all(
    Array.from(
      { length: count },
      () => SlowClient.open(url, [`GET ${path} HTTP/1.1`]),
    ),
  );
}

/** Fills the layer `default` with a square of cells. */
async function fill({ server }: TestServer, side = SIDE): Promise<void> {
  const payload = new TextEncoder().encode(square(side));
  await server.submit("default", payload);
}

Deno.test({
  name: "unread large answers are cut when another client requests one",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      limits: { largeResponses: 4 },
      pace: PACE,
    });
    await fill(server);
    const clients = await openUnread(server, "/api/v1/cells", 8);
    const small = await server.json("/api/v1/cells?region=0,0,3,3");
    assert.equal(small.cells.length, 16);
    for (let answer = 0; answer < 3; answer++) {
      const { cells } = await server.json("/api/v1/cells");
      assert.equal(cells.length, CELLS);
    }
    const ended = await clients[0]!.readToEnd();
    assert.ok(ended.length < CELLS * 10, `${ended.length} bytes`);
    assert.ok(await limited(server.url, "http-large-responses") > 0);
    for (const client of clients) client[Symbol.dispose]();
  },
});

Deno.test({
  name: "unread streams of changes are cut when another client opens one",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      limits: { streams: 4, largeResponses: 4 },
      pace: PACE,
    });
    await fill(server);
    const clients = await openUnread(server, "/api/v1/changes", 4);
    const opened = await until(async () => {
      const response = await server.get("/api/v1/changes?region=0,0,3,3");
      if (response.status === 200) return response;
      assert.equal(response.status, 503);
      await response.body?.cancel();
    });
    await opened.body!.cancel();
    assert.ok(await limited(server.url, "http-streams") > 0);
    for (const client of clients) client[Symbol.dispose]();
  },
});

Deno.test({
  name: "12 clients that loop large answers leave time for small requests",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await fill(server);
    let ending = false;
    let answers = 0;
    const loops = Array.from({ length: 12 }, async () => {
      while (!ending) {
        const response = await fetch(`${server.url}/api/v1/cells`);
        for await (const _ of response.body!);
        answers++;
      }
    });
    await until(() => answers > 0);
    const times: number[] = [];
    while (times.length < 50) {
      const start = performance.now();
      await server.json("/api/v1/cells?region=0,0,3,3");
      times.push(performance.now() - start);
    }
    ending = true;
    await Promise.all(loops);
    const median = times.sort((a, b) => a - b)[times.length / 2]!;
    assert.ok(median < 100, `${median} ms`);
  },
});
