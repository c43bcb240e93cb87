/** A server over a fake link and a fake store: its steps and their order. */
import assert from "node:assert/strict";
import type { Incoming } from "../../src/mqtt/link.ts";
import { Server } from "../../src/server/mod.ts";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { ServerOptions } from "../../src/server/context.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { until } from "../support/until.ts";
import { fakeOptions, NOW } from "./support.ts";

const DATA = "occupancy/data";
const REQUEST = "occupancy/request";
const RESPONSE = "occupancy/response";
const STATE = "occupancy/server/state";
const MARKERS = "occupancy/server/barrier/me";

/** A link that records acknowledgements and published messages as steps. */
class RecordingLink extends FakeLink {
  constructor(readonly steps: string[]) {
    super();
  }

  override acknowledge(messages: readonly Incoming[]): void {
    super.acknowledge(messages);
    if (messages.length > 0) this.steps.push(`acknowledge ${messages.length}`);
  }

  override publish(...args: Parameters<FakeLink["publish"]>): Promise<void> {
    this.steps.push(`publish ${args[0]}`);
    return super.publish(...args);
  }
}

async function start(
  options: Partial<
    Pick<ServerOptions, "map" | "clock" | "maxLayers" | "cellLimits">
  > = {},
) {
  const steps: string[] = [];
  const log: string[] = [];
  const link = new RecordingLink(steps);
  const fakes = { ...fakeOptions(log), link, ...options };
  const { store, map } = fakes;
  store.onCommit = (readings) => {
    if (readings > 0) steps.push(`commit ${readings}`);
  };
  const server = new Server(fakes);
  await server.start();
  steps.length = 0;
  return {
    steps,
    log,
    link,
    store,
    map,
    server,
    receive: (...args: Parameters<typeof incoming>) =>
      link.handlers.message(incoming(...args)),
    /** Waits for `count` messages on a topic and returns all, parsed. */
    replies: async (count: number, topic = RESPONSE) => {
      await until(() => link.textsOn(topic).length >= count, {
        what: `${count} on ${topic}`,
      });
      return link.textsOn(topic).map((text) => JSON.parse(text));
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

Deno.test({
  name:
    "Server commits a group once, then acknowledges it, then answers requests",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    system.receive(DATA, "1,2,1");
    system.receive(DATA, "nonsense");
    system.receive(REQUEST, "{}");
    system.receive(`${DATA}/l2`, "3,4,1\n5,6,0");
    assert.deepEqual(system.steps, [], "no step before the group is complete");
    const [reply] = await system.replies(1);
    assert.deepEqual(
      system.steps.filter((step) => !/errors|changes/.test(step)),
      [
        "commit 3",
        "acknowledge 4",
        `publish ${RESPONSE}`,
      ],
    );
    assert.deepEqual(reply.cells, [[1, 2, 1, NOW]]);
    assert.equal(system.map.layer("l2")?.size, 2);
    const { messages, accepted, changed, requests, refused } =
      system.server.stats;
    assert.deepEqual(
      [messages, accepted, changed, requests, refused.get("bad-fields")],
      [3, 3, 3, 1, 1],
    );
  },
});

Deno.test({
  name: "Server acknowledges only readings that the store has committed",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    system.store.failing = true;
    system.receive(DATA, "1,2,1");
    await until(() => system.log.some((line) => /The disk is full/.test(line)));
    system.receive(DATA, "3,4,1");
    system.receive(REQUEST, "{}");
    const [reply] = await system.replies(1);
    assert.equal(reply.error.code, "store-failing");
    assert.equal(system.link.acknowledged.length, 0);
    assert.equal(system.map.size, 0);
    system.store.failing = false;
    await until(() => system.link.acknowledged.length === 3);
    assert.equal(system.map.size, 2);
    const commits = system.steps.filter((step) => /commit|ack/.test(step));
    assert.deepEqual(commits, [
      "commit 1",
      "acknowledge 1",
      "commit 1",
      "acknowledge 2",
    ]);
  },
});

Deno.test({
  name: "Server stops cleanly while its store fails",
  permissions: "none",
  fn: async () => {
    const system = await start();
    system.store.failing = true;
    system.receive(DATA, "1,2,1");
    await until(() => system.log.some((line) => /The disk is full/.test(line)));
    await system.server.stop();
    assert.equal(system.link.acknowledged.length, 0);
    assert.ok(system.link.closed);
  },
});

Deno.test({
  name: "Server parses readings by their MQTT 5 Content Type",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const cases: [contentType: string, payload: string][] = [
      ["text/csv", '{"x":1,"y":1,"value":1}'], // bad-fields or bad-x
      ["application/json", "1,1,1"], // bad-json
      ["application/json", "5"], // bad-form
      ["image/png", "1,1,1"], // unknown: the first byte decides
      ["text/csv; charset=utf-8", "2,2,1"],
      ["Application/JSON", '{"x":3,"y":3,"value":1}'],
      ["", "4,4,1"],
      [
        "application/x-ndjson",
        '{"x":5,"y":5,"value":1}\n{"x":6,"y":6,"value":1}',
      ],
      ["text/tab-separated-values", "7\t7\t1\n"],
      ["multipart/form-data", "8,8,1"], // bad-content-type
    ];
    for (const [contentType, payload] of cases) {
      system.receive(DATA, payload, { contentType });
    }
    await until(() => system.link.acknowledged.length === cases.length);
    assert.equal(system.map.size, 7);
    const refused = [...system.server.stats.refused.values()];
    assert.equal(refused.reduce((sum, count) => sum + count, 0), 4);
  },
});

