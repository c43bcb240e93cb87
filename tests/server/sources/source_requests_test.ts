/** Requests for sources, over a fake link. */
import assert from "node:assert/strict";
import {
  parseAnyReply,
  SourcesAssembler,
  type SourcesPart,
} from "../../../src/protocol/mod.ts";
import { Requester, requestSources } from "../../../src/request/mod.ts";
import { Server } from "../../../src/server/mod.ts";
import { FakeLink, incoming } from "../../support/fake_link.ts";
import { until } from "../../support/until.ts";
import { fakeOptions } from "../support.ts";

const REPLY = "occupancy/response";

async function start() {
  const options = fakeOptions();
  const server = new Server(options);
  await server.start();
  const { link } = options;
  const receive = (topic: string, body: unknown) =>
    link.handlers.message(incoming(topic, JSON.stringify(body)));
  return {
    server,
    link,
    report: (body: unknown) => receive("occupancy/data", body),
    request: (body: unknown) => receive("occupancy/request", body),
    replies: async (count: number) => {
      await until(() => link.textsOn(REPLY).length >= count);
      return link.textsOn(REPLY).map((text) => JSON.parse(text));
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

test("a request for sources is answered after the readings before it", async () => {
  await using system = await start();
  for (let i = 1; i <= 20; i++) {
    system.report({ source: "a", cells: [[i, 1, 1]] });
    system.request({ sources: true, transaction: i });
  }
  for (const { transaction, sources } of await system.replies(20)) {
    assert.ok(sources[0].readings >= transaction);
  }
});

test("a reply with 10,000 sources has several parts of one moment", async () => {
  await using system = await start();
  system.report(Array.from({ length: 10_000 }, (_, i) => ({
    ...{ x: i, y: 0, value: 1, source: `sensor ${i} ${"\u0001".repeat(10)}` },
  })));
  system.request({ sources: true, maxBytes: 20_000 });
  system.request({ sources: { limit: 3, contains: "9999" } });
  const first = (await system.replies(1))[0];
  assert.ok(first.parts > 50);
  await system.replies(first.parts + 1);
  const all = new SourcesAssembler();
  const payloads = system.link.published.filter(({ topic }) => topic === REPLY)
    .map(({ payload }) => payload);
  for (const payload of payloads) {
    assert.ok(payload.length <= 20_000);
    const part = parseAnyReply(payload) as SourcesPart;
    if (part.parts > 1) all.add(part);
  }
  assert.equal(
    new Set(all.list().sources.map(({ source }) => source)).size,
    10_000,
  );
  const found = JSON.parse(system.link.textsOn(REPLY).at(-1)!);
  assert.deepEqual([found.sources.length, found.total], [1, 10_000]);
});

test("a request for sources that cannot be answered gets an error reply", async () => {
  await using system = await start();
  system.report({ source: "\u0001".repeat(200), cells: [[1, 1, 1]] });
  system.request({ sources: { limit: -1 }, transaction: 1 });
  system.request({ sources: true, maxBytes: 1024, transaction: 2 });
  system.request({ sources: true, transaction: 3 });
  const replies = await system.replies(3);
  assert.deepEqual(
    replies.map(({ transaction, error }) => [transaction, error?.code]),
    [[1, "bad-sources"], [2, "too-large"], [3, undefined]],
  );
});

test("requestSources() says that a server of an older version has no list", async () => {
  const link = new FakeLink();
  const { topics } = fakeOptions();
  const requester = new Requester({ topics, name: "me" });
  await link.open(requester.handlersFor(link));
  const answer = requestSources(requester, link, { timeout: 5000 });
  const { transaction, sources } = JSON.parse(
    link.textsOn("occupancy/request")[0]!,
  );
  assert.deepEqual(sources, {});
  link.handlers.message(incoming(
    `${REPLY}/me`,
    JSON.stringify({
      ...{ transaction, status: "ok", layer: "default", revision: 1 },
      ...{ time: 1, part: 1, parts: 1, cells: [] },
    }),
  ));
  await assert.rejects(answer, /The server does not list sources/);
});
