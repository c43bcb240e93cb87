/** The client of the live feed, with a server that sends invalid messages. */
import assert from "node:assert/strict";
import { newColumns } from "../../../src/feed/columns.ts";
import { encodeFrame } from "../../../src/feed/frames.ts";
import { FEED_PROTOCOL_VERSION } from "../../../src/feed/messages.ts";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import {
  RecordingViewer,
  type RecordingViewerOptions,
} from "../../http/feed/recording_viewer.ts";

const HELLO = {
  type: "hello",
  version: "1",
  protocol: FEED_PROTOCOL_VERSION,
  staleAfter: null,
  forgetAfter: null,
  title: "fake",
  clients: {
    broker: "mqtt://127.0.0.1:1883",
    needsLogin: false,
    prefix: "occupancy",
    reach: "machine",
  },
};

/** A server that sends what the test tells it to. */
class FakeServer implements AsyncDisposable {
  readonly sockets: WebSocket[] = [];
  /** The messages of viewers, without pings. */
  // deno-lint-ignore no-explicit-any
  readonly received: any[] = [];
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  /** @param onOpen called for each new connection */
  constructor(onOpen = (socket: WebSocket) => sendJson(socket, HELLO)) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#http = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => resolve(),
    }, async (request) => {
      await promise;
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onopen = () => {
        this.sockets.push(socket);
        onOpen(socket);
      };
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type !== "ping") this.received.push(message);
      };
      socket.onerror = () => {};
      return response;
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#http.addr.port}`;
  }

  get socket(): WebSocket {
    return this.sockets.at(-1)!;
  }

  /** Waits until viewers have requested this many views. */
  async views(count: number): Promise<void> {
    await until(() =>
      this.received.filter(({ type }) => type === "view").length === count
    );
  }

  snapshot(revision: number): void {
    this.socket.send(encodeFrame({
      kind: "snapshot",
      layer: "default",
      region: null,
      revision,
      time: Date.now(),
      part: 1,
      parts: 1,
      cells: newColumns(0),
    }));
  }

  delta(from: number, to: number): void {
    this.socket.send(encodeFrame({
      kind: "delta",
      layer: "default",
      from,
      to,
      time: Date.now(),
      cells: newColumns(0),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) {
      if (socket.readyState === WebSocket.OPEN) socket.close();
    }
    await this.#http.shutdown();
  }
}

function sendJson(socket: WebSocket, message: unknown): void {
  socket.send(JSON.stringify(message));
}

const connect = (server: FakeServer, options?: RecordingViewerOptions) =>
  new RecordingViewer(server.url, options);

Deno.test({
  name:
    "LiveClient requests the view again when a delta is missing, and acknowledges each frame",
  ...needs(),
  fn: async () => {
    await using server = new FakeServer();
    await using viewer = connect(server);
    await server.views(1);
    server.snapshot(5);
    server.delta(5, 6);
    server.delta(7, 8);
    server.delta(8, 9); // after the gap
    await server.views(2);
    server.snapshot(9);
    server.delta(9, 10);
    await until(() => viewer.revision === 10);
    assert.equal(viewer.model.deltas, 2);
    assert.equal(viewer.completions, 2);
    const got = server.received.filter(({ type }) => type === "got");
    await until(() => server.received.at(-1).frames === 6);
    assert.ok(got.length >= 5);
    assert.deepEqual(viewer.lost, []);
  },
});

Deno.test({
  name: "LiveClient measures its lag with the server's clock",
  ...needs(),
  fn: async () => {
    await using server = new FakeServer((socket) => {
      socket.addEventListener("message", ({ data }) => {
        const { type, id } = JSON.parse(data);
        if (type === "ping") {
          sendJson(socket, { type: "pong", id, time: Date.now() + 3_600_000 });
        }
      });
      sendJson(socket, HELLO);
    });
    await using viewer = connect(server, { pingIntervalMs: 20 });
    await server.views(1);
    await until(() => viewer.client.serverTime() - Date.now() > 3_500_000);
    const error = viewer.client.serverTime() - Date.now() - 3_600_000;
    assert.ok(Math.abs(error) < 100, `${error} ms off`);
    server.snapshot(5);
    server.delta(5, 6); // an hour old by the server's clock
    await until(() => viewer.lags.some((lag) => lag > 1_000_000));
    const lag = Math.max(...viewer.lags);
    assert.ok(Math.abs(lag - 3_600_000) < 1000, `${lag}`);
    const before = viewer.lags.length;
    await until(() => viewer.lags.length > before);
    assert.ok(
      viewer.lags.at(-1)! < 1000,
      "while nothing changes, the time of a message",
    );
  },
});

Deno.test({
  name: "LiveClient replaces a connection that is silent",
  ...needs(),
  fn: async () => {
    await using server = new FakeServer();
    await using viewer = connect(server, {
      pingIntervalMs: 10,
      silenceTimeoutMs: 60,
    });
    await until(() => viewer.lost.length > 0 && server.sockets.length > 1);
    assert.equal(viewer.lost[0], "No message from the server within 60 ms");
    assert.ok(viewer.hellos.length >= 1);
  },
});

Deno.test({
  name: "LiveClient reconnects after an invalid frame",
  ...needs(),
  fn: async () => {
    await using server = new FakeServer();
    await using viewer = connect(server);
    await server.views(1);
    server.socket.send(Uint8Array.of(7, 7, 7));
    await server.views(2);
    assert.match(viewer.lost[0]!, /^Cannot read the frame: it has version 7/);
    server.snapshot(1);
    await viewer.waitUntilComplete();
  },
});

Deno.test({
  name:
    "LiveClient reports another version of the protocol as a refusal, not as a lost connection",
  ...needs(),
  fn: async () => {
    await using server = new FakeServer((socket) =>
      sendJson(socket, { ...HELLO, protocol: FEED_PROTOCOL_VERSION + 1 })
    );
    await using viewer = connect(server);
    await until(() => viewer.lost.length > 0);
    assert.equal(viewer.refused[0]!.code, "other-version");
    assert.match(
      viewer.lost[0]!,
      /^The server has version 1, .*Reload the page/,
    );
    assert.equal(viewer.hellos.length, 0);
  },
});

Deno.test({
  name:
    "LiveClient doubles the delay after each failed attempt, up to a maximum",
  ...needs(),
  fn: async () => {
    await using server = new FakeServer((socket) => socket.close(1011));
    const began = performance.now();
    await using viewer = connect(server, {
      minRetryMs: 10,
      maxRetryMs: 80,
      random: () => 1,
    });
    await until(() => viewer.lost.length === 6);
    const took = performance.now() - began;
    assert.ok(took >= 10 + 20 + 40 + 80 + 80, `${took} ms`);
  },
});

Deno.test({
  name:
    "LiveClient.close() works while connecting, waiting and handling a frame",
  ...needs(),
  fn: async () => {
    await using server = new FakeServer();
    const connecting = connect(server);
    await connecting[Symbol.asyncDispose]();
    const working = connect(server, { onFrame: () => working.client.close() });
    await server.views(1);
    server.snapshot(1);
    await until(() =>
      server.sockets.every(({ readyState }) => readyState === WebSocket.CLOSED)
    );
    const waiting = new RecordingViewer("http://127.0.0.1:1", {
      minRetryMs: 60_000,
    });
    await until(() => waiting.lost.length === 1);
    await waiting[Symbol.asyncDispose]();
    assert.deepEqual([...connecting.lost, ...working.lost], []);
  },
});
