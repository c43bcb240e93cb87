/** One link over connections to several brokers, with fakes. */
import assert from "node:assert/strict";
import { JoinedLinks } from "../../src/mqtt/joined_links.ts";
import {
  type Incoming,
  type Link,
  LinkError,
  type LinkHandlers,
} from "../../src/mqtt/link.ts";
import { FakeLink, incoming, settled } from "../support/fake_link.ts";
import { until } from "../support/until.ts";

/** A link whose attempts to connect fail while `problem` is set. */
class FailingLink extends FakeLink {
  problem: LinkError | undefined;

  override open(handlers: LinkHandlers): Promise<void> {
    return this.problem === undefined
      ? super.open(handlers)
      : Promise.reject(this.problem);
  }
}

const refused = (broker: string) =>
  new LinkError("unreachable", `Cannot connect to ${broker}`, {
    hint: "Start it.",
  });

async function start() {
  const a = new FailingLink({ manual: true });
  const b = new FailingLink({ manual: true });
  const link = new JoinedLinks([a, b]);
  const received: Incoming[] = [];
  const events: string[] = [];
  const nameOf = (one?: Link) => one === a ? "a" : one === b ? "b" : "?";
  await link.open({
    message: (message) => received.push(message),
    up: (one) => events.push(`up ${nameOf(one)}`),
    down: (reason, _, one) => events.push(`down ${nameOf(one)}: ${reason}`),
    failed: ({ message }) => events.push(`failed: ${message}`),
  });
  return { a, b, link, events, received };
}

Deno.test({
  name: "JoinedLinks acknowledges each message on its connection, in order",
  permissions: "none",
  fn: async () => {
    const { a, b, link, received, events } = await start();
    assert.deepEqual(events, ["up a", "up b"]);
    for (const [one, text] of [[a, "1"], [b, "2"], [a, "3"]] as const) {
      one.handlers.message(incoming("t", text, { link: one }));
    }
    const [first, second, third] = received;
    link.acknowledge(received);
    link.acknowledge([]);
    assert.deepEqual(a.acknowledged, [first, third]);
    assert.deepEqual(b.acknowledged, [second]);
  },
});

Deno.test({
  name: "JoinedLinks publishes on all connections, and waits for those up",
  permissions: "none",
  fn: async () => {
    const { a, b, link } = await start();
    let done = 0;
    const publish = () =>
      void link.publish("t", new Uint8Array()).then(() => done++);
    publish();
    a.published[0]!.settle();
    await settled();
    assert.equal(done, 0, "the other broker has not answered");
    b.handlers.down!("gone");
    await settled();
    assert.equal(done, 1, "nothing waits for a broker that is away");
    publish();
    assert.deepEqual([a.published.length, b.published.length], [2, 1]);
    a.published[1]!.settle();
    await settled();
    assert.equal(done, 2);
    b.handlers.up!();
    publish();
    a.published[2]!.settle(new Error("refused"));
    b.published[1]!.settle();
    await settled();
    assert.equal(done, 3, "one of the brokers has it");
  },
});

Deno.test({
  name: "JoinedLinks.publish() fails if no broker takes the message",
  permissions: "none",
  fn: async () => {
    const { a, b, link } = await start();
    const publishing = link.publish("t", new Uint8Array());
    a.published[0]!.settle(new Error("refused"));
    b.published[0]!.settle(new Error("refused too"));
    await assert.rejects(publishing, /^Error: refused$/);
    a.handlers.down!("gone");
    b.handlers.down!("gone");
    const waiting = link.publish("t", new Uint8Array(), { qos: 1 });
    assert.deepEqual([a.published.length, b.published.length], [2, 2]);
    b.published[1]!.settle();
    await waiting; // the other broker gets it when it is back
  },
});

Deno.test({
  name:
    "JoinedLinks.publish() waits for brokers that are away if no other has the message",
  permissions: "none",
  fn: async () => {
    const { a, b, link } = await start();
    const results: string[] = [];
    const publish = (name: string) =>
      void link.publish("t", new Uint8Array(), { qos: 1 }).then(
        () => results.push(name),
        (error) => results.push(`${name}: ${error.message}`),
      );
    publish("both away");
    publish("one refuses");
    a.published[1]!.settle(new Error("refused"));
    a.handlers.down!("gone");
    b.handlers.down!("gone");
    await settled();
    // The connections send it again: a second publish would be a duplicate.
    assert.deepEqual(results, []);
    b.handlers.up!();
    b.published[0]!.settle();
    b.published[1]!.settle(new LinkError("closed", "closed"));
    await settled();
    assert.deepEqual(results, ["both away", "one refuses: refused"]);
  },
});

Deno.test({
  name: "JoinedLinks fails for good only when all connections have",
  permissions: "none",
  fn: async () => {
    const { a, b, events } = await start();
    events.length = 0;
    a.handlers.failed!(new LinkError("refused", "Not for you"));
    assert.deepEqual(events, ["down a: Not for you"]);
    b.handlers.failed!(new LinkError("refused", "Nor you"));
    assert.deepEqual(events.slice(1), ["down b: Nor you", "failed: Nor you"]);
  },
});

Deno.test({
  name: "JoinedLinks.open() needs one connection, and opens the others later",
  fn: async () => {
    const a = new FailingLink();
    const b = new FailingLink();
    [a.problem, b.problem] = [refused("a"), refused("b")];
    const link = new JoinedLinks([a, b]);
    const events: string[] = [];
    const handlers: LinkHandlers = {
      message: () => {},
      up: (one) => events.push(one === a ? "up a" : "up b"),
      down: (reason) => events.push(reason),
    };
    await assert.rejects(
      link.open(handlers),
      (error: LinkError) =>
        error.message === "Cannot connect to a; Cannot connect to b" &&
        error.hint === "Start it.",
    );
    b.problem = undefined;
    await link.open(handlers);
    assert.deepEqual(events, ["up b", "Cannot connect to a"]);
    a.problem = undefined;
    await until(() => events.includes("up a"));
    await link.close();
    assert.ok(a.closed && b.closed);
  },
});
