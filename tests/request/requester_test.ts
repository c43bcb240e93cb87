import assert from "node:assert/strict";
import {
  encodeErrorReply,
  ReplyWriter,
  Topics,
} from "../../src/protocol/mod.ts";
import {
  NoAnswerError,
  RefusedError,
  Requester,
} from "../../src/request/mod.ts";
import type { MapQuery, MapView } from "../../src/request/mod.ts";
import { LinkError } from "../../src/mqtt/link.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, incoming, settled } from "../support/fake_link.ts";

const NOW = 1_760_000_000_000;
const REQUEST = "occupancy/request";
const REPLY_TOPIC = "occupancy/response/me";

async function start(wire: "current" | "original" = "current") {
  const link = new FakeLink();
  const requester = new Requester({ topics: new Topics(), name: "me", wire });
  await link.open(requester.handlersFor(link));
  return {
    link,
    requester,
    request: (query: Partial<MapQuery> = {}): Promise<MapView> =>
      requester.request(link, { timeout: 5000, ...query }),
    /** The last request that was published. */
    sent: () => JSON.parse(link.textsOn(REQUEST).at(-1)!),
    receive: (
      payload: string | Uint8Array,
      topic = REPLY_TOPIC,
      rest: Parameters<typeof incoming>[2] = {},
    ) => link.handlers.message(incoming(topic, payload, rest)),
  };
}

/** Returns the parts of a reply with a number of cells. */
function reply(
  transaction: string,
  cells: number,
  rest: { layer?: string; revision?: number } = {},
): Uint8Array[] {
  const writer = new ReplyWriter({
    transaction,
    layer: "default",
    revision: 9,
    time: NOW,
    format: "json",
    maxBytes: 1024,
    ...rest,
  });
  for (let i = 0; i < cells; i++) writer.cell(i, -i, 1, NOW);
  return writer.finish();
}

Deno.test({
  name: "Requester.subscriptions are its reply topic and the server's state",
  permissions: "none",
  fn: async () => {
    const { requester: mine } = await start();
    assert.deepEqual(mine.subscriptions, [
      REPLY_TOPIC,
      "occupancy/server/state",
    ]);
    const { requester: original } = await start("original");
    assert.equal(original.subscriptions[0], "occupancy/response");
  },
});

Deno.test({
  name: "Requester.request() sends the query and its own reply topic",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { request, sent, receive, link } = await start();
    const answer = request({
      layer: "l2",
      region: { x0: -1, y0: -2, x1: 3, y1: 4 },
    });
    const { transaction, ...rest } = sent();
    assert.deepEqual(rest, {
      layer: "l2",
      region: [-1, -2, 3, 4],
      replyTo: REPLY_TOPIC,
    });
    const { options } = link.published.at(-1)!;
    assert.equal(options.qos, 1);
    assert.equal(options.responseTopic, REPLY_TOPIC);
    receive(reply(transaction, 1, { layer: "l2" })[0]!);
    const { cells, revision, time } = await answer;
    assert.deepEqual([cells.length, revision, time], [1, 9, NOW]);
    assert.equal(link.acknowledged.length, 1);
  },
});

Deno.test({
  name:
    "Requester.request() joins the parts in any order, also if one arrives twice",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { request, sent, receive } = await start();
    const answer = request();
    const parts = reply(sent().transaction, 300);
    assert.ok(parts.length > 3);
    receive(parts[1]!);
    for (const part of parts.toReversed()) receive(part);
    const { cells } = await answer;
    assert.deepEqual(
      [...cells.x.subarray(0, cells.length)],
      Array.from({ length: 300 }, (_, i) => i),
    );
  },
});

Deno.test({
  name:
    "Requester.request() ignores replies to other clients, and retained ones",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { request, sent, receive } = await start();
    const answer = request();
    const { transaction } = sent();
    receive(reply("another's", 1)[0]!);
    receive(reply(transaction, 2)[0]!, REPLY_TOPIC, { retain: true });
    receive(reply(transaction, 2)[0]!, "occupancy/response/other");
    receive(reply(transaction, 3)[0]!);
    assert.equal((await answer).cells.length, 3);
    receive(reply(transaction, 4)[0]!); // too late: ignored
  },
});

