import assert from "node:assert/strict";
import {
  type Access,
  requestCommand,
  sendCommand,
} from "../../../src/page/elements/commands.ts";

const permissions = "none";
const REGION = { x0: -3, y0: 1, x1: 62, y1: 181 };
const LOCAL: Access = {
  broker: "mqtt://127.0.0.1:1883",
  needsLogin: false,
  prefix: "occupancy",
  reach: "machine",
  pageHost: "localhost",
};

Deno.test({
  name: "requestCommand() names broker and prefix, and runs as copied",
  permissions,
  fn: () => {
    assert.deepEqual(requestCommand("campus2/l2", REGION, LOCAL), {
      line:
        "occupancy request --layer campus2/l2 --region=-3,1,62,181 --broker mqtt://127.0.0.1:1883 --prefix occupancy",
      note: undefined,
    });
    const tls = { ...LOCAL, prefix: "a b/c", ca: "/etc/my ca.pem" };
    assert.match(
      requestCommand("l", REGION, tls).line,
      / --broker mqtt:\/\/127\.0\.0\.1:1883 --prefix 'a b\/c' --ca '\/etc\/my ca\.pem'$/,
    );
  },
});

Deno.test({
  name: "requestCommand() quotes the layer for a shell",
  permissions,
  fn: () => {
    assert.match(
      requestCommand("it's $(here)", REGION, LOCAL).line,
      /^occupancy request --layer 'it'\\''s \$\(here\)' --region=-3,1,62,181 /,
    );
    assert.match(
      requestCommand("-x", REGION, LOCAL).line,
      /^occupancy request --layer=-x --region=-3,1,62,181 /,
    );
  },
});

Deno.test({
  name: "sendCommand() needs no file",
  permissions,
  fn: () => {
    assert.equal(
      sendCommand("l 2", LOCAL).line,
      "echo 1,2,1 | occupancy client --file - --layer 'l 2' --broker mqtt://127.0.0.1:1883 --prefix occupancy",
    );
  },
});

Deno.test({
  name: "a command on another machine names an address that reaches the broker",
  permissions,
  fn: () => {
    const remote = { ...LOCAL, pageHost: "map.example" };
    assert.match(sendCommand("l", remote).note!, /--public-broker/);
    const all = { ...remote, reach: "page" } as const;
    assert.match(sendCommand("l", all).line, / mqtt:\/\/map\.example:1883 /);
    assert.equal(sendCommand("l", all).note, undefined);
    const ipv6 = { ...all, pageHost: "[fd00::1]" };
    assert.match(sendCommand("l", ipv6).line, / 'mqtt:\/\/\[fd00::1\]:1883' /);
    const publicBroker = {
      ...remote,
      broker: "mqtts://mq.example",
      reach: "everywhere",
    } as const;
    assert.match(
      sendCommand("l", publicBroker).line,
      / mqtts:\/\/mq\.example /,
    );
    assert.equal(sendCommand("l", publicBroker).note, undefined);
    assert.match(
      sendCommand("l", { ...publicBroker, needsLogin: true }).note!,
      /user:password@/,
    );
  },
});
