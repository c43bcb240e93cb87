import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { NO_PERSISTENCE } from "../../src/broker/persistence/persistence.ts";
import type { LinkError } from "../../src/mqtt/link.ts";
import cert from "./fixtures/cert.pem" with { type: "text" };
import { needs } from "../support/needs.ts";
import { encodeConnect, encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until } from "../support/until.ts";
import { RecordingBroker } from "./recording_broker.ts";

const encoder = new TextEncoder();
const HOST = "127.0.0.1";
/** A valid key that belongs to another certificate. */
const OTHER_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEX0QCWL+UExXV30J
GcjH9Xso7t9wyQemdOufW5RYyFahRANCAARGIKiWLpYUc4LkIubTBG532HdutHgQ
w+6wII/66Dp9fecVo5BmWr6ZuvAM0PsaoGQOulIjwuPjfsXeaXBwvlnP
-----END PRIVATE KEY-----
`;

Deno.test({
  name: "createBroker() reports its address with the assigned port",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    const { host, port } = server.broker.address;
    equal(host, HOST);
    equal(port > 0, true);
    equal(server.broker.description, `embedded broker on ${HOST}:${port}`);
    equal(server.broker.mqttVersion, 5);
    equal(server.broker.wsAddress, undefined);
    equal(server.broker.tlsAddress, undefined);
  },
});

Deno.test({
  name: "open() reports a port in use, with a hint",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    const { port } = server;
    await rejects(RecordingBroker.open({ port }), (error) => {
      equal((error as LinkError).code, "in-use");
      equal(
        (error as LinkError).message,
        `Cannot listen on ${HOST}:${port}: port in use`,
      );
      match((error as LinkError).hint!, /--listen .*--broker .*--prefix/);
      return true;
    });
    // If a second listener fails, the first port becomes free again.
    await rejects(
      RecordingBroker.open({ ws: { host: HOST, port } }),
      (error) => (error as LinkError).code === "in-use",
    );
  },
});

Deno.test({
  name: "open() reports why it cannot listen",
  ...needs(),
  async fn() {
    const bad = {
      "no.such.host.invalid": /^Cannot listen on no\.\S+: host not found$/,
      "203.0.113.9":
        /^Cannot listen on 203\.0\.113\.9:0: this machine does not have this address$/,
    };
    for (const [host, message] of Object.entries(bad)) {
      await rejects(RecordingBroker.open({ host }), (error) => {
        equal((error as LinkError).code, "unreachable");
        match((error as LinkError).message, message);
        return true;
      });
    }
    await rejects(RecordingBroker.open({ port: 70_000 }), {
      name: "LinkError",
      code: "unreachable",
    });
  },
});

Deno.test({
  name: "open() reports an invalid certificate or key",
  ...needs(),
  async fn() {
    const at = { host: HOST, port: 0, cert };
    for (const key of ["", "nonsense", OTHER_KEY]) {
      for (
        const options of [{ tls: { ...at, key } }, { wss: { ...at, key } }]
      ) {
        await rejects(RecordingBroker.open(options), {
          name: "LinkError",
          code: "tls",
        });
      }
    }
  },
});

Deno.test({
  name: "createBroker() throws TypeError for unsupported filters",
  ...needs(),
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
  name: "publish() rejects invalid topics, and all messages after close()",
  ...needs(),
  async fn() {
    const server = await RecordingBroker.open();
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
    "close() sends the published messages, ends all connections and frees the port",
  ...needs(),
  async fn() {
    const server = await RecordingBroker.open({
      acknowledge: false,
      ws: { host: HOST, port: 0 },
    });
    const { port } = server;
    await using watcher = await RawConnection.open(server.port, "watcher");
    await watcher.subscribe("#");
    await using _dying = await RawConnection.open(server.port, "dying", {
      will: { topic: "data", payload: "a will" },
    });
    await using unconnected = await RawConnection.dial(server.port);
    await using http = await RawConnection.dial(server.broker.wsAddress!.port);
    await using holder = await RawConnection.open(server.port, "holder");
    await holder.write(encodePublish("data", "held", { id: 1 }));
    await server.untilReceived(1);
    const large = new Uint8Array(5_000_000);
    const published = server.broker.publish("map", large);
    const last = server.broker.publish("state", encoder.encode("offline"));
    await watcher.expect("publish");
    await Promise.all([published, last]);
    const closing = server.broker.close();
    equal(server.broker.close(), closing);
    equal(String((await watcher.expect("publish")).payload), "offline");
    equal(await watcher.next(), undefined);
    await closing;
    equal(await holder.next(), undefined); // no acknowledgement
    await unconnected.ended();
    await http.ended();
    server.broker.acknowledge(server.received);
    deepEqual(server.texts(), ["held"]);

    await using again = await RecordingBroker.open({ port });
    equal(again.port, port);
  },
});

Deno.test({
  name: "close() publishes the wills of connected clients",
  ...needs(),
  async fn() {
    const kept: string[] = [];
    const server = await RecordingBroker.open({
      persistence: {
        ...NO_PERSISTENCE,
        setRetained: (topic, message) => {
          // The server's own are deleted: they are not stored.
          if (message === undefined) return;
          kept.push(`${topic} ${new TextDecoder().decode(message.payload)}`);
        },
      },
    });
    const will = { topic: "status", payload: "offline", retain: true };
    await using _a = await RawConnection.open(server.port, "a", { will });
    await using b = await RawConnection.open(server.port, "b", {
      will: { ...will, topic: "other" },
    });
    await b.disconnect();
    await until(() => server.broker.brokerState!.clients === 1);
    await server.broker.close();
    deepEqual(kept, ["status offline"]);
  },
});

Deno.test({
  name: "close() ends in time if a client does not read",
  ...needs(),
  async fn() {
    const server = await RecordingBroker.open();
    await using frozen = await RawConnection.open(server.port, "frozen");
    await frozen.subscribe("map");
    frozen.freeze();
    await using reader = await RawConnection.open(server.port, "reader");
    await reader.subscribe("map");
    const published = server.broker.publish("map", new Uint8Array(30_000_000));
    const start = performance.now();
    const closing = server.broker.close();
    // A client that reads still receives the messages in flight.
    equal((await reader.expect("publish")).payload.length, 30_000_000);
    await closing;
    equal(performance.now() - start < 5_000, true);
    await published;
  },
});

Deno.test({
  name: "close() succeeds before open(), during open() and during a CONNECT",
  ...needs(),
  async fn() {
    const { createBroker } = await import("../../src/broker/broker.ts");
    await createBroker({ host: HOST, port: 0, subscriptions: [] }).close();
    const opening = createBroker({ host: HOST, port: 0, subscriptions: [] });
    const opened = opening.open({ message: () => {} });
    await opening.close();
    await opened;
    await rejects(
      RawConnection.dial(opening.address.port),
      Deno.errors.ConnectionRefused,
    );
    await rejects(opening.open({ message: () => {} }), { code: "closed" });

    const server = await RecordingBroker.open();
    await using client = await RawConnection.dial(server.port);
    await client.write(encodeConnect("early"));
    await server.broker.close();
    await client.ended();
  },
});
