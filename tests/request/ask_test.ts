import assert from "node:assert/strict";
import {
  encodeErrorReply,
  ProtocolError,
  ReplyWriter,
  Topics,
} from "../../src/protocol/mod.ts";
import { Asker, NoAnswerError, RefusedError } from "../../src/request/mod.ts";
import type { MapView, Question } from "../../src/request/mod.ts";
import { LinkError } from "../../src/mqtt/link.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, incoming, settled } from "../support/fake_link.ts";

const NOW = 1_760_000_000_000;
const REQUEST = "occupancy/request";
const MINE = "occupancy/response/me";

async function asker(wire: "current" | "original" = "current") {
  const link = new FakeLink();
  const asker = new Asker({ topics: new Topics(), name: "me", wire });
  await link.open(asker.handlersFor(link));
  return {
    link,
    asker,
    ask: (question: Partial<Question> = {}): Promise<MapView> =>
      asker.ask(link, { timeout: 5000, ...question }),
    /** The request that was published last. */
    asked: () => JSON.parse(link.textsOn(REQUEST).at(-1)!),
    hears: (
      payload: string | Uint8Array,
      topic = MINE,
      rest: Parameters<typeof incoming>[2] = {},
    ) => link.handlers.message(incoming(topic, payload, rest)),
  };
}

/** The parts of a reply with so many cells. */
function reply(transaction: string, cells: number): Uint8Array[] {
  const writer = new ReplyWriter({
    transaction,
    layer: "default",
    revision: 9,
    time: NOW,
    format: "json",
    maxBytes: 1024,
  });
  for (let i = 0; i < cells; i++) writer.cell(i, -i, 1, NOW);
  return writer.finish();
}

Deno.test({
  name: "Asker.subscriptions are the topic of its own and the server's state",
  permissions: "none",
  fn: async () => {
    const { asker: mine } = await asker();
    assert.deepEqual(mine.subscriptions, [MINE, "occupancy/server/state"]);
    const { asker: original } = await asker("original");
    assert.equal(original.subscriptions[0], "occupancy/response");
  },
});

Deno.test({
  name: "Asker.ask() asks for what is wanted, on its own reply topic",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { ask, asked, hears, link } = await asker();
    const answer = ask({
      layer: "l2",
      region: { x0: -1, y0: -2, x1: 3, y1: 4 },
    });
    const { transaction, ...rest } = asked();
    assert.deepEqual(rest, {
      layer: "l2",
      region: [-1, -2, 3, 4],
      replyTo: MINE,
    });
    const { options } = link.published.at(-1)!;
    assert.equal(options.qos, 1);
    assert.equal(options.responseTopic, MINE);
    hears(reply(transaction, 1)[0]!);
    const { cells, revision, time } = await answer;
    assert.deepEqual([cells.length, revision, time], [1, 9, NOW]);
    assert.equal(link.acknowledged.length, 1);
  },
});

Deno.test({
  name:
    "Asker.ask() puts the parts together, in any order, even if one comes twice",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { ask, asked, hears } = await asker();
    const answer = ask();
    const parts = reply(asked().transaction, 300);
    assert.ok(parts.length > 3);
    hears(parts[1]!);
    for (const part of parts.toReversed()) hears(part);
    const { cells } = await answer;
    assert.deepEqual(
      [...cells.x.subarray(0, cells.length)],
      Array.from({ length: 300 }, (_, i) => i),
    );
  },
});

Deno.test({
  name: "Asker.ask() passes over answers to others, and retained ones",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { ask, asked, hears } = await asker();
    const answer = ask();
    const { transaction } = asked();
    hears(reply("somebody else's", 1)[0]!);
    hears(reply(transaction, 2)[0]!, MINE, { retain: true });
    hears(reply(transaction, 2)[0]!, "occupancy/response/other");
    hears(reply(transaction, 3)[0]!);
    assert.equal((await answer).cells.length, 3);
    hears(reply(transaction, 4)[0]!); // too late: nobody asks
  },
});