Deno.test({
  name:
    "Requester.request() throws RefusedError with the server's code and message",
  permissions: "none",
  fn: async () => {
    await assert.rejects(
      refused("bad-layer", "the layer name is empty"),
      (error) =>
        error instanceof RefusedError && error.code === "bad-layer" &&
        /the layer name is empty/.test(error.message),
    );
  },
});

Deno.test({
  name: "RefusedError has escapes in place of control characters of the reply",
  permissions: "none",
  fn: async () => {
    await assert.rejects(
      refused("\x1b[2Jbad", "\x1b]0;title\x07\u202e" + "x".repeat(9999)),
      (error) =>
        error instanceof RefusedError && error.code === "\\x1b[2Jbad" &&
        error.message.startsWith(
          "The server refused the request: \\x1b]0;title\\x07\\u{202e}xxx",
        ) && error.message.length < 600,
    );
  },
});

for (const wire of ["current", "original"] as const) {
  Deno.test({
    name:
      `Requester.request() on the ${wire} wire ignores what is no reply, and says so if none arrives`,
    permissions: "none",
    fn: async () => {
      using clock = new FakeClock();
      const { request, sent, receive } = await start(wire);
      const topic = wire === "original" ? "occupancy/response" : REPLY_TOPIC;
      const garbage = () => {
        receive(new Uint8Array([0xff, 0x00]), topic);
        receive("{(1, 2)}", topic);
        receive('{"status":"ok"}', topic);
        receive("#{}\nx,y", topic);
        receive(wire === "original" ? "{}" : "forged", topic, { retain: true });
        receive(`no\x1b[2J\u202e${"x".repeat(100_000)}`, topic);
      };
      const answered = request();
      garbage();
      if (wire === "original") receive("{(1, 2): 3}", topic);
      else receive(reply(sent().transaction, 1)[0]!);
      assert.equal((await answered).cells.length, 1);

      const failed = assert.rejects(
        request({ timeout: 5000 }),
        (error) => {
          assert.ok(error instanceof NoAnswerError);
          assert.equal(error.ignoredMessages, 6);
          assert.match(
            error.message,
            /^No server answered for "occupancy" within 5 s; ignored 6 messages on occupancy\/response\S*, the last: the .*no\\x1b\[2J/,
          );
          assert.ok(error.message.length < 400, error.message);
          assert.match(error.hint!, /Another program publishes/);
          return true;
        },
      );
      garbage();
      clock.tick(4999);
      clock.tick(1);
      await failed;
      assert.equal(clock.pending, 0);
    },
  });
}

Deno.test({
  name:
    "Requester.request() does not mix the parts of two replies: the first complete one is the answer",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { request, sent, receive } = await start();
    const answer = request({ timeout: 1000 });
    const { transaction } = sent();
    const forged = reply(transaction, 300, { revision: 1 });
    const real = reply(transaction, 300, { revision: 9 });
    receive(forged[0]!);
    for (const part of real.slice(0, -1)) receive(part);
    receive(forged[1]!);
    receive(reply(transaction, 1, { layer: "l2" })[0]!);
    receive(real.at(-1)!);
    const { cells, revision } = await answer;
    assert.deepEqual([cells.length, revision], [300, 9]);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name:
    "Requester.request() keeps four replies at most, and no part extends its deadline twice",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { request, sent, receive } = await start();
    const failed = assert.rejects(
      request({ timeout: 1000 }),
      (error) => {
        assert.ok(error instanceof NoAnswerError);
        assert.match(error.message, /ignored 96 messages .* too many replies$/);
        return true;
      },
    );
    const { transaction } = sent();
    for (let revision = 1; revision <= 100; revision++) {
      receive(reply(transaction, 300, { revision })[0]!);
    }
    clock.tick(999);
    receive(reply(transaction, 300, { revision: 1 })[0]!);
    clock.tick(1);
    await failed;
  },
});

