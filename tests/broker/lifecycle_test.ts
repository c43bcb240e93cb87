import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import type { LinkError } from "../../src/mqtt/link.ts";
import { Harness, OFFLINE } from "./harness.ts";
import cert from "./fixtures/cert.pem" with { type: "text" };
import {
  connectFrame,
  publishFrame,
  RawClient,
  readPublish,
  Type,
} from "./raw_client.ts";

const encoder = new TextEncoder();
const HOST = "127.0.0.1";
/** A good key of no certificate. */
const OTHER_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEX0QCWL+UExXV30J
GcjH9Xso7t9wyQemdOufW5RYyFahRANCAARGIKiWLpYUc4LkIubTBG532HdutHgQ
w+6wII/66Dp9fecVo5BmWr6ZuvAM0PsaoGQOulIjwuPjfsXeaXBwvlnP
-----END PRIVATE KEY-----
`;

Deno.test({
  name: "createBroker() describes itself with the port that it was given",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    const { host, port } = server.broker.address;
    equal(host, HOST);
    equal(port > 0, true);
    equal(server.broker.description, `embedded broker on ${HOST}:${port}`);
    equal(server.broker.mqttVersion, 4);
    equal(server.broker.wsAddress, undefined);
    equal(server.broker.tlsAddress, undefined);
  },
});

Deno.test({
  name: "open() says that a port is in use, and what to do",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    const { port } = server.at;
    await rejects(Harness.open({ port }), (error) => {
      equal((error as LinkError).code, "in-use");
      equal((error as LinkError).message, `Port ${port} of ${HOST} is in use`);
      match((error as LinkError).hint!, /--listen/);
      return true;
    });
    // The same for a second listener; the first one is given back.
    await rejects(
      Harness.open({ ws: { host: HOST, port } }),
      (error) => (error as LinkError).code === "in-use",
    );
  },
});

Deno.test({
  name: "open() says why it cannot listen, for each bad endpoint",
  ignore: OFFLINE,
  async fn() {
    const bad = {
      "no.such.host.invalid": /^No such host: no\.such\.host\.invalid$/,
      "203.0.113.9": /^Cannot listen on 203\.0\.113\.9:0: /,
    };
    for (const [host, message] of Object.entries(bad)) {
      await rejects(Harness.open({ host }), (error) => {
        equal((error as LinkError).code, "unreachable");
        match((error as LinkError).message, message);
        return true;
      });
    }
    await rejects(Harness.open({ port: 70_000 }), {
      name: "LinkError",
      code: "unreachable",
    });
  },
});

Deno.test({
  name: "open() says that a certificate or key is no good",
  ignore: OFFLINE,
  async fn() {
    const at = { host: HOST, port: 0, cert };
    for (const key of ["", "nonsense", OTHER_KEY]) {
      for (const options of [{ tls: { ...at, key } }, { ws: { ...at, key } }]) {
        await rejects(Harness.open(options), {
          name: "LinkError",
          code: "tls",
        });
      }
    }
  },
});

Deno.test({
  name: "createBroker() refuses filters that it cannot serve",
  ignore: OFFLINE,
  async fn() {
    const { createBroker } = await import("../../src/broker/broker.ts");
    for (const filter of ["", "#", "a/+", "a/#/b", "a#"]) {
      throws(
        () => createBroker({ host: HOST, port: 0, subscriptions: [filter] }),
        TypeError,
      );
    }
  },
});

Deno.test({
  name:
    "publish() refuses a topic that cannot be, and when the broker is not open",
  ignore: OFFLINE,
  async fn() {
    const server = await Harness.open();
    const publish = (topic: string) =>
      server.broker.publish(topic, encoder.encode("x"), { qos: 1 });
    for (const topic of ["/".repeat(1000), "a/+", "a/#", ""]) {
      await rejects(publish(topic), { name: "LinkError", code: "refused" });
    }
    await server.broker.close();
    await rejects(publish("a"), { name: "LinkError", code: "closed" });
  },
});

Deno.test({
  name:
    "close() sends what was published, ends each connection, says nothing more, and frees the port",
  ignore: OFFLINE,
  async fn() {
    const server = await Harness.open({
      prompt: false,
      ws: { host: HOST, port: 0 },
    });
    const { port } = server.at;
    using watcher = await RawClient.connect(server.at, "watcher");
    await watcher.subscribe("#");
    using _dying = await RawClient.connect(server.at, "dying", {
      will: { topic: "data", payload: "a will" },
    });
    using unconnected = await RawClient.dial(server.at);
    using http = await RawClient.dial(server.broker.wsAddress!);
    using holder = await RawClient.connect(server.at, "holder");
    await holder.send(publishFrame("data", "held", 1));
    await server.receives(1);
    const large = new Uint8Array(5_000_000);
    const published = server.broker.publish("map", large);
    const last = server.broker.publish("state", encoder.encode("offline"));
    await watcher.take(Type.PUBLISH);
    await Promise.all([published, last]);
    const closing = server.broker.close();
    equal(server.broker.close(), closing);
    equal(readPublish(await watcher.take(Type.PUBLISH)).text, "offline");
    equal(await watcher.next(), undefined);
    await closing;
    equal(await holder.next(), undefined); // no acknowledgement
    await unconnected.ended();
    await http.ended();
    server.broker.acknowledge(server.received);
    deepEqual(server.texts(), ["held"]);

    await using again = await Harness.open({ port });
    equal(again.at.port, port);
  },
});

Deno.test({
  name: "close() does not wait for ever for a client that does not read",
  ignore: OFFLINE,
  async fn() {
    const server = await Harness.open();
    using frozen = await RawClient.connect(server.at, "frozen");
    await frozen.subscribe("map");
    using reader = await RawClient.connect(server.at, "reader");
    await reader.subscribe("map");
    const published = server.broker.publish("map", new Uint8Array(30_000_000));
    const start = performance.now();
    const closing = server.broker.close();
    // What is under way still gets to who reads.
    equal(
      readPublish(await reader.take(Type.PUBLISH)).bytes.length,
      30_000_000,
    );
    await closing;
    equal(performance.now() - start < 5_000, true);
    await published;
  },
});

Deno.test({
  name:
    "close() is clean before open(), during it, and in the middle of a CONNECT",
  ignore: OFFLINE,
  async fn() {
    const { createBroker } = await import("../../src/broker/broker.ts");
    await createBroker({ host: HOST, port: 0, subscriptions: [] }).close();
    const opening = createBroker({ host: HOST, port: 0, subscriptions: [] });
    const opened = opening.open({ message: () => {} });
    await opening.close();
    await opened;
    await rejects(
      RawClient.dial(opening.address),
      Deno.errors.ConnectionRefused,
    );
    await rejects(opening.open({ message: () => {} }), { code: "closed" });

    const server = await Harness.open();
    using client = await RawClient.dial(server.at);
    await client.send(connectFrame("early"));
    await server.broker.close();
    await client.ended();
  },
});