Deno.test({
  name: "Server replies to the Response Topic with the Correlation Data",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const correlationData = Uint8Array.of(0, 255, 1);
    system.receive(
      REQUEST,
      '{"transaction":7,"replyTo":"occupancy/response/other"}',
      {
        responseTopic: `${RESPONSE}/mine`,
        correlationData,
      },
    );
    const [reply] = await system.replies(1, `${RESPONSE}/mine`);
    assert.equal(reply.transaction, 7);
    const { options } = system.link.published.at(-1)!;
    assert.deepEqual(options.correlationData, correlationData);
    assert.equal(options.contentType, "application/json");

    system.receive(REQUEST, '{"format":"csv"}', {
      responseTopic: `${RESPONSE}/mine`,
      correlationData,
    });
    await until(() =>
      system.link.published.at(-1)!.options.contentType === "text/csv"
    );

    system.receive(REQUEST, "get data", {
      responseTopic: `${RESPONSE}/mine`,
      correlationData,
    });
    await until(() => system.link.textsOn(`${RESPONSE}/mine`).length === 3);
    assert.equal(system.link.textsOn(`${RESPONSE}/mine`)[2], "{}");
    assert.deepEqual(
      system.link.published.at(-1)!.options.correlationData,
      correlationData,
    );
  },
});

Deno.test({
  name: "Server publishes replies only below its response topic",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const topics = [
      "",
      "#",
      "elsewhere",
      "occupancy",
      "occupancy/data",
      "occupancy/request",
      STATE,
      "occupancy/responses",
      "occupancy/response/",
      "occupancy/response/#",
      "occupancy/response/+",
      "occupancy/response/a/#",
      "occupancy/response//a",
      "occupancy/response/a\0",
      "$SYS/broker",
      `occupancy/response/${"r".repeat(1000)}`,
    ];
    for (const responseTopic of topics) {
      system.receive(REQUEST, "{}", {
        responseTopic,
        correlationData: Uint8Array.of(9),
      });
      system.receive(REQUEST, JSON.stringify({ replyTo: responseTopic }));
    }
    const replies = await system.replies(2 * topics.length);
    for (const reply of replies) {
      assert.equal(reply.error.code, "bad-reply-topic");
    }
    const published = new Set(system.link.published.map(({ topic }) => topic));
    assert.deepEqual([...published].sort(), [
      "occupancy/errors",
      RESPONSE,
      STATE,
    ]);
  },
});

Deno.test({
  name: "Server answers a request at QoS 0 when its marker returns",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    system.receive(REQUEST, "{}", { qos: 0 });
    await until(() => system.link.textsOn(MARKERS).length === 1);
    system.receive(DATA, "1,2,1"); // delayed by the broker
    system.receive(MARKERS, system.link.textsOn(MARKERS)[0]!);
    const [reply] = await system.replies(1);
    assert.deepEqual(reply.cells, [[1, 2, 1, NOW]]);
  },
});

Deno.test({
  name: "Server.stop() processes what has arrived",
  permissions: "none",
  fn: async () => {
    const system = await start();
    system.receive(DATA, "1,2,1");
    system.receive(REQUEST, "{}");
    await system.server.stop();
    const [reply] = system.link.textsOn(RESPONSE).map((text) =>
      JSON.parse(text)
    );
    assert.deepEqual(reply.cells, [[1, 2, 1, NOW]]);
    assert.equal(system.link.acknowledged.length, 2);
    const last = system.link.published.at(-1)!;
    assert.equal(last.topic, STATE, "the state is last");
  },
});

