/** Requests for zones over a fake link. */
import assert from "node:assert/strict";
import {
  encodeErrorReply,
  ReplyWriter,
  Topics,
  ZonesReplyWriter,
} from "../../src/protocol/mod.ts";
import {
  NoAnswerError,
  RefusedError,
  Requester,
  type ZonesQuery,
} from "../../src/request/mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { readZoneState } from "../../src/zones/mod.ts";
import { stateOf } from "../support/zone_states.ts";

const NOW = 1_760_000_000_000;

async function start() {
  const link = new FakeLink();
  const requester = new Requester({ topics: new Topics(), name: "me" });
  await link.open(requester.handlersFor(link));
  return {
    request: (query: Partial<ZonesQuery> = {}) =>
      requester.requestZones(link, { timeout: 5000, ...query }),
    /** The last request that was published. */
    sent: () => JSON.parse(link.textsOn("occupancy/request").at(-1)!),
    receive: (payload: string | Uint8Array) =>
      link.handlers.message(incoming("occupancy/response/me", payload)),
  };
}

/** Returns the parts of a reply with zones, which are not checked. */
function reply(
  transaction: string,
  zones: readonly unknown[],
  revision = 9,
): Uint8Array[] {
  const header = { transaction, revision, time: NOW, maxBytes: 1024 };
  const writer = new ZonesReplyWriter(header);
  for (const zone of zones) writer.zone(JSON.stringify(zone));
  return writer.finish();
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

test("Requester.requestZones() joins the parts of the states", async () => {
  using _ = new FakeClock();
  const { request, sent, receive } = await start();
  const states = Array.from({ length: 20 }, (_, i) =>
    stateOf(`z${i}`, {
      ...(i % 2 === 0 && { occupied: null, percent: null }),
      capacity: i % 3 === 0 ? undefined : i,
    }));
  const answer = request();
  const { transaction, replyTo, ...rest } = sent();
  assert.deepEqual(rest, { zones: true });
  assert.equal(replyTo, "occupancy/response/me");
  const parts = reply(transaction, states);
  assert.ok(parts.length > 4);
  for (const part of [...parts.toReversed(), parts[0]!]) receive(part);
  assert.deepEqual(await answer, { revision: 9, time: NOW, zones: states });
  const named = request({ names: ["a", "b"], maxBytes: 2000 });
  assert.deepEqual([sent().zones, sent().maxBytes], [["a", "b"], 2000]);
  receive(reply(sent().transaction, [])[0]!);
  assert.deepEqual((await named).zones, []);
});

test("Requester.requestZones() ignores replies that are not valid", async () => {
  using clock = new FakeClock();
  const { request, sent, receive } = await start();
  const answer = request();
  const { transaction } = sent();
  const broken: [Record<string, unknown>, RegExp][] = [
    [{ zone: "a/b" }, /zone name "a\/b" has a slash/],
    [{ zone: 1 }, /zone of the state of a zone is not a string/],
    [{ title: null }, /title/],
    [{ layer: "" }, /layer/],
    [{ occupied: 1 }, /occupied/],
    [{ percent: "5" }, /percent/],
    [{ certain: 0 }, /certain/],
    [{ capacity: 0 }, /capacity/],
    [{ count: -1 }, /count/],
    [{ since: 1.5 }, /since/],
    [{ revision: undefined }, /revision/],
  ];
  broken.slice(0, 3).forEach(([rest], i) => {
    receive(reply(transaction, [{ ...stateOf("a"), ...rest }], i)[0]!);
  });
  receive(reply("other", [])[0]!);
  clock.tick(5000);
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof NoAnswerError);
    assert.equal(error.ignoredMessages, 4);
    return true;
  });
  for (const [rest, message] of broken) {
    assert.throws(() => readZoneState({ ...stateOf("a"), ...rest }), message);
  }
});

test("Requester.requestZones() rejects with the error of the server", async () => {
  using _ = new FakeClock();
  const { request, sent, receive } = await start();
  const unknown = request({ names: ["a"] });
  const error = { code: "no-zone", message: 'there is no zone "a"' };
  receive(encodeErrorReply({ transaction: sent().transaction, ...error }));
  await assert.rejects(unknown, (error) => {
    assert.ok(error instanceof RefusedError);
    assert.equal(error.code, "no-zone");
    return true;
  });
  const old = request();
  const writer = new ReplyWriter({
    ...{ transaction: sent().transaction, layer: "default", revision: 1 },
    ...{ time: NOW, format: "json", maxBytes: 1024 },
  });
  receive(writer.finish()[0]!);
  await assert.rejects(old, /The server does not know zones/);
});
