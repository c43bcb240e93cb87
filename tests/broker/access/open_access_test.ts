/** Access without users. */
import assert from "node:assert/strict";
import { OpenAccess } from "../../../src/broker/access/open_access.ts";
import { Topics } from "../../../src/protocol/mod.ts";

const topics = new Topics();
const access = new OpenAccess({
  reserved: topics.serverOnlyFilters,
  peerTopic: topics.state,
  serverClientIds: ["occupancy-server"],
});
const login = {
  clientId: "sensor",
  user: undefined,
  password: undefined,
  certificateName: undefined,
  address: "127.0.0.1",
};
const identity = { user: undefined, clientId: "a", isAdministrator: false };

Deno.test({
  name: "every client may connect, except with a client id of the server",
  permissions: "none",
  fn: () => {
    assert.deepEqual(access.login(login), {
      identity: {
        user: undefined,
        clientId: "sensor",
        isAdministrator: false,
      },
    });
    assert.deepEqual(
      access.login({ ...login, clientId: "occupancy-server" }),
      { refused: "client-id" },
    );
  },
});

Deno.test({
  name: "clients may not publish to the topics of the server",
  permissions: "none",
  fn: () => {
    const own = [
      ...["occupancy/response", "occupancy/response/a", "occupancy/errors"],
      ...["occupancy/changes", "occupancy/changes/a", "occupancy/zone/lobby"],
      ...["occupancy/zone/lobby/event", "occupancy/server/barrier/x", "$SYS/a"],
      ...["$share/a/b", "$"],
    ];
    for (const topic of own) {
      assert.equal(access.mayPublish(identity, topic), false, topic);
    }
    const open = [
      ...["occupancy/data", "occupancy/data/a", "occupancy/request", "a/$b"],
      ...["home/lamp", "other/response", "occupancy/server/state"],
    ];
    for (const topic of open) {
      assert.equal(access.mayPublish(identity, topic), true, topic);
    }
  },
});