Deno.test({
  name:
    "Server limits replies to what the broker accepts, or replies too-large",
  permissions: "none",
  fn: async () => {
    const { server, link } = await start();
    const rows = Array.from({ length: 2000 }, (_, i) => `${i},0,1`).join("\n");
    link.handlers.message(incoming(DATA, rows));
    const send = async (request: string, room: number) => {
      const before = link.textsOn(RESPONSE).length;
      link.maxPayload = () => room;
      link.handlers.message(incoming(REQUEST, request));
      return await until(() => {
        const texts = link.textsOn(RESPONSE).slice(before);
        if (texts[0] === undefined) return undefined;
        const { parts = 1 } = JSON.parse(texts[0]);
        return texts.length === parts && texts;
      });
    };
    const parts = await send('{"maxBytes":1000000}', 2000);
    assert.ok(parts.length > 10);
    assert.ok(parts.every((part) => part.length <= 2000));

    const [refused] = await send('{"transaction":7,"format":"original"}', 2000);
    const { status, transaction, error } = JSON.parse(refused!);
    assert.deepEqual([status, transaction], ["error", 7]);
    assert.equal(error.code, "too-large");
    assert.match((await send('{"format":"json"}', 100))[0]!, /"too-large"/);

    // The original scripts would read an error as a map: they get no reply.
    const before = link.textsOn(RESPONSE).length;
    link.maxPayload = () => 2000;
    link.handlers.message(incoming(REQUEST, "get data"));
    await until(() => server.stats.refused.get("too-large") === 3);
    assert.equal(link.textsOn(RESPONSE).length, before);
    await server.stop();
  },
});

Deno.test({
  name: "Server refuses readings of more than maxLayers layers",
  permissions: "none",
  fn: async () => {
    const { server, link, map } = await start({ maxLayers: 2 });
    const send = (layer: string) =>
      link.handlers.message(incoming(`${DATA}/${layer}`, "1,2,1"));
    for (const layer of ["a", "b", "c", "a"]) send(layer); // in one group
    await until(() => link.acknowledged.length === 4);
    for (const layer of ["d", "b"]) send(layer);
    await until(() => link.acknowledged.length === 6);
    assert.deepEqual([...map.layers()].map(([name]) => name), ["a", "b"]);
    assert.equal(server.stats.refused.get("too-many-layers"), 2);
    const posted = await server.submit("e", new TextEncoder().encode("1,2,1"));
    assert.equal(posted.outcome, "invalid");
    assert.equal(server.stats.refused.get("too-many-layers"), 3);
    assert.match(link.textsOn("occupancy/errors")[0]!, /too-many-layers/);
    await server.stop();
  },
});

Deno.test({
  name:
    "Server refuses readings of more than maxCells cells, and reports them by line and source",
  permissions: "none",
  fn: async () => {
    await using system = await start({ cellLimits: { maxCells: 3 } });
    const { server, link, map } = system;
    system.receive(DATA, "0,0,1\n1,0,1");
    await until(() => link.acknowledged.length === 1);
    // In one group: two messages and a submission.
    system.receive(DATA, "1,0,2\nbad\n2,0,1\n3,0,1\n0,0,3\n4,0,1");
    system.receive(
      `${DATA}/other`,
      '{"source":"camera","cells":[[7,7,1],[8,8,1]]}',
    );
    const posted = await server.submit(
      "default",
      new TextEncoder().encode("2,0,4\n9,9,1\n"),
    );
    const cells = [...map.layers()].flatMap(([layer, grid]) => {
      const cells: string[] = [];
      grid.scan((x, y, value) => cells.push(`${layer} ${x},${y},${value}`));
      return cells;
    });
    assert.deepEqual(cells.sort(), [
      "default 0,0,3",
      "default 1,0,2",
      "default 2,0,4",
    ]);
    assert(posted.outcome === "committed");
    assert.equal(posted.accepted, 1);
    assert.deepEqual(posted.problems, [{
      code: "too-many-cells",
      message: "the map has its maximum of 3 cells",
      line: 2,
    }]);
    assert.equal(link.acknowledged.length, 3);
    assert.equal(server.stats.refused.get("too-many-cells"), 5);
    const reports = (await system.replies(4, "occupancy/errors"))
      .filter(({ code }) => code === "too-many-cells")
      .map(({ topic, line, source, count }) => ({
        topic,
        line,
        source,
        count,
      }));
    assert.deepEqual(reports, [
      { topic: DATA, line: 4, source: undefined, count: 2 },
      { topic: `${DATA}/other`, line: 1, source: "camera", count: 2 },
      { topic: DATA, line: 2, source: undefined, count: 1 },
    ]);
  },
});

