import { equal, match } from "node:assert/strict";
import fc from "fast-check";
import { FrameScan } from "../../src/broker/frame_scan.ts";
import { concat, frame } from "./raw_client.ts";

const LIMIT = 300;

Deno.test({
  name: "FrameScan.push() counts the same packets, however the stream is cut",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: LIMIT }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        (bodies, cuts) => {
          const stream = concat(bodies.map((body) => frame(0x30, body)));
          const scan = new FrameScan(LIMIT);
          for (let at = 0, i = 0; at < stream.length; i++) {
            const end = at + cuts[i % cuts.length]!;
            equal(scan.push(stream.subarray(at, end)), undefined);
            at = end;
          }
          equal(scan.packets, bodies.length);
        },
      ),
    );
  },
});

Deno.test({
  name:
    "FrameScan.push() tells a packet that is too long by its header, a byte at a time too",
  permissions: "none",
  fn() {
    const good = frame(0x30, new Uint8Array(LIMIT));
    const bad = frame(0x30, new Uint8Array(LIMIT + 1)).subarray(0, 3);
    const whole = new FrameScan(LIMIT);
    match(whole.push(concat([good, bad]))!, /more than 300 bytes/);
    equal(whole.packets, 1);
    const slow = new FrameScan(LIMIT);
    const problems = Array.from(
      concat([good, bad]),
      (byte) => slow.push(Uint8Array.of(byte)),
    );
    match(problems.at(-1)!, /more than 300 bytes/);
    equal(problems.filter((problem) => problem !== undefined).length, 1);
  },
});

Deno.test({
  name: "FrameScan.push() takes four digits of length, and refuses five",
  permissions: "none",
  fn() {
    const max = 268_435_455; // MQTT 3.1.1, 2.2.3
    const longest = Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f);
    equal(new FrameScan(max).push(longest), undefined);
    const five = Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01);
    match(new FrameScan(max).push(five)!, /malformed/);
  },
});
