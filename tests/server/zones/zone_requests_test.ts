/** Requests for the states of zones. */
import assert from "node:assert/strict";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import {
  parseAnyReply,
  parseRequest,
  type ProtocolError,
  ZonesAssembler,
  type ZonesPart,
} from "../../../src/protocol/mod.ts";
import {
  readZoneState,
  type ZoneService,
  type ZoneState,
} from "../../../src/zones/mod.ts";
import { FakeLink, incoming } from "../../support/fake_link.ts";
import { FakeStore } from "../../support/fake_store.ts";
import { until } from "../../support/until.ts";
import { createReplies, fakeContext } from "../support.ts";
import { NOW, squares, startZones, type ZoneSystem } from "./support.ts";

const REPLY = "occupancy/response";

/** Sends a request over a link. */
function request(
  { handlers }: FakeLink,
  fields: Record<string, unknown>,
  rest: Parameters<typeof incoming>[2] = {},
): void {
  const body = JSON.stringify(fields);
  handlers.message(incoming("occupancy/request", body, rest));
}

/** Waits for the messages on a reply topic. */
async function replies(link: FakeLink, count: number, topic = REPLY) {
  await until(() => link.textsOn(topic).length >= count, {
    what: () => `${count} on ${topic}: ${link.textsOn(topic).join("\n")}`,
  });
  return link.textsOn(topic).map((text) => JSON.parse(text));
}