Deno.test({
  name:
    "reports about late and future readings have topic, line, source and count of their payload",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    system.receive(DATA, `1,2,1,${NOW}`);
    await until(() => system.link.acknowledged.length === 1);
    const late = NOW - 1;
    // One group: four messages, one of another layer.
    system.receive(`${DATA}/default`, `\nx,2,3\n5,5,5\n1,2,0,${late}`);
    system.receive(
      DATA,
      `{"source":"cam-7","cells":[[1,2,0,${late}],[1,2,0,${late}],[9,9,9]]}`,
    );
    system.receive(
      DATA,
      `[{"x":4,"y":4,"value":4},5,{"x":1,"y":2,"value":3,"time":${late},"source":"b"},
       {"x":1,"y":2,"value":3,"time":${NOW + 60_001},"source":"c"}]`,
    );
    system.receive(`${DATA}/l2`, `1,2,1\n\n1,2,1,${NOW + 60_001}`);
    await until(() => system.link.acknowledged.length === 5);
    const reports = await system.replies(7, "occupancy/errors");
    assert.deepEqual(
      reports.map(({ topic, code, line, source, count }) =>
        [topic, code, line, source, count].join(" ")
      ).sort(),
      [
        `${DATA} bad-element 2  1`,
        `${DATA} future 4 c 1`,
        `${DATA} late 1 cam-7 2`,
        `${DATA} late 3 b 1`,
        `${DATA}/default bad-x 2  1`,
        `${DATA}/default late 4  1`,
        `${DATA}/l2 future 3  1`,
      ],
    );
    for (const { message } of reports) assert.match(message, / /);
  },
});

Deno.test({
  name: "reports have the source of the refused reading, batch or payload",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    for (
      const payload of [
        '{"x":1.5,"y":2,"value":1,"source":"a"}',
        '{"source":"b","cells":[[1,2]]}',
        '{"source":"c","cells":[[1,2,"x"]]}',
        '{"source":"d","time":-1,"cells":[[1,2,3]]}',
        '{"source":"e","cells":5}',
        '{"source":"f"}',
        '{"source":5}',
        "1,2,x",
      ]
    ) system.receive(DATA, payload);
    const body = '{"source":"h","cells":[[1,2]]}';
    await system.server.submit("default", new TextEncoder().encode(body));
    const reports = await system.replies(9, "occupancy/errors");
    assert.deepEqual(
      reports.map(({ code, source = "none" }) => `${code} ${source}`),
      [
        "bad-x a",
        "bad-fields b",
        "bad-value c",
        "bad-time d",
        "bad-form e",
        "bad-form f",
        "bad-form none",
        "bad-value none",
        "bad-fields h",
      ],
    );
  },
});

Deno.test({
  name: "a retained reading without a time is reported with line and source",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const payload =
      `[5,{"x":1,"y":1,"value":1,"time":${NOW},"source":"a"},{"x":2,"y":2,"value":2,"source":"b"}]`;
    system.receive(DATA, payload, { retain: true });
    const reports = await system.replies(2, "occupancy/errors");
    const { code, line, source } = reports[1];
    assert.deepEqual([code, line, source], ["retained", 3, "b"]);
    assert.equal(system.server.sourceOf("default", 1, 1), "a");
  },
});

Deno.test({
  name: "a reply comes after the reports about the readings before its request",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    for (let i = 0; i < 100; i++) system.receive(DATA, "noise");
    system.receive(`${DATA}/l2`, "1,2,x");
    system.receive(REQUEST, "{}");
    await system.replies(1);
    const reports = await system.replies(12, "occupancy/errors");
    assert.deepEqual(
      reports.slice(10).map(({ topic, suppressed }) => [topic, suppressed]),
      [[DATA, 89], [`${DATA}/l2`, 0]],
    );
    const published = system.steps.filter((step) => /errors|resp/.test(step));
    assert.equal(published.at(-1), `publish ${RESPONSE}`);
  },
});

Deno.test({
  name: "an empty payload, which clears a retained reading, is not an error",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    system.receive(DATA, "");
    system.receive(`${DATA}/new`, "");
    system.receive(`${DATA}/`, "", { retain: true });
    system.receive(DATA, " ");
    await until(() => system.link.acknowledged.length === 4);
    assert.deepEqual([...system.server.stats.refused], [["empty", 1]]);
    assert.equal(system.map.layerCount, 0);
    const body = await system.server.submit("default", new Uint8Array(0));
    assert.equal(body.outcome, "invalid", "over HTTP it is an error");
  },
});

