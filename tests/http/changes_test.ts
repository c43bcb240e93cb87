/**
 * `GET /api/v1/changes`: clients miss no change, and the server queues none.
 */
import assert from "node:assert/strict";
import { ChangeStream } from "../../src/http/api/change_stream.ts";
import { Exchange } from "../../src/http/exchange.ts";
import { FairTurns } from "../../src/http/fair_turns.ts";
import { Limits } from "../../src/http/limits.ts";
import { needs } from "../support/needs.ts";
import { until, within } from "../support/until.ts";
import { EventReader } from "./event_reader.ts";
import { startServer, type TestServer } from "./support.ts";

const PATH = "/api/v1/changes";

async function openStream(
  server: TestServer,
  query = "",
  lastEventId?: string,
): Promise<EventReader> {
  const response = await fetch(server.url + PATH + query, {
    headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  return new EventReader(response);
}

Deno.test({
  name: "GET changes sends the map, then its changes",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,1\n2,2,2\n");
    await using events = await openStream(server);
    const first = (await events.next())!;
    assert.equal(first.name, "changes");
    assert.deepEqual([first.data.from, first.data.to], [0, 1]);
    assert.equal(first.data.cells.length, 2);
    await server.post("1,1,1"); // no change
    await server.post("1,1,5");
    const second = (await events.next())!;
    assert.deepEqual([second.data.from, second.data.to], [1, 2]);
    assert.deepEqual(second.data.cells[0].slice(0, 3), [1, 1, 5]);
  },
});

Deno.test({
  name: "GET changes sends only the requested layer and region",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await using events = await openStream(server, "?layer=l2&region=0,0,9,9");
    assert.deepEqual((await events.next())!.data.cells, []);
    await server.post("1,1,1");
    await server.post("50,50,1", "?layer=l2");
    await server.post("3,3,1", "?layer=l2");
    const { data } = (await events.next())!;
    assert.equal(data.layer, "l2");
    assert.deepEqual(
      data.cells.map((cell: number[]) => cell.slice(0, 3)),
      [[3, 3, 1]],
    );
  },
});

Deno.test({
  name:
    "GET changes with a region: from is the to of the event before, also after changes elsewhere",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    let reads = 0;
    const context = {
      ...server.context,
      refresh: () => {
        reads++;
        return server.context.refresh();
      },
    };
    const stream = new ChangeStream({
      server: context,
      limits: new Limits(),
      turns: new FairTurns(),
      exchange: new Exchange("127.0.0.1"),
      access: new AbortController().signal,
      layer: "default",
      region: { x0: 0, y0: 0, x1: 9, y1: 9 },
      since: 0,
    });
    const read = async () => {
      const text = new TextDecoder().decode(await stream.next());
      return JSON.parse(/^data: (.*)$/m.exec(text)![1]!);
    };
    await server.post("1,1,1");
    let { to } = await read();
    for (let round = 2; round < 5; round++) {
      const next = read();
      // The stream reads this change, which is outside its region.
      const before = reads;
      await server.post(`50,1,${round}`);
      await until(() => reads > before);
      await server.post("50,50,1", "?layer=l2");
      await server.post(`1,1,${round}`);
      const delta = await next;
      assert.equal(delta.from, to);
      assert.deepEqual(delta.cells.map((cell: number[]) => cell[2]), [round]);
      to = delta.to;
    }
    assert.equal(to, server.map.revision);
    stream.close();
  },
});

Deno.test({
  name: "GET changes resumes at Last-Event-ID without a gap, after any event",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const known = new Map<string, number>();
    let id: string | undefined;
    let to = 0;
    let written = 0;
    const write = async () => {
      const rows = Array.from({ length: 20 }, () => {
        written++;
        return `${written % 37},${written % 11},${written}`;
      });
      await server.post(rows.join("\n"));
    };
    for (let connection = 0; connection < 12; connection++) {
      await write();
      await using events = await openStream(server, "", id);
      for (let i = 0; i <= connection % 3; i++) {
        await write();
        const event = (await events.next())!;
        assert.equal(event.data.from, to, "no gap");
        for (const [x, y, value] of event.data.cells) {
          known.set(`${x},${y}`, value);
        }
        to = event.data.to;
        id = event.id;
        if (to === server.map.revision) break;
      }
      await write();
    }
    await using events = await openStream(server, "", id);
    for (const [x, y, value] of (await events.next())!.data.cells) {
      known.set(`${x},${y}`, value);
    }
    const expected = new Map<string, number>();
    server.map.layer("default")!.scan((x, y, value) =>
      expected.set(`${x},${y}`, value)
    );
    assert.equal(expected.size, 407);
    assert.deepEqual(known, expected);
  },
});