Deno.test({
  name: "Asker.ask() throws RefusedError with the server's reason",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { ask, asked, hears } = await asker();
    const answer = ask();
    hears(encodeErrorReply({
      transaction: asked().transaction,
      code: "bad-layer",
      message: "the layer name is empty",
    }));
    await assert.rejects(
      answer,
      (error) =>
        error instanceof RefusedError && error.code === "bad-layer" &&
        /the layer name is empty/.test(error.message),
    );
  },
});

Deno.test({
  name: "Asker.ask() throws ProtocolError if the answer is none",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const current = await asker();
    const answer = current.ask();
    current.hears("nonsense");
    await assert.rejects(answer, ProtocolError);
    const original = await asker("original");
    const dict = original.ask();
    original.hears("{(1, 2)}", "occupancy/response");
    await assert.rejects(dict, ProtocolError);
  },
});

Deno.test({
  name:
    "Asker.ask() waits as long as parts come, and no longer than the timeout for the next",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { ask, asked, hears } = await asker();
    const answer = ask({ timeout: 1000 });
    const parts = reply(asked().transaction, 300);
    for (const part of parts.slice(0, -1)) {
      clock.tick(999);
      hears(part);
    }
    clock.tick(1000);
    await assert.rejects(answer, NoAnswerError);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name: "Asker.ask() says what is known of a server that is silent",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const cases: [state: string | undefined, says: RegExp][] = [
      [undefined, /^No server answered for "occupancy" within 0\.5 s$/],
      ['{"state":"offline"}', /is offline/],
      ['{"state":"online"}', /^The server did not answer within 0\.5 s$/],
      ["nonsense", /^No server answered/],
    ];
    for (const [state, says] of cases) {
      const { ask, hears } = await asker();
      if (state !== undefined) {
        hears(state, "occupancy/server/state", { retain: true });
      }
      const answer = assert.rejects(
        ask({ timeout: 500 }),
        (error) =>
          error instanceof NoAnswerError && says.test(error.message) &&
          error.hint !== undefined,
      );
      clock.tick(500);
      await answer;
    }
  },
});

Deno.test({
  name: "Asker.ask() ends when the link fails or will not publish",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const lost = await asker();
    const answer = lost.ask();
    lost.link.handlers.failed!(new LinkError("closed", "taken over"));
    await assert.rejects(answer, /taken over/);

    const link = new FakeLink({ manual: true });
    const refused = new Asker({ topics: new Topics(), name: "me" });
    await link.open(refused.handlersFor(link));
    const second = refused.ask(link, { timeout: 1000 });
    link.published[0]!.settle(new LinkError("refused", "not allowed"));
    await assert.rejects(second, /not allowed/);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name: "Asker.ask() on the original wire sends its word and reads its dict",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { ask, hears, link } = await asker("original");
    const answer = ask();
    assert.deepEqual(link.textsOn(REQUEST), ["get data"]);
    assert.equal(link.published[0]!.options.responseTopic, undefined);
    hears("{(1, 2): 1, (-3, 4): 0}", "occupancy/response");
    await settled();
    const { cells, revision, time, layer } = await answer;
    assert.equal(layer, "default");
    assert.deepEqual([revision, time], [undefined, undefined]);
    assert.deepEqual([...cells.x.subarray(0, 2)], [1, -3]);
    assert.ok(Number.isNaN(cells.time[0]));
  },
});

Deno.test({
  name: "Asker.ask() on the original wire returns the cells of the region only",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { ask, hears } = await asker("original");
    const answer = ask({ region: { x0: 0, y0: 0, x1: 4, y1: 4 } });
    hears("{(1, 2): 1, (5, 4): 0, (4, 4): 1}", "occupancy/response");
    const { cells } = await answer;
    assert.deepEqual([...cells.x.subarray(0, cells.length)], [1, 4]);
  },
});
