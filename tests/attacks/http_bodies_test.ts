/** Attacks with request bodies: tiny chunks, unknown lengths, slow senders. */
import assert from "node:assert/strict";
import { startServer } from "../http/support.ts";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { freePort } from "../support/temp.ts";
import { within } from "../support/until.ts";
import { limited, SlowClient } from "./http_client.ts";

const CHUNKED = [
  "POST /api/v1/readings HTTP/1.1",
  "Transfer-Encoding: chunked",
];
/** A client is slow after 0.1 s. */
const PACE = { graceMs: 100, minBytesPerSecond: 1e7 };
/** More than a small body. */
const LARGE = "1,2,3\n".repeat(50_000);

Deno.test({
  name: "bodies in chunks of one byte need no more memory than others",
  ...needs(),
  fn: async () => {
    const ports = [freePort(), freePort()];
    await using server = occupancy([
      "server",
      ...["--listen", `127.0.0.1:${ports[0]}`],
      ...["--http", `127.0.0.1:${ports[1]}`],
    ]);
    await server.waitFor(/Ready/);
    const url = `http://127.0.0.1:${ports[1]}`;
    await (await fetch(`${url}/readyz`)).text();
    const before = peakMegabytes(server.pid);
    const clients = await Promise.all(
      Array.from({ length: 4 }, () => SlowClient.open(url, CHUNKED)),
    );
    const chunks = "1\r\n1\r\n".repeat(10_000);
    await Promise.all(clients.map((client) => client.send(chunks)));
    await Promise.all(clients.map((client) => client.send("0\r\n\r\n")));
    const answers = await Promise.all(
      clients.map((client) => within(client.readHead(), "an answer")),
    );
    // One number of 10,000 digits is no reading.
    for (const head of answers) assert.match(head, /^HTTP\/1.1 400 /);
    const grown = peakMegabytes(server.pid) - before;
    assert.ok(grown < 100, `${grown} MB`);
    for (const client of clients) client[Symbol.dispose]();
  },
});

Deno.test({
  name: "bodies of unknown length leave room for others",
  ...needs(),
  fn: async () => {
    // By what might come, each would need 8 MiB.
    await using server = await startServer({ limits: { bodyBytes: 2 ** 20 } });
    const clients = await Promise.all(
      Array.from({ length: 9 }, () => SlowClient.open(server.url, CHUNKED)),
    );
    for (const client of clients) await client.sendChunk("1,2,3\n");
    assert.equal((await server.post("5,5,5")).status, 200);
    assert.equal((await server.post(LARGE)).status, 200);
    const streamed = await server.post(new Blob([LARGE]).stream());
    assert.equal(streamed.status, 200);
    assert.equal(await limited(server.url, "http-body-bytes"), 0);
    for (const client of clients) client[Symbol.dispose]();
  },
});

Deno.test({
  name: "bodies that stop are cut when another body needs their memory",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      limits: { bodyBytes: 2 ** 20 },
      pace: PACE,
    });
    const clients = await Promise.all(
      Array.from({ length: 3 }, () => SlowClient.open(server.url, CHUNKED)),
    );
    for (const client of clients) await client.sendChunk(LARGE);
    assert.equal((await server.post("5,5,5")).status, 200); // small: no limit
    assert.equal((await server.post(LARGE)).status, 200);
    const first = await Promise.race(
      clients.map((client) => client.readHead()),
    );
    assert.match(first, /^HTTP\/1.1 408 /);
    assert.ok(await limited(server.url, "http-body-bytes") > 0);
    for (const client of clients) client[Symbol.dispose]();
  },
});

Deno.test({
  name: "slow bodies are cut when other requests are refused because of them",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      limits: { requests: 8 },
      pace: PACE,
    });
    const clients = await Promise.all(
      Array.from({ length: 12 }, () => SlowClient.open(server.url, CHUNKED)),
    );
    const dripping = setInterval(() => {
      for (const client of clients) client.sendChunk("1").catch(() => {});
    }, 50);
    for (let request = 0; request < 3; request++) {
      assert.equal((await server.post("5,5,5")).status, 200);
      assert.equal((await server.get("/api/v1/cells")).status, 200);
    }
    assert.ok(await limited(server.url, "http-requests") > 0);
    clearInterval(dripping);
    for (const client of clients) client[Symbol.dispose]();
  },
});

/** The largest memory of a process until now. */
function peakMegabytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
