/** The HTTP listener: one connection and its requests. */
import assert from "node:assert/strict";
import { delay } from "../../../src/common/async.ts";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { startServer, type TestServer } from "../support.ts";
import { RawClient } from "./raw_client.ts";

/** Returns how often a limit was reached. */
async function limited(server: TestServer, limit: string): Promise<number> {
  const text = await (await server.get("/metrics")).text();
  const line = `occupancy_limited_total{limit="${limit}"} `;
  return Number(text.split(line)[1]?.split("\n")[0] ?? 0);
}

/** Returns the number of open streams of changes. */
async function streams(server: TestServer): Promise<number> {
  const text = await (await server.get("/metrics")).text();
  return Number(/^occupancy_change_streams (\d+)/m.exec(text)![1]);
}

Deno.test({
  name: "requests on one connection are answered in order, with their lengths",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    using client = await RawClient.connect(server.url);
    for (const path of ["/healthz", "/api/v1/layers"]) {
      await client.request(path);
      const { status, head, body } = await client.response();
      assert.equal(status, 200);
      assert.doesNotMatch(head, /connection: close|transfer-encoding/i);
      assert.equal(typeof JSON.parse(body), "object");
    }
    await client.request("/healthz", "HEAD");
    await client.request("/nothing");
    const head = await client.until("\r\n\r\n");
    assert.match(head, /^HTTP\/1\.1 200 /);
    assert.equal((await client.response()).status, 404);
  },
});

Deno.test({
  name: "pipelined requests are answered in order; too many end the connection",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.publish("1,1,1\n2,2,2");
    using client = await RawClient.connect(server.url);
    const paths = ["/api/v1/cell?x=1&y=1", "/healthz", "/api/v1/cell?x=2&y=2"];
    await client.send(
      paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
        .join(""),
    );
    assert.equal(JSON.parse((await client.response()).body).value, 1);
    assert.equal(JSON.parse((await client.response()).body).status, "alive");
    assert.equal(JSON.parse((await client.response()).body).value, 2);

    using greedy = await RawClient.connect(server.url);
    await greedy.send(
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2000),
    );
    const answers = (await greedy.rest()).split("HTTP/1.1 200").length - 1;
    assert.ok(answers <= 32, `${answers} answers`);
    assert.ok(await limited(server, "http-pipelined") > 0);
  },
});

Deno.test({
  name: "a request after the last response of a connection is not handled",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ timeouts: { stall: 300 } });
    using client = await RawClient.connect(server.url);
    const head = (path: string, length: number) =>
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;
    // Refused before its body arrives, so that the connection must end.
    await client.send(head("/api/v1/cells", 4));
    const refusal = await client.until("\r\n\r\n");
    assert.match(refusal, /^HTTP\/1\.1 405 [^]*connection: close/i);
    await client.send(`body${head("/api/v1/readings", 5)}7,7,1`);
    assert.doesNotMatch(await client.rest(), /HTTP\/1\.1/);
    const cell = await (await server.get("/api/v1/cell?x=7&y=7")).json();
    assert.equal(cell.status, "unknown", "the second request was ignored");
    await delay(500); // a response without a connection would stall
    assert.equal(await limited(server, "http-response-stall"), 0);
  },
});

Deno.test({
  name: "what is not HTTP, or could be read in two ways, is 400 and the end",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const post = "POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\n";
    for (
      const request of [
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", // TLS
        "GET / HTTP/9.9\r\n\r\n",
        "NOTHING / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x01b\r\n\r\n",
        `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\n1,1,1`,
        `${post}Content-Length: +5\r\n\r\n1,1,1`,
        `${post}Content-Length: 5, 5\r\n\r\n1,1,1`,
        `${post}Content-Length: -1\r\n\r\n`,
        `${post}Content-Length: 99999999999999999999\r\n\r\n`,
        `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
        `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
        `${post}Transfer-Encoding: chunked\r\n\r\n0x5\r\n1,1,1\r\n0\r\n\r\n`,
        `${post}Transfer-Encoding: chunked\r\n\r\n-5\r\n1,1,1\r\n0\r\n\r\n`,
        `${post}Transfer-Encoding: chunked\r\n\r\n5\r\n1,1,12\r\n0\r\n\r\n`,
        `${post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`,
      ]
    ) {
      using client = await RawClient.connect(server.url);
      await client.send(request);
      const answer = await client.rest();
      assert.match(answer, /^HTTP\/1\.1 40[05] /, JSON.stringify(request));
      assert.equal(answer.split("HTTP/1.1 ").length, 2, "one answer");
    }
    assert.equal(server.map.size, 0, "no reading was taken from them");
    assert.deepEqual(server.log, []);
  },
});

