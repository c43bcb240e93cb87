import assert from "node:assert/strict";
import { ClockOffset } from "../../../src/page/feed/clock_offset.ts";

Deno.test({
  name: "ClockOffset uses the shortest of the last round trips",
  permissions: "none",
  fn: () => {
    const clock = new ClockOffset();
    assert.equal(clock.serverTime(0), undefined);
    clock.add(1000, 6100, 1200); // 100 ms each way, 5,000 ahead
    assert.equal(clock.serverTime(1200), 6200);
    clock.add(2000, 7900, 3000); // a slow answer
    assert.equal(clock.serverTime(3000), 8000);
    assert.equal(clock.oneWay, 100);
    clock.add(4000, 9001, 4002);
    assert.equal(clock.serverTime(4002), 9002);
    clock.clear();
    assert.equal(clock.oneWay, undefined);
  },
});
