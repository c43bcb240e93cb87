import assert from "node:assert/strict";
import { Dispatcher } from "../../src/server/dispatch.ts";
import { StoreError } from "../../src/store/store.ts";
import { incoming } from "../support/fake_link.ts";
import { fakeContext } from "./support.ts";

const REQUEST = "occupancy/request";
const MARKERS = "occupancy/server/barrier/me";

function start() {
  const context = fakeContext();
  let handler = "";
  const set = (name: string) => () => void (handler = name);
  const dispatcher = new Dispatcher(context, {
    peers: { handle: set("peers") },
    connections: {
      markerTopic: MARKERS,
      handleMarker: set("markers"),
      hold: set("barrier"),
    },
    pipeline: { push: set("pipeline") },
    homeAssistant: {
      topics: new Set(["homeassistant/status"]),
      handle: set("Home Assistant"),
    },
  });
  return {
    context,
    /** Dispatches a message and returns the name of its handler. */
    dispatch: (topic: string, qos: 0 | 1) => {
      dispatcher.dispatch(incoming(topic, "", { qos }));
      return handler;
    },
  };
}

Deno.test({
  name: "Dispatcher.dispatch() passes a message to the handler of its topic",
  permissions: "none",
  fn: () => {
    const { context, dispatch } = start();
    const handlers: [topic: string, qos0: string, qos1: string][] = [
      ["occupancy/data", "pipeline", "pipeline"],
      ["occupancy/data/l2", "pipeline", "pipeline"],
      [REQUEST, "barrier", "pipeline"],
      ["occupancy/server/state", "peers", "peers"],
      [MARKERS, "markers", "markers"],
    ];
    for (const [topic, qos0, qos1] of handlers) {
      assert.deepEqual([dispatch(topic, 0), dispatch(topic, 1)], [qos0, qos1]);
    }
    context.status.storeProblem = new StoreError("The disk is full");
    assert.equal(dispatch(REQUEST, 0), "pipeline", "for an error reply");
  },
});
