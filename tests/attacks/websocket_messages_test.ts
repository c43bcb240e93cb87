/** WebSocket messages of the live feed that never end. */
import assert from "node:assert/strict";
import { RecordingViewer } from "../http/feed/recording_viewer.ts";
import { RawClient } from "../http/listener/raw_client.ts";
import { startServer, type TestServer } from "../http/support.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";

const CONTINUATION = 0;
const TEXT = 1;
const PING = 9;

/** Returns a frame of a client; its mask is zero. */
function frame(
  opcode: number,
  payload: string,
  { fin = true, length = payload.length } = {},
): string {
  const first = String.fromCharCode((fin ? 0x80 : 0) | opcode);
  const size = length < 126
    ? String.fromCharCode(0x80 | length)
    : String.fromCharCode(0x80 | 126, length >> 8, length & 0xff);
  return `${first}${size}\0\0\0\0${payload}`;
}

/** Opens the live feed on a connection whose bytes the test sends. */
async function openFeed({ url }: TestServer): Promise<RawClient> {
  const client = await RawClient.connect(url);
  await client.send(
    "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" +
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  assert.match(await client.until("\r\n\r\n"), /^HTTP\/1\.1 101 /);
  await client.until('"type":"status"');
  return client;
}

/** Sends pieces until the server closes the connection; returns how many. */
async function sendUntilClosed(
  client: RawClient,
  pieces: Iterable<string>,
): Promise<number> {
  let ended = false;
  const end = client.rest().finally(() => ended = true);
  let sent = 0;
  for (const piece of pieces) {
    if (ended) break;
    try {
      await client.send(piece);
    } catch {
      break; // closed by the server
    }
    sent++;
    await new Promise((resolve) => setTimeout(resolve)); // one read for each
  }
  await end;
  return sent;
}

function* endless(first: string, next: string): Generator<string> {
  yield first;
  for (let i = 0; i < 20_000; i++) yield next;
}

Deno.test({
  name:
    "messages of endless fragments are cut while they arrive; another viewer is not disturbed",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.publish("1,1,1");
    await using viewer = new RecordingViewer(server.url);
    await viewer.waitUntilComplete();
    const kilobyte = "x".repeat(1024);
    const part = { fin: false };
    for (
      const [what, pieces, most] of [
        [
          "fragments of 1 KiB",
          endless(
            frame(TEXT, kilobyte, part),
            frame(CONTINUATION, kilobyte, part),
          ),
          1000,
        ],
        [
          "empty fragments",
          endless(frame(TEXT, "", part), frame(CONTINUATION, "", part)),
          1000,
        ],
        [
          "a frame of single bytes",
          endless(frame(TEXT, "", { length: 30_000 }), "x"),
          5000,
        ],
      ] as const
    ) {
      using client = await openFeed(server);
      const sent = await sendUntilClosed(client, pieces);
      assert.ok(sent < most, `${what}: ${sent} were accepted`);
    }
    {
      using client = await openFeed(server);
      await client.send(frame(TEXT, "", { length: 60_000 }));
      await client.rest(); // refused by its length
    }
    server.publish("2,2,2");
    await viewer.waitForValue(2, 2, 2);
    const metrics = await (await server.get("/metrics")).text();
    assert.match(
      metrics,
      /occupancy_limited_total\{limit="http-websocket-message"\} 4/,
    );
    await until(() => server.viewers.current === 1);
  },
});

Deno.test({
  name: "a message in a few fragments, with pings between them, is accepted",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    using client = await openFeed(server);
    await client.send(
      frame(TEXT, '{"type":"p', { fin: false }) +
        frame(PING, "now") +
        frame(CONTINUATION, 'ing","id"', { fin: false }) +
        frame(CONTINUATION, "", { fin: false }) +
        frame(CONTINUATION, ":7}"),
    );
    await client.until('{"type":"pong","id":7');
  },
});

Deno.test({
  name: "a viewer that answers no ping is disconnected, others stay",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      timeouts: { webSocketIdle: 400 },
    });
    await using viewer = new RecordingViewer(server.url);
    await viewer.waitUntilComplete();
    {
      using silent = await openFeed(server);
      await silent.rest();
    }
    await until(() => server.viewers.current === 1);
    assert.deepEqual(viewer.lost, []);
  },
});
