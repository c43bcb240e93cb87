/** Delivery of events to webhooks, with real HTTP servers. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import {
  parseWebhook,
  Webhooks,
  WebhookSecret,
  type WebhooksOptions,
} from "../../src/webhooks/mod.ts";
import { delay } from "../../src/common/async.ts";
import { permitted } from "../support/needs.ts";
import { randomIntegers } from "../support/random.ts";
import { freePort } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { type Answer, Receiver } from "./receiver.ts";

const TOPIC = "occupancy/zone/lobby/event";
const EVENT = {
  ...{ zone: "lobby", title: "Lobby", layer: "default", event: "occupied" },
  ...{ count: 1, time: 1_700_000_000_000, revision: 7 },
};
/** Times that a test can wait for. */
const FAST = { firstMs: 5, maxMs: 20, timeoutMs: 200, bodyMs: 100 };

/** Webhooks with short times that are closed at the end of the scope. */
function webhooks(
  urls: readonly string[],
  limits: WebhooksOptions["limits"] = {},
  options: Partial<WebhooksOptions> = {},
) {
  const lines: string[] = [];
  const add = (line: string) => void lines.push(line);
  const dropped = { count: 0 };
  const hooks = new Webhooks({
    addresses: urls.map(parseWebhook),
    version: "1.2.3",
    log: {
      info: add,
      warn: add,
      warnLimited: (kind, line) =>
        add(`${kind}: ${typeof line === "string" ? line : line()}`),
    },
    onDropped: () => dropped.count++,
    limits: { ...FAST, ...limits },
    ...options,
  });
  return {
    hooks,
    lines,
    dropped,
    counts: (number = 1) => [...hooks.status()][number - 1]!.counts,
    send: (revision = EVENT.revision) =>
      hooks.send(TOPIC, { ...EVENT, revision }),
    settled: (number = 1) =>
      until(() => [...hooks.status()][number - 1]!.counts.queued === 0),
    [Symbol.asyncDispose]: () => hooks.close(0),
  };
}

/** Answers with these statuses, then with 204. */
function statuses(...list: (number | Response)[]): Answer {
  return (number) => {
    const one = list[number] ?? 204;
    return typeof one === "number" ? new Response(null, { status: one }) : one;
  };
}

const revisions = (receiver: Receiver) =>
  (receiver.bodies as { revision: number }[]).map(({ revision }) => revision);

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !permitted(), fn });
}

test("an event is a POST with the JSON of the MQTT event", async () => {
  await using receiver = new Receiver();
  await using system = webhooks([receiver.url("/a/b?c=d")]);
  system.send();
  const [request] = await receiver.received(1);
  assert.equal(request!.method, "POST");
  assert.equal(request!.path, "/a/b");
  assert.equal(request!.body, JSON.stringify(EVENT));
  assert.equal(request!.headers.get("content-type"), "application/json");
  assert.equal(request!.headers.get("user-agent"), "occupancy/1.2.3");
  assert.equal(request!.headers.get("occupancy-topic"), TOPIC);
  assert.equal(request!.headers.get("webhook-signature"), null);
  assert.equal(request!.headers.get("authorization"), null);
  await system.settled();
  assert.equal(system.counts().sent, 1);
  assert.deepEqual(system.lines, []);
});

test("a topic that is not ASCII is encoded in its header", async () => {
  await using receiver = new Receiver();
  await using system = webhooks([receiver.url()]);
  system.hooks.send("occupancy/zone/Küche 1/event", EVENT);
  const [request] = await receiver.received(1);
  const header = request!.headers.get("occupancy-topic")!;
  assert.equal(header, "occupancy/zone/K%C3%BCche%201/event");
  assert.equal(decodeURI(header), "occupancy/zone/Küche 1/event");
});

test("user and password of the address become a header", async () => {
  await using receiver = new Receiver();
  const { port } = receiver;
  await using system = webhooks([`http://ann:p%40ss@127.0.0.1:${port}/x`]);
  system.send();
  const [request] = await receiver.received(1);
  assert.equal(
    request!.headers.get("authorization"),
    `Basic ${btoa("ann:p@ss")}`,
  );
});

test("requests are signed as in Standard Webhooks; the id is that of the event", async () => {
  await using receiver = new Receiver(statuses(500));
  const key = Uint8Array.from({ length: 32 }, (_, index) => index);
  const secret = new WebhookSecret(`whsec_${key.toBase64()}`);
  await using system = webhooks([receiver.url()], {}, { secret });
  system.send(1);
  system.send(2);
  const [first, again, second] = await receiver.received(3);
  const id = first!.headers.get("webhook-id")!;
  const time = first!.headers.get("webhook-timestamp")!;
  assert.match(time, /^\d{10}$/);
  assert.equal(
    first!.headers.get("webhook-signature"),
    `v1,${
      createHmac("sha256", key).update(`${id}.${time}.${first!.body}`)
        .digest("base64")
    }`,
  );
  assert.equal(again!.headers.get("webhook-id"), id, "the same at a retry");
  assert.notEqual(second!.headers.get("webhook-id"), id);
});

