/** The HTTP listener parses what it reads in slices. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { startServer } from "../support.ts";
import { RawClient } from "./raw_client.ts";

const HANDSHAKE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** The longest turn of the event loop of this process, in ms. */
async function longestTurn(work: Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  await work;
  clearInterval(timer);
  return longest;
}

Deno.test({
  name: "bodies in chunks of one byte do not stop others",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const row = "1,1,1\n";
    const count = 40_000;
    const chunks = [...row].map((byte) => `1\r\n${byte}\r\n`).join("");
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => RawClient.connect(server.url)),
    );
    const turn = await longestTurn(
      Promise.all(clients.map(async (client) => {
        await client.send(
          "POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\n" +
            `Transfer-Encoding: chunked\r\n\r\n${
              chunks.repeat(count / row.length)
            }0\r\n\r\n`,
        );
        const { status, body } = await client.response();
        assert.equal(status, 200, body);
        client[Symbol.dispose]();
      })),
    );
    // Parsed read by read it is seconds.
    assert.ok(turn < 400, `${turn} ms`);
  },
});

Deno.test({
  name: "what follows a handshake in the same read belongs to the WebSocket",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    using client = await RawClient.connect(server.url);
    const frames = Array.from({ length: 150 }, (_, id) => {
      const text = `{"type":"ping","id":${id}}`;
      return `\x81${String.fromCharCode(128 | text.length)}\0\0\0\0${text}`;
    });
    await client.send(
      ["GET /live HTTP/1.1", "Host: localhost", ...HANDSHAKE, "\r\n"]
        .join("\r\n") + frames.join(""),
    );
    await client.until('"pong","id":149,');
  },
});

Deno.test({
  name: "a large response to a refused handshake is complete",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.publish(
      Array.from({ length: 40_000 }, (_, i) => `${i},0,1`).join("\n"),
    );
    await until(() => server.map.size === 40_000);
    using client = await RawClient.connect(server.url);
    await client.send(
      [
        "GET /api/v1/cells?format=csv HTTP/1.1",
        "Host: localhost",
        ...HANDSHAKE,
        "\r\n",
      ].join("\r\n"),
    );
    const answer = await client.rest();
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /^39999,0,1,/m);
  },
});

Deno.test({
  name: "an unknown expectation is ignored; the body is read",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    using client = await RawClient.connect(server.url);
    await client.send(
      "POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n" +
        "Content-Length: 5\r\n\r\n1,1,1",
    );
    assert.equal((await client.response()).status, 200);
    await client.request("/healthz");
    assert.equal((await client.response()).status, 200);
  },
});
