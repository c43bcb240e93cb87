import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import {
  clientAccess,
  watchCommand,
} from "../../../../src/cli/commands/server/client_access.ts";

const PREFIX = { prefix: "p" };

Deno.test({
  name: "clientAccess() names the embedded broker by an address that works",
  ...needs(),
  fn: () => {
    const of = (host: string) => {
      const { broker, reach } = clientAccess(PREFIX, {
        host,
        port: 1884,
      });
      return [broker, reach];
    };
    assert.deepEqual(of("127.0.0.1"), ["mqtt://127.0.0.1:1884", "machine"]);
    assert.deepEqual(of("::1"), ["mqtt://[::1]:1884", "machine"]);
    assert.deepEqual(of("0.0.0.0"), ["mqtt://127.0.0.1:1884", "page"]);
    assert.deepEqual(of("::"), ["mqtt://127.0.0.1:1884", "page"]);
    assert.deepEqual(of("10.1.2.3"), ["mqtt://10.1.2.3:1884", "everywhere"]);
    const at = { host: "10.1.2.3", port: 1884 };
    const needsLogin = (flags: Parameters<typeof clientAccess>[0]) =>
      clientAccess(flags, at).needsLogin;
    assert.equal(needsLogin(PREFIX), false);
    assert.equal(needsLogin({ ...PREFIX, users: "users" }), true);
    const open = { users: "users", allowAnonymous: true } as const;
    assert.equal(needsLogin({ ...PREFIX, ...open }), false);
  },
});

Deno.test({
  name: "clientAccess() never has the login of the server",
  ...needs(),
  fn: () => {
    for (
      const broker of [
        "mqtts://me:secret@mq.example:8883",
        "mqtts://me@mq.example:8883",
        "mqtts://me:se%40cret@mq.example:8883",
      ]
    ) {
      const access = clientAccess({ ...PREFIX, broker: [broker] }, undefined);
      assert.deepEqual(access, {
        broker: "mqtts://mq.example:8883",
        needsLogin: true,
        prefix: "p",
        reach: "everywhere",
      });
    }
  },
});

Deno.test({
  name: "clientAccess() uses --public-broker, else the broker and its --ca",
  ...needs(),
  fn: () => {
    const flags = { ...PREFIX, broker: ["localhost"], ca: "/etc/ca.pem" };
    assert.deepEqual(clientAccess(flags, undefined), {
      broker: "mqtt://localhost",
      needsLogin: false,
      prefix: "p",
      reach: "machine",
      ca: "/etc/ca.pem",
    });
    const publicBroker = "mqtts://mq.example";
    for (const embedded of [undefined, { host: "127.0.0.1", port: 1 }]) {
      assert.deepEqual(
        clientAccess({ ...flags, publicBroker }, embedded),
        {
          broker: publicBroker,
          needsLogin: false,
          prefix: "p",
          reach: "everywhere",
        },
      );
    }
  },
});

Deno.test({
  name: "watchCommand() names broker and prefix unless they are the defaults",
  ...needs(),
  fn: () => {
    const of = (port: number, prefix: string) =>
      watchCommand(clientAccess({ prefix }, { host: "127.0.0.1", port }));
    assert.equal(of(1883, "occupancy"), "occupancy request --watch");
    assert.equal(
      of(1884, "occupancy"),
      "occupancy request --watch --broker mqtt://127.0.0.1:1884 --prefix occupancy",
    );
    assert.match(of(1883, "my floors"), / --prefix 'my floors'$/);
  },
});
