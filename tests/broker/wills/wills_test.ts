/** Wills and their delay (3.1.2.5; MQTT 5, 3.1.3.2.2). */
import { deepEqual, equal, throws } from "node:assert/strict";
import { message, TestRouter } from "../sessions/harness.ts";

const pure = { permissions: "none" } as const;

const will = (delay = 0, text = "will") => ({
  message: message("will", text, { qos: 1, publisher: "a" }),
  delay,
});

function published(test: TestRouter): string[] {
  return test.wills.map(({ payload }) => new TextDecoder().decode(payload));
}

Deno.test(
  "a will is published at every end but that of a DISCONNECT (3.1.2.5)",
  pure,
  () => {
    const test = new TestRouter();
    const watcher = test.connect("watcher");
    test.subscribe(watcher, "will", 1);
    test.disconnect(test.connect("a", { will: will() }), false);
    deepEqual(published(test), []);
    test.disconnect(test.connect("a", { will: will() }), true);
    deepEqual(watcher.outlet.texts, ["will"]);
    // A connection has its own will, or none.
    test.disconnect(test.connect("a"), true);
    equal(test.wills.length, 1);
  },
);

Deno.test(
  "a will with a delay is published after it, unless the client connects again",
  pure,
  () => {
    const test = new TestRouter();
    test.disconnect(test.connect("a", { will: will(10) }), true);
    test.pass(9_999);
    equal(test.router.wills.waiting, 1);
    const again = test.connect("a", { will: will(10, "second") });
    test.pass(60_000);
    deepEqual(published(test), []);
    test.disconnect(again, true);
    equal(test.router.nextDue, test.now + 10_000);
    test.pass(10_000);
    deepEqual(published(test), ["second"]);
    test.pass(60_000);
    equal(test.wills.length, 1);
  },
);

Deno.test(
  "a will is published at the end of the session at the latest",
  pure,
  () => {
    const test = new TestRouter();
    test.disconnect(test.connect("a", { will: will(100), expiry: 5 }), true);
    test.pass(5_000);
    deepEqual(published(test), ["will"]);
    test.disconnect(test.connect("a", { will: will(100), expiry: 0 }), true);
    equal(test.wills.length, 2);
    // A DISCONNECT can shorten the session.
    test.disconnect(test.connect("a", { will: will(100) }), true, 0);
    equal(test.wills.length, 3);
    // So can Clean Start.
    test.disconnect(test.connect("a", { will: will(100) }), true);
    test.connect("a", { cleanStart: true });
    equal(test.wills.length, 4);
    equal(test.router.wills.waiting, 0);
  },
);

Deno.test(
  "takeover: a will without a delay is published, one with a delay only if the session ends (MQTT 5, 3.1.4)",
  pure,
  () => {
    const test = new TestRouter();
    test.connect("a", { will: will(0, "1") });
    test.connect("a", { will: will(10, "2") });
    deepEqual(published(test), ["1"]);
    test.connect("a", { will: will(10, "3") });
    test.pass(20_000);
    deepEqual(published(test), ["1"]);
    test.connect("a", { cleanStart: true });
    deepEqual(published(test), ["1", "3"]);
  },
);

Deno.test(
  "a client that is disconnected by a limit leaves its will",
  pure,
  () => {
    const test = new TestRouter({ maxSessions: 1 });
    test.disconnect(test.connect("a", { will: will(50) }), true);
    test.connect("b");
    deepEqual(published(test), ["will"]);
  },
);

Deno.test(
  "wills take memory of the sessions; a client is refused if there is none",
  pure,
  () => {
    const test = new TestRouter({ maxTotalBytes: 35_000 });
    const will = (delay: number) => ({
      message: message("will", "x".repeat(10_000)),
      delay,
    });
    const { budget } = test.router.sessions;
    const a = test.connect("a", { will: will(0) });
    const b = test.connect("b", { will: will(30) });
    const d = test.connect("d", { will: will(0) });
    throws(() => test.connect("c", { will: will(0) }), /will-memory/);
    test.connect("c");
    test.disconnect(d);
    deepEqual(test.limits, { "mqtt-session-bytes": 1 });
    test.disconnect(b, true);
    equal(budget.messages, 2, "one waits");
    test.disconnect(a, true);
    const c = test.connect("c", { will: will(30) });
    test.disconnect(c, false);
    test.connect("c", { will: will(30) });
    test.connect("c", { will: will(0) }); // takes over
    equal(budget.messages, 2);
    test.connect("b");
    test.connect("c");
    deepEqual([budget.messages, budget.bytes], [0, 0]);
  },
);