Deno.test({
  name: "Requester.request() has a transaction that cannot be guessed",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { request, sent } = await start();
    const transactions = [];
    for (let i = 0; i < 2; i++) {
      const failed = assert.rejects(request({ timeout: 1 }), NoAnswerError);
      transactions.push(sent().transaction);
      clock.tick(1);
      await failed;
    }
    for (const transaction of transactions) {
      assert.match(transaction, /^[\da-f]{8}-[\da-f]{4}-4[\da-f-]+$/);
    }
    assert.notEqual(transactions[0], transactions[1]);
  },
});

Deno.test({
  name: "Requester.request() applies the timeout to each part",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { request, sent, receive } = await start();
    const answer = request({ timeout: 1000 });
    const parts = reply(sent().transaction, 300);
    for (const part of parts.slice(0, -1)) {
      clock.tick(999);
      receive(part);
    }
    clock.tick(1000);
    await assert.rejects(answer, NoAnswerError);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name:
    "Requester.request() describes the state of a server that does not reply",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const cases: [state: string | undefined, expected: RegExp][] = [
      [undefined, /^No server answered for "occupancy" within 0\.5 s$/],
      ['{"state":"offline"}', /is offline/],
      ['{"state":"online"}', /^The server did not answer within 0\.5 s$/],
      ["nonsense", /^No server answered/],
    ];
    for (const [state, expected] of cases) {
      const { request, receive } = await start();
      if (state !== undefined) {
        receive(state, "occupancy/server/state", { retain: true });
      }
      const answer = assert.rejects(
        request({ timeout: 500 }),
        (error) =>
          error instanceof NoAnswerError && expected.test(error.message) &&
          error.hint !== undefined,
      );
      clock.tick(500);
      await answer;
    }
  },
});

Deno.test({
  name: "Requester.request() rejects when the link fails or cannot publish",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const lost = await start();
    const answer = lost.request();
    lost.link.handlers.failed!(new LinkError("closed", "taken over"));
    await assert.rejects(answer, /taken over/);

    const link = new FakeLink({ manual: true });
    const refused = new Requester({ topics: new Topics(), name: "me" });
    await link.open(refused.handlersFor(link));
    const second = refused.request(link, { timeout: 1000 });
    link.published[0]!.settle(new LinkError("refused", "not allowed"));
    await assert.rejects(second, /not allowed/);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name:
    "Requester.request() on the original wire sends `get data` and reads a dict",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { request, receive, link } = await start("original");
    const answer = request();
    assert.deepEqual(link.textsOn(REQUEST), ["get data"]);
    assert.equal(link.published[0]!.options.responseTopic, undefined);
    receive("{(1, 2): 1, (-3, 4): 0}", "occupancy/response");
    await settled();
    const { cells, revision, time, layer } = await answer;
    assert.equal(layer, "default");
    assert.deepEqual([revision, time], [undefined, undefined]);
    assert.deepEqual([...cells.x.subarray(0, 2)], [1, -3]);
    assert.ok(Number.isNaN(cells.time[0]));
  },
});

Deno.test({
  name:
    "Requester.request() on the original wire returns only cells of the region",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { request, receive } = await start("original");
    const answer = request({ region: { x0: 0, y0: 0, x1: 4, y1: 4 } });
    receive("{(1, 2): 1, (5, 4): 0, (4, 4): 1}", "occupancy/response");
    const { cells } = await answer;
    assert.deepEqual([...cells.x.subarray(0, cells.length)], [1, 4]);
  },
});

/** Sends a request that the server refuses. */
async function refused(code: string, message: string): Promise<unknown> {
  using _ = new FakeClock();
  const { request, sent, receive } = await start();
  const answer = request();
  const { transaction } = sent();
  receive(encodeErrorReply({ transaction, code, message }));
  return await answer;
}
