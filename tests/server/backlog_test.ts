/** Dates of readings that waited in the broker while the server was disconnected. */
import assert from "node:assert/strict";
import { JoinedLinks } from "../../src/mqtt/joined_links.ts";
import { Server } from "../../src/server/mod.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { FakeStore } from "../support/fake_store.ts";
import { until } from "../support/until.ts";
import { fakeOptions, NOW } from "./support.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const DATA = "occupancy/data";
const MARKERS = "occupancy/server/barrier/me";

/** A link to a broker that stores sessions. */
class SessionLink extends FakeLink {
  sessionPresent = true;
}

/** A link to a broker that refuses all messages. */
class RefusingLink extends SessionLink {
  override publish(): Promise<void> {
    return Promise.reject(new Error("refused"));
  }
}

async function start(
  { lastAlive, sessionPresent = true, link = new SessionLink() }: {
    lastAlive?: number;
    sessionPresent?: boolean;
    link?: SessionLink;
  } = {},
) {
  link.sessionPresent = sessionPresent;
  const store = new FakeStore({ durable: true, lastAlive });
  const system = { now: NOW, monotonic: 0 };
  const options = {
    ...fakeOptions(),
    link,
    store,
    clock: () => system.now,
    monotonic: () => system.monotonic,
    changesInterval: 0,
  };
  const server = new Server(options);
  await server.start();
  return Object.assign(system, {
    link,
    store,
    server,
    refused: () => [...server.stats.refused.keys()],
    /** The cell (0, `y`). */
    cell: (y: number, layer = "default") => {
      const { value, time } = options.map.layer(layer)!.get(0, y)!;
      return { value, time };
    },
    /** The process stands still, while its clocks run. */
    standStill: (ms: number) => {
      system.now += ms;
      system.monotonic += ms;
    },
    send: async (payload: string, qos: 0 | 1 = 1, topic = DATA) => {
      const message = incoming(topic, payload, { qos });
      link.handlers.message(message);
      await until(() => link.acknowledged.includes(message));
    },
    /** The markers that the server has published, as they return. */
    markers: () => link.textsOn(MARKERS).map((text) => incoming(MARKERS, text)),
    [Symbol.asyncDispose]: () => server.stop(),
  });
}

Deno.test({
  name:
    "until the marker returns, readings are dated with the server's last time alive",
  permissions: "none",
  fn: async () => {
    await using system = await start({ lastAlive: NOW - HOUR_MS });
    await system.send("0,0,5\n0,1,6");
    assert.deepEqual(system.cell(0), { value: 5, time: NOW - HOUR_MS });
    assert.equal(system.store.lastAlive, NOW - HOUR_MS, "not updated yet");

    system.link.handlers.message(incoming(DATA, "0,2,7"));
    const [marker] = system.markers();
    system.link.handlers.message(marker!);
    assert.ok(system.link.acknowledged.includes(marker!));
    assert.deepEqual(system.cell(2), { value: 7, time: NOW - HOUR_MS });
    assert.equal(system.store.lastAlive, NOW);

    await system.send("0,1,8");
    assert.deepEqual(system.cell(1), { value: 8, time: NOW });
    assert.deepEqual(system.refused(), []);
  },
});

Deno.test({
  name:
    "a reading that waited is not dated before an earlier dated reading, nor late",
  permissions: "none",
  fn: async () => {
    await using system = await start({ lastAlive: NOW - HOUR_MS });
    const time = NOW - 10 * MINUTE_MS;
    await system.send(`0,0,1,${time}\n0,0,2\n0,1,3`);
    assert.deepEqual(system.cell(0), { value: 2, time });
    assert.deepEqual(system.cell(1), { value: 3, time });
    await system.send(`0,2,4,${NOW + 1000}\n0,2,5`); // a clock that is ahead
    assert.equal(system.cell(2).value, 4);
    await system.send("0,2,6\n0,3,7");
    assert.deepEqual(system.cell(2), { value: 6, time: NOW });
    assert.deepEqual(system.cell(3), { value: 7, time });
  },
});

