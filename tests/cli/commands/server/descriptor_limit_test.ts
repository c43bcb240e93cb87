/** How many connections HTTP and the embedded broker may have. */
import assert from "node:assert/strict";
import {
  connectionBudget,
  parseLimit,
} from "../../../../src/cli/commands/server/descriptor_limit.ts";

const LIMITS = `Limit                     Soft Limit   Hard Limit   Units
Max processes             127235       127235       processes
Max open files            4096         65536        files
`;

Deno.test({
  name: "the limit of file descriptors is read from the file of Linux",
  permissions: "none",
  fn: () => {
    assert.equal(parseLimit(LIMITS), 4096);
    assert.equal(parseLimit(LIMITS.replace("4096 ", "unlimited ")), Infinity);
    assert.equal(parseLimit("Max processes 1"), undefined);
  },
});

Deno.test({
  name:
    "--http-connections is what is set, unless it is more than half of the known file descriptors",
  permissions: "none",
  fn: () => {
    const warnings: string[] = [];
    const warn = (line: string) => warnings.push(line);
    assert.equal(connectionBudget("HTTP", 512, 1024, warn), 512);
    assert.equal(connectionBudget("HTTP", 2000, Infinity, warn), 2000);
    assert.equal(
      connectionBudget("HTTP", 2000, undefined, warn),
      2000,
      "unknown",
    );
    assert.deepEqual(warnings, []);
    assert.equal(connectionBudget("HTTP", 2000, 1024, warn), 512);
    assert.equal(connectionBudget("HTTP", 5, 1, warn), 1);
    assert.match(warnings[0]!, /^Only 512 HTTP connections instead of 2000/);
  },
});

Deno.test({
  name:
    "--mqtt-connections is at most three eighths of the known file descriptors",
  permissions: "none",
  fn: () => {
    const warnings: string[] = [];
    const warn = (line: string) => warnings.push(line);
    assert.equal(connectionBudget("MQTT", 10_000, undefined, warn), 10_000);
    assert.equal(connectionBudget("MQTT", 300, 1024, warn), 300);
    assert.deepEqual(warnings, []);
    assert.equal(connectionBudget("MQTT", 10_000, 1024, warn), 384);
    assert.match(warnings[0]!, /^Only 384 MQTT connections instead of 10000/);
  },
});
