/** The live feed of a real server, over real WebSockets. */
import assert from "node:assert/strict";
import { limited, square } from "../../attacks/http_client.ts";
import { CLIENT_ACCESS, startServer } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { freePort } from "../../support/temp.ts";
import { until, within } from "../../support/until.ts";
import { DEFAULT_LAYER_VIEW, RecordingViewer } from "./recording_viewer.ts";
import { assertSame } from "./viewer_model.ts";

Deno.test({
  name: "LiveFeed sends hello, status and the view, then its changes",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ ageing: { staleAfter: 60_000 } });
    server.publish("1,2,1\n-3,-4,0\n5,6,-1");
    server.publish("9,9,3", "hall/2");
    await using viewer = new RecordingViewer(server.url);
    await viewer.waitUntilComplete();
    const [hello] = viewer.hellos;
    assert.deepEqual({ ...hello }, {
      type: "hello",
      version: server.context.version,
      protocol: 2,
      staleAfter: 60_000,
      forgetAfter: null,
      title: "me",
      clients: CLIENT_ACCESS,
    });
    const { status } = viewer;
    assert.equal(status!.broker, "up");
    assert.equal(status!.brokerSince, server.context.link().since);
    assert.equal(status!.store, "ok");
    assert.equal(status!.viewers, 1);
    assert.deepEqual(status!.layers, [
      {
        name: "default",
        bounds: [-3, -4, 5, 6],
        people: 1,
        occupied: 1,
        free: 1,
        stale: 0,
        unknown: 1,
        cells: 3,
        changes: 0,
      },
      {
        name: "hall/2",
        bounds: [9, 9, 9, 9],
        people: 3,
        occupied: 1,
        free: 0,
        stale: 0,
        unknown: 0,
        cells: 1,
        changes: 0,
      },
    ]);
    assertSame(viewer.model, server.map, DEFAULT_LAYER_VIEW, { times: true });
    assert.deepEqual(viewer.model.cells.get("5,6")!.slice(0, 2), [
      -1,
      "unknown",
    ]);

    const before = viewer.model.deltas;
    server.publish("1,2,0\n7,7,7");
    await viewer.waitForValue(7, 7, 7);
    await viewer.waitForValue(1, 2, 0);
    assert.equal(viewer.model.deltas, before + 1, "one delta for one commit");
    assertSame(viewer.model, server.map, DEFAULT_LAYER_VIEW, { times: true });
    assert.equal(viewer.model.snapshots, 1);
  },
});

Deno.test({
  name: "LiveFeed sends a change within 100 ms of its acknowledgement",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.publish("0,0,0");
    await using viewer = new RecordingViewer(server.url);
    await viewer.waitUntilComplete();
    const took: number[] = [];
    for (let value = 1; value <= 20; value++) {
      const { model } = viewer;
      const shown = until(() => model.cells.get("0,0")?.[0] === value)
        .then(() => performance.now());
      assert.equal((await server.post(`0,0,${value}`)).status, 200);
      const acknowledged = performance.now();
      took.push(await shown - acknowledged);
    }
    took.sort((a, b) => a - b);
    // Other load delays some of them, a pause of the feed would delay all.
    assert.ok(took[2]! < 100, `${took.map(Math.round)} ms`);
  },
});

Deno.test({
  name: "LiveFeed sends only the requested view",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.publish("0,0,1\n10,10,1\n-2147483648,2147483647,4");
    const region = { x0: 5, y0: 5, x1: 20, y1: 20 };
    await using viewer = new RecordingViewer(server.url, {
      view: { layer: "default", region },
    });
    await using second = new RecordingViewer(server.url, {
      view: { layer: "hall/2", region: null },
    });
    await viewer.waitUntilComplete();
    await second.waitUntilComplete();
    assert.deepEqual([...viewer.model.cells.keys()], ["10,10"]);
    assert.equal(
      second.model.cells.size,
      0,
      "an empty layer has an empty snapshot",
    );
    server.publish("1,1,1");
    server.publish("2,2,2", "hall/2"); // the layer appears after its viewer
    server.publish("11,11,2");
    await viewer.waitForValue(11, 11, 2);
    await second.waitForValue(2, 2, 2);
    assert.equal(viewer.model.cells.size, 2);
    viewer.client.view("default", null);
    await viewer.waitUntilComplete(2);
    assertSame(viewer.model, server.map, DEFAULT_LAYER_VIEW);
    assert.deepEqual(viewer.model.cells.get("-2147483648,2147483647")?.[0], 4);
    server.publish("-2147483648,2147483647,5\n2147483647,-2147483648,6");
    await viewer.waitForValue(2147483647, -2147483648, 6);
    await viewer.waitForValue(-2147483648, 2147483647, 5);
    await until(() => viewer.status?.layers[0]?.bounds?.[2] === 2147483647);
  },
});