test("5xx is tried again, and the order is kept", async () => {
  await using receiver = new Receiver(statuses(500, 503, 502, 204, 500));
  await using system = webhooks([receiver.url()]);
  for (const revision of [1, 2, 3]) system.send(revision);
  await system.settled();
  assert.deepEqual(revisions(receiver), [1, 1, 1, 1, 2, 2, 3]);
  const { sent, failed, retries } = system.counts();
  assert.deepEqual({ sent, failed, retries }, {
    ...{ sent: 3, failed: 0, retries: 4 },
  });
  assert.match(
    system.lines[0]!,
    /^webhook-1-failed: Webhook 1 \(http:\/\/127\.0\.0\.1:\d+\): cannot deliver an event: status 500; 3 events to send, next try in 1 s$/,
  );
  assert.match(system.lines.at(-1)!, /events are delivered again$/);
});

test("4xx is not tried again, but counted and logged", async () => {
  await using receiver = new Receiver(statuses(404, 410));
  await using system = webhooks([receiver.url("/secret-path")]);
  for (const revision of [1, 2, 3]) system.send(revision);
  await system.settled();
  assert.deepEqual(revisions(receiver), [1, 2, 3]);
  const { sent, failed, retries } = system.counts();
  assert.deepEqual({ sent, failed, retries }, {
    ...{ sent: 1, failed: 2, retries: 0 },
  });
  assert.match(
    system.lines[0]!,
    /^webhook-1-lost: .*: the receiver did not accept an event: status 404/,
  );
  assert.doesNotMatch(system.lines.join("\n"), /secret/);
});

test("Retry-After of 429 and 503 is respected up to a bound", async () => {
  const times: number[] = [];
  const wait = (status: number, seconds: string) =>
    new Response(null, { status, headers: { "retry-after": seconds } });
  const answers = statuses(wait(429, "1"), wait(503, "100000"));
  await using receiver = new Receiver((number, request) => {
    times.push(performance.now());
    return answers(number, request);
  });
  const limits = { maxRetryAfterMs: 1000, maxMs: 1 };
  await using system = webhooks([receiver.url()], limits);
  system.send();
  await system.settled();
  const [first, second, third] = times as [number, number, number];
  assert.ok(second - first >= 990, `${second - first} ms`);
  assert.ok(third - second >= 990 && third - second < 5000);
  assert.equal(system.counts().sent, 1);
});

test("a redirect is not followed", async () => {
  await using other = new Receiver();
  for (const status of [301, 302, 303, 307, 308]) {
    await using receiver = new Receiver(statuses(
      new Response(null, { status, headers: { location: other.url("/key") } }),
    ));
    await using system = webhooks([receiver.url()]);
    system.send();
    await system.settled();
    assert.equal(system.counts().failed, 1);
    assert.match(
      system.lines[0]!,
      new RegExp(
        `status ${status}: a redirect to http://127.0.0.1:${other.port}, which is not followed`,
      ),
    );
    assert.equal(receiver.requests.length, 1);
  }
  assert.equal(other.requests.length, 0);
});

test("a receiver that hangs delays neither the caller nor others", async () => {
  const never = Promise.withResolvers<Response>();
  await using hanging = new Receiver((number) =>
    number === 0 ? never.promise : new Response("ok")
  );
  await using receiver = new Receiver();
  const limits = { timeoutMs: 500 };
  await using system = webhooks([hanging.url(), receiver.url()], limits);
  const start = performance.now();
  for (let revision = 0; revision < 100; revision++) system.send(revision);
  assert.ok(performance.now() - start < 250);
  await system.settled(2);
  assert.equal(system.counts(1).sent, 0);
  assert.deepEqual(
    revisions(receiver),
    Array.from({ length: 100 }, (_, i) => i),
  );
  await system.settled(1);
  assert.match(
    system.lines[0]!,
    /^webhook-1-failed: .*: no answer within 0.5 s/,
  );
  assert.equal(system.counts(1).sent, 100);
  never.resolve(new Response());
});

test("an endless body counts as an answer, and is not read", async () => {
  let chunks = 0;
  let cancelled = 0;
  await using receiver = new Receiver(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          chunks++;
          controller.enqueue(new Uint8Array(16 * 1024));
        },
        cancel: () => void cancelled++,
      }),
    )
  );
  await using system = webhooks([receiver.url()], { bodyBytes: 1024 });
  system.send(1);
  system.send(2);
  await system.settled();
  assert.equal(system.counts().sent, 2);
  await until(() => cancelled === 2);
  assert.ok(chunks < 1000, `${chunks} chunks`); // those in buffers of sockets
});

test("a body that never comes counts as an answer after a second", async () => {
  await using receiver = new Receiver(() =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(1)),
      }),
    )
  );
  await using system = webhooks([receiver.url()]);
  system.send();
  await system.settled();
  assert.deepEqual(system.counts().sent, 1);
});