Deno.test({
  name:
    "a reading that waited is not dated by readings at QoS 0, or of another topic",
  permissions: "none",
  fn: async () => {
    await using system = await start({ lastAlive: NOW - HOUR_MS });
    await system.send(`0,0,1,${NOW}`, 0);
    await system.send("0,1,2");
    assert.deepEqual(system.cell(1), { value: 2, time: NOW - HOUR_MS });
    await system.send(`0,0,1,${NOW}`, 1, `${DATA}/l2`);
    await system.send("0,2,3");
    assert.deepEqual(system.cell(2), { value: 3, time: NOW - HOUR_MS });
    await system.send("0,1,4", 1, `${DATA}/l2`);
    assert.deepEqual(system.cell(1, "l2"), { value: 4, time: NOW });
    // Messages at QoS 0 may have waited too, but not in this order.
    await system.send("0,2,5", 0, `${DATA}/l2`);
    assert.deepEqual(system.cell(2, "l2"), { value: 5, time: NOW - HOUR_MS });
    // The present cell is always a bound.
    await system.send("0,0,6", 0);
    assert.deepEqual(system.cell(0), { value: 6, time: NOW });
  },
});

Deno.test({
  name:
    "after the network was silent, readings are dated with the moment before, until the marker returns",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    system.link.handlers.message(system.markers()[0]!);
    await system.send("0,0,1");
    const known = system.markers().length;
    system.link.handlers.silent!(43_000);
    const silentSince = NOW - 43_000;
    // Arrived before the silence: the order of arrival is certain.
    await system.send("0,0,2\n0,1,3");
    assert.deepEqual(system.cell(0), { value: 2, time: NOW });
    assert.deepEqual(system.cell(1), { value: 3, time: silentSince });
    const [marker] = system.markers().slice(known);
    system.link.handlers.message(marker!);
    await system.send("0,1,4");
    assert.deepEqual(system.cell(1), { value: 4, time: NOW });
  },
});

Deno.test({
  name:
    "after the server stood still, readings are dated with the moment before, until all has been received",
  permissions: "none",
  fn: async () => {
    for (const hasSessions of [true, false]) {
      const link = new SessionLink();
      await using system = await start({ sessionPresent: false, link });
      if (!hasSessions) delete (link as Partial<SessionLink>).sessionPresent;
      await system.send("0,0,1");
      system.standStill(2000); // busy for a moment
      await system.send("0,0,2");
      assert.deepEqual(system.cell(0), { value: 2, time: NOW + 2000 });

      system.standStill(HOUR_MS);
      await system.send("0,0,3");
      assert.deepEqual(system.cell(0), { value: 3, time: NOW + 2000 });
      await system.send("0,1,4", 0);
      assert.deepEqual(system.cell(1), { value: 4, time: NOW + 2000 });
      const body = new TextEncoder().encode("0,2,5");
      await system.server.submit("default", body); // it waited in a socket
      assert.deepEqual(system.cell(2), { value: 5, time: NOW + 2000 });

      await until(() => system.markers().length > 0);
      await system.server.submit("default", body);
      assert.equal(system.cell(2).time, system.now);
      await system.send("0,1,6");
      assert.deepEqual(system.cell(1), { value: 6, time: NOW + 2000 });
      system.link.handlers.message(system.markers()[0]!);
      await system.send("0,1,7");
      assert.deepEqual(system.cell(1), { value: 7, time: system.now });
      assert.deepEqual(system.refused(), []);
    }
  },
});

Deno.test({
  name:
    "a disconnection that is noticed late begins before the server stood still or was suspended",
  permissions: "none",
  fn: async () => {
    for (const isSuspended of [true, false]) {
      await using system = await start({ sessionPresent: false });
      await system.send("0,0,1");
      system.now += HOUR_MS;
      if (!isSuspended) system.monotonic += HOUR_MS;
      system.link.handlers.down!("gone");
      system.link.sessionPresent = true;
      system.link.handlers.up!();
      await system.send("0,1,2");
      assert.deepEqual(system.cell(1), { value: 2, time: NOW });
    }
  },
});

Deno.test({
  name:
    "readings that waited while the server stood still keep their date while the store fails",
  permissions: "none",
  fn: async () => {
    await using system = await start({ sessionPresent: false });
    await system.send("0,0,1");
    system.store.failing = true;
    system.link.handlers.message(incoming(DATA, "0,0,2"));
    await until(() => system.server.storeProblem);
    system.standStill(HOUR_MS);
    const message = incoming(DATA, "0,1,3");
    system.link.handlers.message(message);
    // Long enough to read what waits in the sockets.
    const end = performance.now() + 1500;
    await until(() => performance.now() > end);
    system.store.failing = false;
    await until(() => system.link.acknowledged.includes(message));
    assert.deepEqual(system.cell(1), { value: 3, time: NOW });
  },
});

