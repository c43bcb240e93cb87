import assert from "node:assert/strict";
import {
  requestCommand,
  sendCommand,
} from "../../../src/page/elements/command.ts";
import {
  ago,
  byteRate,
  cellWords,
  count,
  share,
  span,
} from "../../../src/page/elements/format.ts";
import { niceLength } from "../../../src/page/panels/legend.ts";

const options = { permissions: "none" } as const;

Deno.test(
  "requestCommand() gives a line that a shell takes as it is",
  options,
  () => {
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
);

Deno.test(
  "sendCommand() names the layer if it is not the usual one",
  options,
  () => {
    assert.equal(
      sendCommand("default"),
      "occupancy client --file client1.json",
    );
    assert.equal(
      sendCommand("l 2"),
      "occupancy client --layer 'l 2' --file client1.json",
    );
  },
);

Deno.test(
  "cellWords() never calls unknown, stale or no data free",
  options,
  () => {
    const told = (value: number | undefined, stale: boolean) => {
      const { title, detail } = cellWords(value, stale);
      return [title, detail];
    };
    assert.deepEqual(told(0, false), ["Free", ""]);
    assert.deepEqual(told(1, false), ["Occupied", ""]);
    assert.deepEqual(told(1200, false), ["Occupied", "1,200 people"]);
    assert.deepEqual(told(0, true), ["Stale", "was free"]);
    assert.deepEqual(told(1, true), ["Stale", "was occupied"]);
    assert.deepEqual(told(4, true), ["Stale", "was 4 people"]);
    assert.deepEqual(told(-1, false), ["Unknown", ""]);
    assert.deepEqual(told(-1, true), ["Unknown", ""]);
    assert.deepEqual(told(undefined, false), ["No data", ""]);
  },
);

Deno.test(
  "count(), share() and span() say neither more nor less than is so",
  options,
  () => {
    assert.equal(count(1234567), "1,234,567");
    assert.equal(count(12_300_000_000), "12.3B");
    assert.equal(share(1, 100_000), "<0.1%");
    assert.equal(share(99_999, 100_000), ">99.9%");
    assert.equal(share(0, 7), "0%");
    assert.equal(share(0, 0), "–");
    assert.equal(span(999), "0 s");
    assert.equal(span(59_999), "59 s");
    assert.equal(span(300_000), "5 min");
    assert.equal(ago(-500), "just now");
    assert.equal(ago(7_300_000), "2 h ago");
    assert.equal(byteRate(19_456), "19.0 KiB/s");
  },
);

Deno.test(
  "niceLength() is 1, 2 or 5 times a power of ten, long enough to see",
  options,
  () => {
    for (const perUnit of [1e-7, 0.003, 0.5, 1, 3.3, 17, 96, 4000]) {
      for (const whole of [true, false]) {
        const { length, px } = niceLength(perUnit, whole);
        assert.match(length.toExponential(), /^[125]e/);
        assert.equal(px, length * perUnit);
        assert.ok(px >= 60, `${length} at ${perUnit} is ${px} px`);
        if (whole) assert.ok(Number.isInteger(length));
        else assert.ok(px < 200, `${length} at ${perUnit} is ${px} px`);
      }
    }
  },
);