test("a connection that is closed, garbage, and no listener at all are tried again", async () => {
  const port = freePort();
  await using system = webhooks([`http://127.0.0.1:${port}/s3cret`], {
    timeoutMs: 5000,
  });
  system.send();
  await until(() => system.counts().retries > 1);
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  for (const answer of ["", "garbage\r\n\r\n", "HTTP/1.1 2"]) {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(1024));
    await connection.write(new TextEncoder().encode(answer));
  }
  listener.close();
  await using receiver = new Receiver(undefined, port);
  await receiver.received(1);
  await system.settled();
  assert.equal(system.counts().sent, 1);
  const log = system.lines.join("\n");
  assert.match(log, /Connection refused/i);
  assert.match(log, /connection closed before message completed/);
  assert.doesNotMatch(log, /s3cret/);
});

test("an event at which the receiver always fails is given up", async () => {
  await using receiver = new Receiver((_, { body }) =>
    new Response(null, { status: body.includes('"revision":1}') ? 500 : 204 })
  );
  await using system = webhooks([receiver.url()], { giveUpMs: 100 });
  for (const revision of [1, 2]) system.send(revision);
  await system.settled();
  const { sent, failed } = system.counts();
  assert.deepEqual({ sent, failed }, { sent: 1, failed: 1 });
  assert.match(system.lines.at(-1)!, /status 500 at every try/);
});

test("an event is not given up while the receiver cannot be reached", async () => {
  await using receiver = new Receiver((number) =>
    new Response(null, { status: number < 10 ? 503 : 204 })
  );
  await using system = webhooks([receiver.url()], { giveUpMs: 1 });
  system.send();
  await system.settled();
  assert.equal(system.counts().sent, 1);
});

test("the oldest events are dropped when the queue is full", async () => {
  const gate = Promise.withResolvers<void>();
  await using receiver = new Receiver(async () => {
    await gate.promise;
    return new Response();
  });
  const limits = { events: 3, timeoutMs: 10_000 };
  await using system = webhooks([receiver.url()], limits);
  for (let revision = 1; revision <= 10; revision++) system.send(revision);
  // The first one is being sent.
  assert.deepEqual({ ...system.counts() }, {
    ...{ sent: 0, failed: 0, dropped: 6, retries: 0, queued: 4 },
  });
  assert.equal(system.dropped.count, 6);
  assert.match(
    system.lines[0]!,
    /^webhook-1-full: .*: 3 events wait, which is the maximum: the oldest was dropped$/,
  );
  gate.resolve();
  await system.settled();
  assert.deepEqual(revisions(receiver), [1, 8, 9, 10]);
});

test("whatever a receiver answers, each event ends once, in order", async () => {
  const random = randomIntegers(7);
  const accepted: number[] = [];
  const refused: number[] = [];
  await using receiver = new Receiver(async (_, { body }) => {
    const { revision } = JSON.parse(body);
    const status = [204, 204, 204, 500, 503, 429, 404, 302][
      random(8)
    ]!;
    if (random(50) === 0) await delay(2 * FAST.timeoutMs); // too late
    else if (status === 204) accepted.push(revision);
    else if (status < 429) refused.push(revision);
    return new Response(null, { status });
  });
  await using system = webhooks([receiver.url()], { maxMs: 5 });
  const count = 200;
  for (let revision = 0; revision < count; revision++) {
    system.send(revision);
    if (random(10) === 0) await delay(random(10));
  }
  await system.settled();
  const { sent, failed } = system.counts();
  assert.equal(sent, accepted.length);
  assert.equal(failed, refused.length);
  const ascending = Array.from({ length: count }, (_, index) => index);
  assert.deepEqual(
    [...accepted, ...refused].sort((a, b) => a - b),
    ascending,
    "each once",
  );
  for (const list of [accepted, refused]) {
    assert.deepEqual(list, list.toSorted((a, b) => a - b), "in order");
  }
});

test("at the end what waits is tried at once", async () => {
  await using receiver = new Receiver(statuses(503));
  const limits = { firstMs: 60_000, maxMs: 60_000 };
  await using system = webhooks([receiver.url()], limits);
  for (const revision of [1, 2, 3]) system.send(revision);
  await until(() => system.lines.length === 1); // waits for a minute
  await system.hooks.close(5000);
  assert.deepEqual(revisions(receiver), [1, 1, 2, 3]);
  assert.equal(system.counts().queued, 0);
  system.send(4);
  assert.equal(system.counts().queued, 0);
  assert.equal(receiver.requests.length, 4);
});

test("at the end the log has the number of events that were not delivered", async () => {
  const never = Promise.withResolvers<Response>();
  await using hanging = new Receiver(() => never.promise);
  await using receiver = new Receiver();
  const urls = [hanging.url("/s3cret"), receiver.url()];
  await using system = webhooks(urls, { timeoutMs: 60_000 });
  for (const revision of [1, 2, 3]) system.send(revision);
  await hanging.received(1);
  const start = performance.now();
  await system.hooks.close(200);
  assert.ok(performance.now() - start < 2000);
  assert.equal(system.counts(2).sent, 3);
  assert.deepEqual(system.lines, [
    `Webhook 1 (http://127.0.0.1:${hanging.port}): 3 events could not be delivered before the end of the server`,
  ]);
  never.resolve(new Response());
});
