/** Attacks with large answers: not read, or requested without a pause. */
import assert from "node:assert/strict";
import type { Plan } from "../../src/http/mod.ts";
import { startServer, type TestServer } from "../http/support.ts";
import { needs } from "../support/needs.ts";
import { occupancy, Running } from "../support/processes.ts";
import { freePort } from "../support/temp.ts";
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
  name: "unread floor plans need no memory",
  ...needs(),
  fn: async () => {
    const bytes = new Uint8Array(8 * 1024 * 1024);
    const image = {
      type: "image/png",
      etag: '"a"',
      bytes,
      width: 1,
      height: 1,
      extent: [0, 0, 1, 1],
    } as const;
    const layer = "default";
    const metresPerCell = undefined;
    const plan: Plan = { layer, title: layer, metresPerCell, image };
    await using server = await startServer({
      plans: new Map([[layer, plan]]),
    });
    const before = Deno.memoryUsage().external;
    const path = "/api/v1/plans/default/image";
    const clients = await openUnread(server, path, 40);
    for (const client of clients) await client.readHead();
    const grown = Deno.memoryUsage().external - before;
    assert.ok(grown < 64e6, `${grown} bytes`);
    for (const client of clients) client[Symbol.dispose]();
  },
});

Deno.test({
  name: "a list of many layers is complete, and needs a share as large answers",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ limits: { largeResponses: 1 } });
    for (let layer = 0; layer < 1200; layer++) {
      server.publish("1,1,1", `layer${layer}`);
    }
    await until(() => [...server.map.layers()].length === 1200);
    const lists = await Promise.all(
      Array.from({ length: 5 }, () => server.json("/api/v1/layers")),
    );
    for (const { layers } of lists) assert.equal(layers.length, 1200);
    assert.ok(await limited(server.url, "http-large-responses") > 0);
    const head = await server.get("/api/v1/layers", { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal((await server.json("/api/v1/layers")).layers.length, 1200);
  },
});

Deno.test({
  name: "a large answer and the first delta of a stream have one revision",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await fill(server, 300);
    // Both begin, then all cells change, then they are read.
    const answer = await server.get("/api/v1/cells");
    const stream = await server.get("/api/v1/changes");
    const events = stream.body!.pipeThrough(new TextDecoderStream())
      .getReader();
    let text = (await events.read()).value!;
    const { revision } = server.map;
    await server.server.submit(
      "default",
      new TextEncoder().encode(square(300, 2)),
    );
    assert.ok(server.map.revision > revision);
    const { cells, revision: answered } = await answer.json();
    assert.equal(answered, revision);
    assert.equal(cells.length, 90_000);
    assert.ok(cells.every((cell: number[]) => cell[2] === 1));
    while (!text.includes("id: ")) text += (await events.read()).value;
    while (!text.endsWith("\n\n")) text += (await events.read()).value;
    const deltas = [...text.matchAll(/^data: (.*)$/gm)]
      .map(([, json]) => JSON.parse(json!));
    const first = deltas.filter(({ from }) => from === 0);
    assert.equal(first.length, 9);
    assert.equal(first[0].to, revision);
    const sent = first.flatMap(({ cells }) => cells);
    assert.equal(sent.length, 90_000);
    assert.ok(sent.every((cell: number[]) => cell[2] === 1));
    await events.cancel();
  },
});

Deno.test({
  name: "12 clients that loop large answers leave time for small requests",
  ...needs(),
  fn: async () => {
    const [port, httpPort] = [freePort(), freePort()];
    await using server = occupancy([
      "server",
      ...["--listen", `127.0.0.1:${port}`],
      ...["--http", `127.0.0.1:${httpPort}`],
    ]);
    await server.waitFor(/Ready/);
    const url = `http://127.0.0.1:${httpPort}`;
    const filled = await fetch(`${url}/api/v1/readings`, {
      method: "POST",
      body: square(SIDE),
    });
    assert.equal((await filled.json()).changed, CELLS);
    await using attack = new Running(Deno.execPath(), [
      "eval",
      `const loop = async () => {
        for (;;) {
          const { body } = await fetch("${url}/api/v1/cells");
          for await (const _ of body) if (!said) console.error(said = "begun");
        }
      };
      let said;
      await Promise.all(Array.from({ length: 12 }, loop));`,
    ]);
    await attack.waitFor(/begun/);
    const times: number[] = [];
    while (times.length < 40) {
      const start = performance.now();
      const small = await fetch(`${url}/api/v1/cells?region=0,0,3,3`);
      assert.equal((await small.json()).cells.length, 16);
      times.push(performance.now() - start);
    }
    const median = times.sort((a, b) => a - b)[times.length / 2]!;
    assert.ok(median < 250, `${median} ms`);
  },
});