async function startWith(
  ...all: Parameters<typeof squares>
): Promise<ZoneSystem> {
  const system = await startZones();
  const zones = await squares(...all);
  await system.server.zones.edit({ kind: "replace", zones });
  return system;
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

test("a request for zones is answered after the readings before it", async () => {
  await using system = await startWith(
    ["lobby", [0, 0, 4], { capacity: 4 }],
    ["cafe", [4, 0, 4]],
  );
  const { link, server } = system;
  for (let value = 1; value <= 20; value++) {
    link.handlers.message(incoming("occupancy/data", `1,1,${value}`));
    request(link, { zones: ["lobby"], transaction: value });
  }
  const all = await replies(link, 20);
  assert.deepEqual(
    all.map((
      { transaction, zones },
    ) => [transaction, zones[0].count >= transaction]),
    Array.from({ length: 20 }, (_, i) => [i + 1, true]),
  );
  const last = all.at(-1)!;
  assert.deepEqual(Object.keys(last), [
    ...["transaction", "status", "revision", "time", "part", "parts", "zones"],
  ]);
  assert.deepEqual(last.zones, [{
    ...{ zone: "lobby", title: "lobby", layer: "default", occupied: true },
    ...{ count: 20, certain: true, capacity: 4, percent: 500, cells: 1 },
    ...{ occupiedCells: 1, staleCells: 0, unknownCells: 0, since: NOW },
    ...{ time: NOW, revision: last.revision },
  }]);
  assert.deepEqual(
    readZoneState(last.zones[0]),
    server.zones.state("lobby"),
  );
  assert.equal(last.time, NOW);
  assert.equal(server.stats.requests, 20);
});

test("a request for zones gets all of them, or those it names in its order", async () => {
  await using system = await startWith(
    ["c", [0, 0, 1]],
    ["a", [1, 0, 1]],
    ["b", [2, 0, 1]],
  );
  const { link } = system;
  request(link, { zones: true });
  request(link, { zones: ["b", "c", "b"] });
  request(link, { zones: [] });
  const names = (await replies(link, 3))
    .map(({ zones }) => zones.map(({ zone }: ZoneState) => zone).join());
  assert.deepEqual(names, ["c,a,b", "b,c", ""]);
});

test("a request for an unknown zone, or an invalid one, gets an error reply", async () => {
  await using system = await startWith(["lobby", [0, 0, 1]]);
  const { link } = system;
  request(link, { zones: ["lobby", "lob\u001bby"], transaction: 1 });
  request(link, { zones: ["lobby", "loby"], transaction: 2 }, {
    correlationData: Uint8Array.of(7),
    responseTopic: `${REPLY}/me`,
  });
  request(link, { zones: "lobby", transaction: 3 });
  request(link, { zones: true, transaction: 4 });
  const errors = await replies(link, 3);
  assert.deepEqual(
    errors.map(({ transaction, error }) => [transaction, error?.code]),
    [[1, "bad-zone"], [3, "bad-zones"], [4, undefined]],
  );
  const [unknown] = await replies(link, 1, `${REPLY}/me`);
  assert.deepEqual(unknown.error, {
    code: "no-zone",
    message: 'there is no zone "loby"',
  });
  const sent = link.published.find(({ topic }) => topic === `${REPLY}/me`)!;
  assert.deepEqual(sent.options.correlationData, Uint8Array.of(7));
  assert.equal(sent.options.contentType, "application/json");
});

test("a request for zones gets the error store-failing while the store fails", async () => {
  const store = new FakeStore();
  const system = await startZones({ store });
  await using _ = system;
  const { link } = system;
  store.failing = true;
  link.handlers.message(incoming("occupancy/data", "1,1,1"));
  await until(() => system.server.storeProblem !== undefined);
  request(link, { zones: true });
  const [{ error }] = await replies(link, 1);
  assert.equal(error.code, "store-failing");
  store.failing = false;
});

/** Replies of 10,000 zones, the states of which a test changes. */
function many({ manual = false, count = 10_000 } = {}) {
  const link = new FakeLink({ manual });
  const context = fakeContext({ link });
  let states: ZoneState[] = [];
  const set = (value: number) => {
    states = Array.from({ length: count }, (_, i) => ({
      ...{ zone: `zone-${i}`, title: `Room ${i} on the first floor` },
      ...{ layer: "default", occupied: true, count: value, certain: false },
      ...{ capacity: 20, percent: 20, cells: 40, occupiedCells: 3 },
      ...{ staleCells: 1, unknownCells: 3, since: NOW, time: NOW },
      revision: 812,
    }));
  };
  set(0);
  let updates: PromiseWithResolvers<void>[] = [];
  let reads = 0;
  const zones = {
    definitions: { size: count } as ZoneService["definitions"],
    state: (name: string) => states.find(({ zone }) => zone === name),
    states: () => {
      reads++;
      return states;
    },
    updated: () => {
      const update = Promise.withResolvers<void>();
      updates.push(update);
      return update.promise;
    },
  };
  const errors: string[] = [];
  const onError = ({ code }: ProtocolError) => void errors.push(code);
  const all = createReplies(context, { zones, onError });
  return {
    ...{ link, set, errors, replies: all },
    add: (topic: string, fields: Record<string, unknown> = {}) => {
      const replyTo = `${REPLY}/${topic}`;
      const body = JSON.stringify({ zones: true, ...fields, replyTo });
      const { payload } = incoming("", body);
      return all.add(
        parseRequest(payload, { topics: context.topics }),
        () => {},
      );
    },
    /** Waits for updates to begin: a turn of a busy machine begins few. */
    begun: (count: number) =>
      until(() => updates.length === count, {
        what: () => `${updates.length} of ${count} updates`,
      }),
    reads: () => reads,
    release: () => {
      for (const { resolve } of updates) resolve();
      updates = [];
    },
    read: (topic: string) => {
      const assembler = new ZonesAssembler();
      for (const message of link.published) {
        if (message.topic !== `${REPLY}/${topic}`) continue;
        assembler.add(parseAnyReply(message.payload) as ZonesPart);
      }
      return assembler;
    },
    [Symbol.asyncDispose]: async () => {
      all.stop();
      await untilNextTurn();
    },
  };
}

/** More changes than there are turns on an idle machine. */
const MAX_CHANGES = 200;

test("10,000 zones are sent in parts, all of one moment, in several turns", async () => {
  await using system = many();
  const { add, begun, release, replies, read, set, link } = system;
  add("small", { maxBytes: 4096 });
  add("large", { maxBytes: 100_000_000 });
  await begun(2);
  release();
  let isDrained = false;
  const drained = replies.drained().then(() => isDrained = true);
  let turns = 0;
  for (; !isDrained; turns++) {
    await untilNextTurn();
    // While the replies are written; on a busy machine a turn writes little, and
    // they would begin again for ever.
    if (turns < MAX_CHANGES) set(turns);
  }
  await drained;
  assert.ok(turns > 2, `${turns} turns`);
  for (const topic of ["small", "large"]) {
    const reply = read(topic);
    assert.ok(reply.complete);
    const counts = reply.zones().map((zone) => readZoneState(zone).count);
    assert.equal(counts.length, 10_000);
    assert.equal(new Set(counts).size, 1, topic);
  }
  const sizes = link.published.map(({ payload }) => payload.length);
  assert.ok(read("small").received > 500);
  assert.equal(read("large").received, 1);
  assert.ok(
    sizes.every((size, i) =>
      size <= 4096 || link.published[i]!.topic.endsWith("/large")
    ),
  );
});

test("requests that arrive before an update share what is written", async () => {
  await using system = many({ count: 2000 });
  const { add, begun, release, replies, read, reads } = system;
  const topics = Array.from({ length: 40 }, (_, i) => `c${10 + i}`);
  for (const topic of topics) add(topic, { transaction: topic });
  await begun(40);
  release();
  await replies.drained();
  assert.ok(reads() < 30, `${reads()} reads`);
  for (const topic of topics) {
    assert.equal(read(topic).zones().length, 2000);
    assert.equal(read(topic).header?.transaction, topic);
  }
});

test("an error of a reply that several requests share is sent to each of them", async () => {
  await using system = many({ count: 2000 });
  const { add, begun, release, replies, link, errors } = system;
  add("large", { maxBytes: 1024 }); // the others wait meanwhile
  const names = Array.from({ length: 2000 }, (_, i) => `zone-${i}`);
  const zones = [...names, "none"];
  const topics = ["a", "b", "c"];
  for (const topic of topics) add(topic, { zones, transaction: topic });
  await begun(4);
  release();
  await replies.drained();
  assert.deepEqual(
    link.published.filter(({ topic }) => !topic.endsWith("/large"))
      .map(({ topic, payload }) => {
        const { transaction, error } = JSON.parse(
          new TextDecoder().decode(payload),
        );
        return [topic, transaction, error.code];
      }).sort(),
    topics.map((topic) => [`${REPLY}/${topic}`, topic, "no-zone"]),
  );
  assert.equal(errors.length, 3);
});

test("an identical request after an update has begun gets a later one", async () => {
  await using system = many({ count: 10 });
  const { add, begun, release, replies, link, set } = system;
  add("a", { transaction: 1 });
  await begun(1);
  add("a", { transaction: 1 }); // after further readings
  release();
  await begun(1);
  set(5);
  release();
  await replies.drained();
  const counts = link.published.map(({ payload }) =>
    (parseAnyReply(payload) as ZonesPart).zones.map((zone) =>
      readZoneState(zone).count
    )[0]
  );
  assert.deepEqual(counts, [0, 5]);
});

test("a reply is not of an update that began before its request", async () => {
  await using system = many({ count: 2000 });
  const { add, begun, release, replies, read, set } = system;
  add("a", { zones: true });
  await begun(1);
  release();
  add("b", { zones: true, transaction: 2 });
  await until(() => read("a").complete);
  await begun(1);
  set(7);
  release();
  await replies.drained();
  const [zone] = read("b").zones();
  assert.equal(readZoneState(zone).count, 7);
});

test("a broker that accepts small packets gets smaller parts, or an error", async () => {
  await using system = many({ count: 100 });
  const { add, begun, release, replies, link, read, errors } = system;
  link.maxPayload = () => 1500;
  add("a");
  await begun(1);
  release();
  await replies.drained();
  assert.equal(read("a").zones().length, 100);
  assert.ok(link.published.every(({ payload }) => payload.length <= 1500));
  link.maxPayload = () => 1000;
  add("b");
  release();
  await replies.drained();
  assert.deepEqual(errors, ["too-large"]);
});