Deno.test({
  name: "a head of more than 16 KiB is 431",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    using client = await RawClient.connect(server.url);
    await client.send(`GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
    assert.match(await client.rest(), /^HTTP\/1\.1 431 [^]*too-large-head/);
    assert.equal(await limited(server, "http-head-bytes"), 1);
  },
});

Deno.test({
  name: "a head that does not arrive is 408; a silent connection is closed",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ timeouts: { head: 300 } });
    using slow = await RawClient.connect(server.url);
    using silent = await RawClient.connect(server.url);
    await slow.send("GET / HTTP/1.1\r\nHost: local");
    assert.match(await slow.rest(), /^HTTP\/1\.1 408 [^]*too-slow/);
    assert.equal(await silent.rest(), "");
    assert.equal(await limited(server, "http-request-timeout"), 2);
  },
});

Deno.test({
  name: "a connection between two requests is closed after some time",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ timeouts: { idle: 200 } });
    using client = await RawClient.connect(server.url);
    await client.request("/healthz");
    assert.equal((await client.response()).status, 200);
    assert.equal(await client.rest(), "");
  },
});

Deno.test({
  name: "a request whose body does not arrive ends, also if nothing reads it",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      timeouts: { head: 300, request: 400 },
    });
    using client = await RawClient.connect(server.url);
    await client.send(
      "POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1,",
    );
    await client.rest();
    using unread = await RawClient.connect(server.url);
    await unread.send(
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1,",
    );
    const answer = await unread.rest();
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /^connection: close\r$/im);
    assert.equal(server.map.size, 0);
  },
});

Deno.test({
  name: "a body is requested with 100 Continue only if it is wanted",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const head = (length: number) =>
      "POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\n" +
      `Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
    using client = await RawClient.connect(server.url);
    await client.send(head(5));
    assert.match(await client.until("\r\n\r\n"), /^HTTP\/1\.1 100 /);
    await client.send("1,1,1");
    assert.equal((await client.response()).status, 200);
    using large = await RawClient.connect(server.url);
    await large.send(head(100_000_000));
    assert.equal((await large.response()).status, 413);
  },
});

Deno.test({
  name: "a client receives the refusal of a body that it is still sending",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    using client = await RawClient.connect(server.url);
    await client.send(
      "POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n",
    );
    const sending = client.send("1,1,1\n".repeat(200_000)).catch(() => {});
    assert.equal((await client.response()).status, 413);
    await client.rest();
    await sending;
  },
});

Deno.test({
  name: "a stream ends when its client goes",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    {
      using client = await RawClient.connect(server.url);
      await client.request("/api/v1/changes");
      await client.until("event: changes");
      assert.equal(await streams(server), 1);
    }
    await until(async () => await streams(server) === 0);
  },
});

Deno.test({
  name:
    "a client that does not read slows its response down, and is disconnected",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ timeouts: { stall: 1000 } });
    const rows = Array.from({ length: 400_000 }, (_, i) => `${i},${i % 9},1`);
    server.publish(rows.join("\n"));
    await until(() => server.map.size === 400_000);
    using client = await RawClient.connect(server.url);
    await client.request("/api/v1/cells?times=rfc3339");
    const sent = async () => {
      const text = await (await server.get("/metrics")).text();
      return Number(
        /^occupancy_sent_bytes_total\{kind="cells"\} (\d+)/m.exec(text)?.[1],
      );
    };
    await until(async () => await limited(server, "http-response-stall") === 1);
    const all = (await (await server.get("/api/v1/cells?times=rfc3339"))
      .arrayBuffer()).byteLength;
    assert.ok(await sent() < 2 * all, "the rest was not produced");
    const received = (await client.rest()).length;
    assert.ok(received < all);
  },
});

Deno.test({
  name: "close() ends idle connections at once and the others at its deadline",
  ...needs(),
  fn: async () => {
    const server = await startServer();
    using idle = await RawClient.connect(server.url);
    using slow = await RawClient.connect(server.url);
    await slow.send(
      "POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1",
    );
    const { url } = server;
    const start = performance.now();
    const closed = server[Symbol.asyncDispose]();
    assert.equal(await idle.rest(), "");
    await slow.rest();
    await closed;
    assert.ok(performance.now() - start < 8000);
    await assert.rejects(RawClient.connect(url));
  },
});
