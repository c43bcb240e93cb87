/** Wills of users that survive a kill of the server: their rights and lifetime. */
import assert from "node:assert/strict";
import { hashPassword } from "../../src/broker/access/password.ts";
import { needs } from "../support/needs.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { tempDir } from "../support/temp.ts";
import { startBroker } from "./broker_state_support.ts";

Deno.test({
  name:
    "a will after a restart has the rights of its user, and its message expiry",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const { text } = await hashPassword(
      new TextEncoder().encode("secret"),
      { ln: 4, r: 1, p: 1 },
    );
    const users = await folder.file(
      "users",
      ["alice", "bob"].map((name) =>
        `user ${name} ${text}\n  publish ${name}/#\n  subscribe #\n`
      ).join(""),
    );
    await Deno.chmod(users, 0o600);
    await using server = await startBroker(folder.path, ["--users", users]);
    const login = (username: string) => ({
      ...{ username, password: "secret", clean: false, version: 5 as const },
    });
    const keep = { sessionExpiryInterval: 1 };
    {
      await using watcher = await RawConnection.open(server.port, "watcher", {
        ...login("bob"),
        properties: { sessionExpiryInterval: 1000 },
      });
      await watcher.send({
        cmd: "subscribe",
        messageId: 1,
        subscriptions: [
          { topic: "alice/#", qos: 1 },
          { topic: "bob/#", qos: 1 },
        ],
      });
      await watcher.expect("suback");
      // The first may not publish there; the session ends with the delay.
      for (
        const [clientId, topic] of [["a", "bob/x"], ["b", "alice/x"]] as const
      ) {
        await using raw = await RawConnection.open(server.port, clientId, {
          ...login("alice"),
          properties: keep,
          will: {
            ...{ topic, payload: "gone", qos: 1 },
            properties: { willDelayInterval: 1, messageExpiryInterval: 500 },
          },
        });
        await raw.subscribe("alice/none", 1); // committed
      }
      await server.kill();
    }
    await server.start();
    await using watcher = await RawConnection.open(server.port, "watcher", {
      ...login("bob"),
      properties: { sessionExpiryInterval: 1000 },
    });
    const { topic, properties } = await watcher.take("publish");
    assert.equal(topic, "alice/x");
    const left = properties?.messageExpiryInterval ?? 0;
    assert.ok(left > 400 && left <= 500, `${left}`);
    await watcher.ping();
    await server.running.waitFor(/Refused a message of the client "a" to bob/);
  },
});