Deno.test({
  name:
    "after a reconnect, readings are dated with the disconnection until the marker returns",
  permissions: "none",
  fn: async () => {
    await using system = await start({ sessionPresent: false });
    await system.send("0,0,1");
    assert.deepEqual(system.cell(0), { value: 1, time: NOW });
    assert.deepEqual(system.markers(), [], "nothing can have waited");

    system.link.handlers.down!("gone");
    system.now += HOUR_MS;
    system.link.sessionPresent = true;
    await system.send("0,0,2"); // may arrive before up()
    system.link.handlers.up!();
    await system.send("0,1,3");
    assert.deepEqual(system.cell(0), { value: 2, time: NOW });
    assert.deepEqual(system.cell(1), { value: 3, time: NOW });

    const [first] = system.markers();
    system.link.handlers.down!("gone again");
    system.link.handlers.up!();
    system.link.handlers.message(first!); // of the previous connection
    await system.send("0,2,4");
    assert.deepEqual(system.cell(2), { value: 4, time: NOW });
    system.link.handlers.message(system.markers()[1]!);
    await system.send("0,3,5");
    assert.deepEqual(system.cell(3), { value: 5, time: NOW + HOUR_MS });
  },
});

Deno.test({
  name:
    "readings count as new if the broker stored no session or refuses the marker",
  permissions: "none",
  fn: async () => {
    {
      await using system = await start({
        lastAlive: NOW - HOUR_MS,
        sessionPresent: false,
      });
      await system.send("0,0,1");
      assert.deepEqual(system.cell(0), { value: 1, time: NOW });
    }
    const link = new RefusingLink();
    await using system = await start({ lastAlive: NOW - HOUR_MS, link });
    await until(() => system.store.lastAlive === NOW);
    await system.send("0,0,1");
    assert.deepEqual(system.cell(0), { value: 1, time: NOW });
  },
});

Deno.test({
  name: "Server.stop() stores when the server was last alive",
  permissions: "none",
  fn: async () => {
    const system = await start({ sessionPresent: false });
    system.now += 30_000;
    await system.server.stop();
    assert.equal(system.store.lastAlive, NOW + 30_000);
  },
});

Deno.test({
  name: "of two brokers, only the one that was away has readings that waited",
  permissions: "none",
  fn: async () => {
    const [a, b] = [new SessionLink(), new SessionLink()];
    const store = new FakeStore({ durable: true });
    let now = NOW;
    const options = {
      ...fakeOptions(),
      link: new JoinedLinks([a, b]),
      store,
      clock: () => now,
      changesInterval: 0,
    };
    const server = new Server(options);
    await server.start();
    const send = (link: SessionLink, payload: string) =>
      link.handlers.message(incoming(DATA, payload, { link }));
    const returnMarkers = (link: SessionLink) => {
      for (const text of link.textsOn(MARKERS)) {
        link.handlers.message(incoming(MARKERS, text, { link }));
      }
    };
    const timeOf = async (x: number) => {
      await server.processed();
      return options.map.layer("default")!.get(x, 0)!.time;
    };
    returnMarkers(a);
    assert.equal(store.lastAlive, undefined, "readings of b may have waited");
    returnMarkers(b);
    assert.equal(store.lastAlive, NOW);

    b.handlers.down!("gone");
    now += MINUTE_MS;
    a.handlers.message(incoming(MARKERS, "of no one", { link: a }));
    send(a, "1,0,1");
    assert.equal(await timeOf(1), now, "a was connected");
    b.handlers.up!();
    send(b, "2,0,1");
    assert.equal(await timeOf(2), NOW, "it may have waited at b");
    send(a, "3,0,1");
    // A bridge between the brokers can deliver the marker of the other one.
    for (const text of b.textsOn(MARKERS)) {
      a.handlers.message(incoming(MARKERS, text, { link: a }));
    }
    send(b, "4,0,1");
    assert.equal(await timeOf(3), now);
    assert.equal(await timeOf(4), NOW, "b has not delivered its marker");
    returnMarkers(b);
    send(b, "5,0,1");
    assert.equal(await timeOf(5), now);
    await server.stop();
  },
});