Deno.test({
  name: "LiveFeed sends cells that turn stale or unknown without readings",
  ...needs(),
  fn: async () => {
    let now = Date.now();
    await using server = await startServer({
      ageing: { staleAfter: 10_000, forgetAfter: 20_000 },
      clock: () => now,
    });
    server.publish("1,1,0\n2,2,5");
    await using viewer = new RecordingViewer(server.url);
    await viewer.waitUntilComplete();
    assert.deepEqual(viewer.model.cells.get("1,1")!.slice(0, 2), [0, "free"]);
    now += 11_000;
    await until(() => viewer.model.cells.get("1,1")![1] === "stale");
    assert.deepEqual(viewer.model.cells.get("2,2")!.slice(0, 2), [5, "stale"]);
    await until(() => viewer.status!.layers[0]!.stale === 2);
    assert.equal(viewer.status!.layers[0]!.free, 0);
    now += 10_000;
    await until(() => viewer.model.cells.get("1,1")![1] === "unknown");
    assert.equal(viewer.model.cells.get("2,2")![0], -1);
  },
});

Deno.test({
  name: "LiveFeed sends the changes per second of each layer",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await using viewer = new RecordingViewer(server.url);
    await viewer.waitUntilComplete();
    server.publish("1,1,1");
    const changes = (layer: string) =>
      viewer.status!.layers.find(({ name }) => name === layer)?.changes;
    await until(() => changes("default") !== undefined);
    await until(() => {
      server.publish(`${Date.now() % 1000},1,1`, "busy");
      return changes("busy")! > 0;
    });
    assert.equal(changes("default"), 0);
    assert.ok(viewer.status!.rate.changes > 0);
  },
});

Deno.test({
  name:
    "LiveFeed sends a status immediately when broker or store fail or recover",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await using viewer = new RecordingViewer(server.url);
    await viewer.waitUntilComplete();
    const timeUntil = async (member: "broker" | "store", value: string) => {
      const began = performance.now();
      await until(() => viewer.status?.[member] === value, {
        what: () => JSON.stringify(viewer.status),
      });
      return performance.now() - began;
    };
    server.link.handlers.down?.("cable cut");
    assert.ok(await timeUntil("broker", "down") < 500);
    assert.equal(viewer.status!.brokerSince, server.context.link().since);
    server.link.handlers.up?.();
    assert.ok(await timeUntil("broker", "up") < 500);
    server.store.failing = true;
    server.publish("1,1,1");
    assert.ok(await timeUntil("store", "The disk is full") < 500);
    server.store.failing = false;
    await timeUntil("store", "ok");
    await viewer.waitForValue(1, 1, 1);
  },
});

Deno.test({
  name:
    "LiveFeed sends the latest changes with their sources, and the history of the layer",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.publish('{"source":"cam <b>1</b>","cells":[[1,1,1],[2,2,0]]}');
    await using viewer = new RecordingViewer(server.url);
    await viewer.waitUntilComplete();
    await until(() => viewer.latest.at(-1)?.changes.length === 2);
    const sources = viewer.latest.at(-1)!.changes.map(([, , , , source]) =>
      source
    );
    assert.deepEqual(sources, ["cam <b>1</b>", "cam <b>1</b>"]);
    server.publish("3,3,3");
    await until(() => viewer.latest.at(-1)!.changes[0]?.[0] === 3);
    const { changes } = viewer.latest.at(-1)!;
    assert.deepEqual([changes[0]![2], changes[0]![4]], [3, null]);
    assert.equal(changes.length, 3);
    assert.equal(viewer.histories[0]?.layer, "default");
    viewer.client.view("default", { x0: 0, y0: 0, x1: 5, y1: 5 });
    await viewer.waitUntilComplete(2);
    assert.equal(
      viewer.histories.length,
      1,
      "no history for another region of the same layer",
    );
    viewer.client.view("hall/2", null);
    await viewer.waitUntilComplete(3);
    assert.deepEqual(viewer.histories[1], {
      type: "history",
      layer: "hall/2",
      points: [],
    });
  },
});