Deno.test({
  name: "a retained request is reported and not answered, at either QoS",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const replyTo = `${RESPONSE}/other`;
    for (const qos of [0, 1] as const) {
      system.receive(REQUEST, JSON.stringify({ replyTo }), {
        retain: true,
        qos,
      });
      system.receive(REQUEST, "get data", { retain: true, qos });
    }
    system.receive(REQUEST, "{}");
    const reports = await system.replies(4, "occupancy/errors");
    for (const { topic, code } of reports) {
      assert.deepEqual([topic, code], [REQUEST, "retained"]);
    }
    await system.replies(1);
    assert.deepEqual(system.link.textsOn(replyTo), []);
    assert.equal(system.link.textsOn(RESPONSE).length, 1);
    assert.equal(system.link.acknowledged.length, 5);
  },
});

Deno.test({
  name:
    "a value that changes and changes back in one payload counts as changed",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    system.receive(DATA, `1,2,1,${NOW}`);
    await until(() => system.map.revision === 1);
    const payload = `1,2,0,${NOW}\n1,2,1,${NOW}\n1,2,1,${NOW}`;
    const result = await system.server.submit(
      "default",
      new TextEncoder().encode(payload),
    );
    assert.ok(result.outcome === "committed");
    assert.deepEqual(
      [result.accepted, result.changed, result.revision],
      [3, 2, 2],
    );
    const cell = system.map.layer("default")?.get(1, 2);
    assert.deepEqual([cell?.value, cell?.revision], [1, 2]);
  },
});

Deno.test({
  name: "a cell that becomes stale is published without a request",
  permissions: "none",
  fn: async () => {
    let now = NOW;
    const map = new OccupancyMap({ staleAfter: 1000 });
    await using system = await start({ map, clock: () => now });
    system.receive(DATA, "1,2,1");
    await until(() => map.revision === 1);
    now += 1000;
    assert.equal(system.server.refresh(), now);
    assert.equal(map.revision, 1, "still fresh");
    now += 1;
    const deltas = () =>
      system.link.textsOn("occupancy/changes").map((text) => JSON.parse(text));
    await until(() => deltas().some(({ to }) => to === 2));
    const { time, staleAfter, cells } = deltas().at(-1);
    assert.deepEqual(cells, [[1, 2, 1, NOW]]);
    assert.ok(time > NOW + staleAfter);
  },
});

Deno.test({
  name: "a request that is not UTF-8 is reported as bad-utf8, not as bad-json",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    system.receive(REQUEST, Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d));
    system.receive(REQUEST, '{"a":');
    const reports = await system.replies(2, "occupancy/errors");
    assert.deepEqual(reports.map(({ code }) => code), ["bad-utf8", "bad-json"]);
  },
});

Deno.test({
  name: "Server refuses and counts readings that are late or in the future",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    system.receive(DATA, `1,2,1,${NOW}`);
    system.receive(
      DATA,
      `1,2,0,${NOW - 1}\n3,4,1,${NOW + 60_001}\n5,6,1,${NOW + 60_000}`,
    );
    await until(() => system.link.acknowledged.length === 2);
    const { refused, accepted } = system.server.stats;
    assert.deepEqual([...refused].sort(), [["future", 1], ["late", 1]]);
    assert.equal(accepted, 2);
    const reports = await system.replies(2, "occupancy/errors");
    assert.deepEqual(reports.map(({ code }) => code).sort(), [
      "future",
      "late",
    ]);
  },
});

Deno.test({
  name:
    "Server.linkState has the time of the disconnection, also after failed attempts to connect again",
  permissions: "none",
  fn: async () => {
    const log: string[] = [];
    let now = NOW;
    const fakes = { ...fakeOptions(log), clock: () => now };
    const link = new RecordingLink([]);
    const server = new Server({ ...fakes, link });
    await server.start();
    try {
      now += 1000;
      link.handlers.down?.("cable cut");
      now += 1000;
      link.handlers.down?.("connection refused");
      assert.deepEqual(server.linkState, {
        up: false,
        since: NOW + 1000,
        problem: "connection refused",
      });
      now += 1000;
      link.handlers.up?.();
      assert.equal(server.linkState.since, NOW + 3000);
    } finally {
      await server.stop();
    }
  },
});