Deno.test({
  name: "GET changes sends all cells when the id is of another map",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,1");
    await server.post("1,1,2");
    const began = server.server.began!;
    for (
      const [id, from] of [
        [`1@${began}`, 1],
        [`1@${began - 1}`, 0],
        ["1", 0], // of a stored map
        [`999@${began}`, 0], // later than the map
        ["nonsense", 0],
      ] as const
    ) {
      await using events = await openStream(server, "", id);
      assert.equal((await events.next())!.data.from, from, id);
    }
  },
});

Deno.test({
  name: "GET changes sends many cells in parts, with the id on the last",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const rows = Array.from({ length: 25_000 }, (_, i) => `${i},0,1`);
    await server.post(rows.join("\n"));
    await using events = await openStream(server);
    const seen = new Set<number>();
    for (const part of [1, 2, 3]) {
      const { id, data } = (await events.next())!;
      const { revision } = server.map;
      assert.deepEqual([data.part, data.parts, data.to], [part, 3, revision]);
      assert.equal(id !== undefined, part === 3);
      for (const [x] of data.cells) seen.add(x);
    }
    assert.equal(seen.size, 25_000);
  },
});

Deno.test({
  name: "GET changes sends cells that became unknown without a reading",
  ...needs(),
  fn: async () => {
    let now = 1_760_000_000_000;
    await using server = await startServer({
      clock: () => now,
      ageing: { forgetAfter: 5000 },
    });
    await server.post("1,1,1");
    await using events = await openStream(server);
    await events.next();
    now += 6000;
    const { data } = (await within(events.next(), "the ageing"))!;
    assert.deepEqual(data.cells[0].slice(0, 3), [1, 1, -1]);
  },
});

Deno.test({
  name: "GET changes queues nothing for a client that does not read",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const { hostname, port } = new URL(server.url);
    using slow = await Deno.connect({ hostname, port: Number(port) });
    await slow.write(
      new TextEncoder().encode(
        `GET ${PATH} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`,
      ),
    );
    await until(async () =>
      (await server.json("/api/v1/summary")).revision === 0
    );
    // Ten times the capacity of the sockets' buffers.
    let revision = 0;
    for (let round = 0; round < 60; round++) {
      const rows = Array.from({ length: 30_000 }, (_, i) => `${i},0,${round}`);
      await server.post(rows.join("\n"));
      revision = server.map.revision;
    }
    // Most states were never sent: the latest one arrives after few events.
    const reader = new EventReader(new Response(bodyOf(slow)));
    let events = 0;
    let bytes = 0;
    for (;;) {
      const { data } = (await within(reader.next(), "the latest revision"))!;
      events++;
      bytes += JSON.stringify(data).length;
      if (data.to === revision && data.part === data.parts) break;
    }
    assert.ok(events < 60 * 3, `${events} events, coalesced`);
    assert.ok(bytes < 40e6, `${bytes} bytes`);
  },
});

Deno.test({
  name:
    "GET changes limits the number of streams, and ends when the server stops",
  ...needs(),
  fn: async () => {
    const server = await startServer({ limits: { streams: 2 } });
    const first = await openStream(server);
    {
      await using second = await openStream(server);
      await second.next();
      const third = await server.get(PATH);
      assert.equal(third.status, 503);
      assert.equal((await third.json()).code, "overloaded");
    }
    await until(async () => {
      const response = await fetch(server.url + PATH);
      await response.body?.cancel();
      return response.status === 200;
    }, { what: "room for another stream" });
    await first.next();
    const began = performance.now();
    await server[Symbol.asyncDispose]();
    assert.equal(await first.next(), undefined);
    assert.ok(performance.now() - began < 2000, "the stream ends immediately");
  },
});

/** Returns the body of a response, without its headers and chunk lengths. */
function bodyOf(
  connection: Deno.Conn,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const decoder = new TextDecoder("latin1");
  const encoder = new TextEncoder();
  let rest = "";
  let inHeaders = true;
  return new ReadableStream({
    async pull(controller) {
      for (let enqueued = false; !enqueued;) {
        const buffer = new Uint8Array(64 * 1024);
        const count = await connection.read(buffer);
        if (count === null) return controller.close();
        rest += decoder.decode(buffer.subarray(0, count));
        if (inHeaders) {
          const at = rest.indexOf("\r\n\r\n");
          if (at === -1) continue;
          rest = rest.slice(at + 4);
          inHeaders = false;
        }
        // Chunked (RFC 9112, 7.1): length, bytes, line end.
        for (;;) {
          const match = /^([0-9a-f]+)\r\n/i.exec(rest);
          if (match === null) break;
          const length = parseInt(match[1]!, 16);
          const from = match[0].length;
          if (rest.length < from + length + 2) break;
          controller.enqueue(encoder.encode(rest.slice(from, from + length)));
          rest = rest.slice(from + length + 2);
          enqueued = true;
        }
      }
    },
  });
}
