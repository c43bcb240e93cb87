import assert from "node:assert/strict";
import {
  requestCommand,
  sendCommand,
} from "../../../src/page/elements/command_box.ts";

const permissions = "none";

Deno.test({
  name: "requestCommand() quotes the layer for a shell",
  permissions,
  fn: () => {
    const region = { x0: -3, y0: 1, x1: 62, y1: 181 };
    assert.equal(
      requestCommand("campus2/l2", region),
      "occupancy request --layer campus2/l2 --region=-3,1,62,181",
    );
    assert.equal(
      requestCommand("it's $(here)", region),
      "occupancy request --layer 'it'\\''s $(here)' --region=-3,1,62,181",
    );
    assert.equal(
      requestCommand("-x", region),
      "occupancy request --layer=-x --region=-3,1,62,181",
    );
  },
});

Deno.test({
  name: "sendCommand() omits the default layer",
  permissions,
  fn: () => {
    assert.equal(
      sendCommand("default"),
      "occupancy client --file client1.json",
    );
    assert.equal(
      sendCommand("l 2"),
      "occupancy client --layer 'l 2' --file client1.json",
    );
  },
});
