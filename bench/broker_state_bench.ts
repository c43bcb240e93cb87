/**
 * `deno bench bench/broker_state_bench.ts`: measures the state of the broker
 * without connections: the search for subscribers, and publishing to many.
 *
 * The time per iteration is for one message.
 *
 * @module
 */
import type { Message } from "../src/broker/message.ts";
import { RETAINED_LIMITS } from "../src/broker/retained/retained_store.ts";
import { Router } from "../src/broker/router.ts";
import { SESSION_LIMITS } from "../src/broker/sessions/context.ts";
import type { Outlet } from "../src/broker/sessions/outlet.ts";
import { TopicTrie } from "../src/broker/topics/topic_trie.ts";

const SUBSCRIBERS = 500;
const PAYLOAD = new Uint8Array(100);

/** Acknowledges the messages at QoS 1 when it is asked to. */
class NullOutlet implements Outlet {
  readonly receiveMaximum = 65_535;
  readonly hasRoom = true;
  sent = 0;
  readonly packetIds: number[] = [];

  sendPublish(
    _message: Message,
    qos: number,
    _retain: boolean,
    _ids: readonly number[] | undefined,
    packetId: number,
  ): boolean {
    this.sent++;
    if (qos > 0) this.packetIds.push(packetId);
    return true;
  }

  queued(): void {}
  sendPubrel(): void {}
  disconnect(): void {}
}

function newRouter(): Router {
  return new Router({
    clock: Date.now,
    sessionLimits: SESSION_LIMITS,
    retainedLimits: RETAINED_LIMITS,
    publishWill: () => {},
  });
}

function connect(router: Router, clientId: string, filter: string, qos: 0 | 1) {
  const outlet = new NullOutlet();
  const { session } = router.sessions.connect({
    identity: { clientId, user: undefined, isAdministrator: false },
    cleanStart: false,
    expiry: 3600,
    will: undefined,
    outlet,
  });
  session!.resume();
  router.subscribe(session!, {
    ...{ filter, qos, noLocal: false, retainAsPublished: false },
    ...{ retainHandling: 0, subscriptionId: undefined },
  });
  return { session: session!, outlet };
}

function message(topic: string, qos: 0 | 1): Message {
  return {
    ...{ topic, payload: PAYLOAD, qos, retain: false, properties: undefined },
    ...{ expiresAt: undefined, publisher: "bench", holders: 0 },
  };
}

for (const filters of [10, 100_000]) {
  const trie = new TopicTrie<number>();
  for (let i = 0; i < filters; i++) {
    trie.add(`building/${i % 1000}/room/${i}/+`, i);
  }
  trie.add("occupancy/+/hall", -1);
  const found: number[] = [];
  Deno.bench(`search without cache, ${filters} filters`, {
    group: "search",
  }, () => {
    found.length = 0;
    trie.match("occupancy/data/hall", found);
  });
}

for (const filters of [10, 100_000]) {
  const router = newRouter();
  for (let i = 0; i < filters; i += 500) {
    const { session } = connect(router, `c${i}`, `other/${i}`, 0);
    for (let j = i; j < i + 500; j++) {
      router.subscribe(session, {
        ...{ filter: `building/${j}/+`, qos: 0, noLocal: false },
        ...{ retainAsPublished: false, retainHandling: 2 },
        subscriptionId: undefined,
      });
    }
  }
  const one = message("occupancy/data/hall", 1);
  Deno.bench(`publish without subscribers, ${filters} filters`, {
    group: "no subscribers",
  }, () => void router.publish(one));
}

{
  const router = newRouter();
  for (let i = 0; i < SUBSCRIBERS; i++) connect(router, `c${i}`, "t/#", 0);
  const one = message("t/a", 0);
  Deno.bench(`QoS 0 to ${SUBSCRIBERS} subscribers`, {
    group: "fan-out",
  }, () => void router.publish(one));
}

{
  const router = newRouter();
  const clients = Array.from(
    { length: SUBSCRIBERS },
    (_, i) => connect(router, `c${i}`, "t/#", 1),
  );
  Deno.bench(`QoS 1 to ${SUBSCRIBERS} subscribers, acknowledged`, {
    group: "fan-out",
  }, () => {
    router.publish(message("t/a", 1));
    for (const { session, outlet } of clients) {
      const { packetIds } = outlet;
      while (packetIds.length > 0) session.acknowledged(packetIds.pop()!);
    }
  });
}

{
  const router = newRouter();
  for (let i = 0; i < SUBSCRIBERS; i++) {
    const { session, outlet } = connect(router, `c${i}`, "#", 1);
    router.sessions.disconnect(session, outlet, { publishWill: false });
  }
  const { maxMessages } = SESSION_LIMITS;
  for (let i = 0; i <= maxMessages; i++) router.publish(message("t/a", 1));
  const one = message("occupancy/data/hall", 1);
  Deno.bench(`${SUBSCRIBERS} abandoned sessions with full queues`, {
    group: "no subscribers",
  }, () => void router.publish(one));
}