/** Opens a WebSocket and records its text messages and its end. */
async function open(url: string) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/live`);
  const texts: string[] = [];
  const closed = Promise.withResolvers<CloseEvent>();
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") texts.push(data);
  };
  socket.onclose = closed.resolve;
  socket.onerror = () => {};
  await until(() => texts.length > 0 || socket.readyState > WebSocket.OPEN);
  return { socket, texts, closed: () => within(closed.promise, "the end") };
}

Deno.test({
  name: "LiveFeed answers a bad message with an error, and closes with 1008",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const cases: [string | Uint8Array<ArrayBuffer>, RegExp][] = [
      ["{", /not JSON/],
      ["x".repeat(5000), /5000 characters, at most 4096 are allowed/],
      // One frame may have been sent already, which can be acknowledged.
      ['{"type":"got","frames":99}', /Cannot acknowledge 99 frames/],
      ['{"type":"view","layer":"a//b"}', /empty level/],
      [Uint8Array.of(1, 2, 3), /is binary/],
    ];
    for (const [bad, message] of cases) {
      const { socket, texts, closed } = await open(server.url);
      socket.send(bad);
      const { code, reason } = await closed();
      assert.equal(code, 1008);
      assert.equal(reason, "bad-message");
      const last = JSON.parse(texts.at(-1)!);
      assert.equal(last.type, "error");
      assert.match(last.message, message);
    }
    await until(() => server.viewers.current === 0);
  },
});

Deno.test({
  name: "LiveFeed disconnects a viewer that sends too many messages",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const { socket, texts, closed } = await open(server.url);
    let sent = 0;
    // Wait for each answer: data sent after the close may discard the last one.
    while (socket.readyState === WebSocket.OPEN && sent < 5000) {
      const answered = new Promise((resolve) => {
        for (const type of ["message", "close"]) {
          socket.addEventListener(type, resolve, { once: true });
        }
      });
      socket.send(`{"type":"ping","id":${sent++}}`);
      await answered;
    }
    const { code, reason } = await closed();
    assert.deepEqual([code, reason], [1008, "too-fast"]);
    assert.ok(sent >= 200, `${sent} messages were accepted`);
    assert.equal(JSON.parse(texts.at(-1)!).code, "too-fast");
  },
});

Deno.test({
  name: "LiveFeed refuses a viewer above the limit, which tries again later",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ limits: { viewers: 1 } });
    await using second = new RecordingViewer(server.url, { maxRetryMs: 100 });
    {
      await using first = new RecordingViewer(server.url, { maxRetryMs: 20 });
      await until(() => first.refused.length + second.refused.length > 0);
      const [refusal] = [...first.refused, ...second.refused];
      assert.equal(refusal?.code, "too-many-viewers");
      assert.match(
        refusal!.message,
        /^The server allows 1 viewers, .* Close one, or try again later\.$/,
      );
      const { texts, closed } = await open(server.url);
      assert.equal((await closed()).code, 1013);
      assert.equal(JSON.parse(texts.at(-1)!).type, "gone");
    }
    await second.waitUntilComplete();
    assert.equal(server.viewers.current, 1);
  },
});

Deno.test({
  name: "LiveFeed: a viewer that acknowledges nothing makes room for another",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      limits: { viewers: 2 },
      pace: { graceMs: 100 },
    });
    await server.post("1,1,1");
    const silent = await open(server.url); // requests no view
    const greedy = await open(server.url);
    greedy.socket.send(
      JSON.stringify({ type: "view", layer: "default", region: null }),
    );
    await using first = new RecordingViewer(server.url, { maxRetryMs: 20 });
    await first.waitUntilComplete();
    await using second = new RecordingViewer(server.url, { maxRetryMs: 20 });
    await second.waitUntilComplete();
    for (const { closed } of [silent, greedy]) {
      assert.equal((await closed()).code, 1013);
    }
    assert.ok(await limited(server.url, "http-viewers") >= 2);
  },
});

Deno.test({
  name: "LiveFeed serves many viewers with large deltas in several ticks",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post(square(200));
    const viewers: RecordingViewer[] = [];
    try {
      for (let i = 0; i < 24; i++) {
        // A view of its own: they share no delta.
        const region = { x0: -i, y0: 0, x1: 300, y1: 300 };
        const view = { layer: "default", region };
        viewers.push(new RecordingViewer(server.url, { view }));
      }
      for (const viewer of viewers) await viewer.waitUntilComplete();
      for (const value of [2, 3]) {
        await server.post(square(200, value));
        const { revision } = server.map;
        for (const viewer of viewers) {
          await until(() => viewer.revision === revision);
          assert.deepEqual(viewer.model.cells.get("199,199")![0], value);
        }
      }
      assert.ok(viewers.every(({ model }) => model.snapshots === 1));
    } finally {
      for (const viewer of viewers) await viewer[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "LiveFeed closes with 1001 when the server stops",
  ...needs(),
  fn: async () => {
    const server = await startServer();
    const { texts, closed } = await open(server.url);
    await server[Symbol.asyncDispose]();
    assert.equal((await closed()).code, 1001);
    assert.equal(JSON.parse(texts.at(-1)!).code, "stopping");
  },
});

Deno.test({
  name: "LiveClient receives the map of a restarted server",
  ...needs(),
  fn: async () => {
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    await using viewer = new RecordingViewer(url);
    {
      await using first = await startServer({ port });
      first.publish("1,1,1");
      await viewer.waitUntilComplete();
    }
    await until(() =>
      viewer.lost.some((reason) => reason.startsWith("The server is stopping"))
    );
    assert.equal(viewer.model.cells.size, 1, "the last map stays");
    const attempts = viewer.lost.length;
    await until(() => viewer.lost.length > attempts, {
      what: "another attempt",
    });
    await using second = await startServer({ port });
    second.publish("2,2,2");
    await viewer.waitUntilComplete(2);
    assertSame(viewer.model, second.map, DEFAULT_LAYER_VIEW);
    second.publish("3,3,3");
    await viewer.waitForValue(3, 3, 3);
  },
});

Deno.test({
  name: "GET live answers 426 without an upgrade",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const response = await server.get("/live");
    assert.equal(response.status, 426);
    assert.equal(response.headers.get("upgrade"), "websocket");
  },
});

Deno.test({
  name: "LiveFeed clears the view of a deleted layer, also during its snapshot",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ feedLimits: { partCells: 1024 } });
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i},${i % 7},1`);
    const publish = () => server.publish(rows.join("\n"), "a");
    publish();
    const view = { layer: "a", region: null };
    await using viewer = new RecordingViewer(server.url, { view });
    let frames = 0;
    // Deletes the layer after the first parts.
    await using slow = new RecordingViewer(server.url, {
      view,
      onFrame: () => {
        if (++frames === 3) server.server.deleteLayer("a");
      },
    });
    const hasNone = ({ model, statuses }: RecordingViewer) =>
      model.cells.size === 0 && statuses.at(-1)?.layers.length === 0;
    await until(() => frames > 3 && hasNone(slow) && hasNone(viewer));
    server.publish("-5,-5,1", "a");
    await viewer.waitForValue(-5, -5, 1);
    await slow.waitForValue(-5, -5, 1);
    for (const { model } of [viewer, slow]) {
      assertSame(model, server.map, view, { times: true });
    }
    await until(() => viewer.status!.layers.length === 1);
    assert.deepEqual(viewer.status!.layers[0]!.bounds, [-5, -5, -5, -5]);
    publish();
    await viewer.waitForValue(19_999, 19_999 % 7, 1);
    server.server.deleteLayer("a");
    await until(() => hasNone(viewer));
    await using late = new RecordingViewer(server.url, { view });
    await late.waitUntilComplete();
    assert.equal(late.model.cells.size, 0);
  },
});
