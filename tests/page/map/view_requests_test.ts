import assert from "node:assert/strict";
import { ViewRequests } from "../../../src/page/map/view_requests.ts";

const permissions = "none";
const VISIBLE = { x0: 0, y0: 0, x1: 9, y1: 9 };
const ENLARGED = { x0: -5, y0: -5, x1: 14, y1: 14 };

function recorder() {
  const sent: unknown[] = [];
  const requests = new ViewRequests((...request) => sent.push(request));
  return { requests, sent };
}

Deno.test({
  name: "ViewRequests.update() requests a small layer once, as a whole",
  permissions,
  fn: () => {
    const { requests, sent } = recorder();
    requests.update({ name: "a", cells: 10 }, null);
    requests.update({ name: "a", cells: 11 }, VISIBLE);
    assert.deepEqual(sent, [["a", null]]);
    requests.update({ name: "b", cells: 10 }, VISIBLE);
    requests.reset();
    requests.update({ name: "b", cells: 10 }, VISIBLE);
    assert.deepEqual(sent, [["a", null], ["b", null], ["b", null]]);
  },
});

Deno.test({
  name:
    "ViewRequests.update() requests the visible region of a large layer, again when it leaves the last one",
  permissions,
  fn: () => {
    const { requests, sent } = recorder();
    const layer = { name: "a", cells: 4_000_000 };
    requests.update(layer, VISIBLE);
    requests.update(layer, { ...VISIBLE, x1: 14 });
    assert.deepEqual(sent, [["a", ENLARGED]]);
    requests.update(layer, { ...VISIBLE, x1: 15 });
    assert.equal(sent.length, 2);
  },
});
