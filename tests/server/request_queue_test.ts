import assert from "node:assert/strict";
import {
  MAX_WAITING_BYTES,
  MAX_WAITING_REQUESTS,
  type QueuedRequest,
  RequestQueue,
  RESERVED_REQUESTS,
} from "../../src/server/request_queue.ts";

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

function request(topic: string, identity?: string, bytes = 0): QueuedRequest {
  return { topic, identity, bytes };
}

test("RequestQueue returns the requests of a topic in order", () => {
  const queue = new RequestQueue();
  const [a, b, other] = [request("x"), request("x"), request("y")];
  for (const item of [a, other, b]) queue.add(item);
  assert.equal(queue.first("x"), a);
  queue.shift("x");
  assert.equal(queue.first("x"), b);
  queue.shift("x");
  assert.equal(queue.first("x"), undefined);
  assert.equal(queue.first("y"), other);
  assert.equal(queue.size, 1);
});

test("RequestQueue leaves room for other topics, however many a few have", () => {
  const queue = new RequestQueue();
  const fill = (topic: string) => {
    let count = 0;
    while (queue.add(request(topic))) count++;
    return count;
  };
  assert.equal(fill("a"), MAX_WAITING_REQUESTS / 2);
  assert.equal(fill("b"), MAX_WAITING_REQUESTS / 4);
  for (let i = 0; i < 100; i++) fill(`t${i}`);
  for (let i = 0; i < RESERVED_REQUESTS - 100; i++) {
    assert.equal(queue.add(request(`another ${i}`)), true);
  }
  assert.equal(fill("a"), 0);
  for (let i = 0; i < 10_000; i++) queue.add(request(`too many ${i}`));
  assert.equal(queue.size, MAX_WAITING_REQUESTS + RESERVED_REQUESTS);
});

test("RequestQueue limits the memory in the same way", () => {
  const queue = new RequestQueue();
  const size = MAX_WAITING_BYTES / 16;
  let count = 0;
  while (queue.add(request("a", undefined, size))) count++;
  assert.equal(count, 8);
  assert.equal(queue.add(request("b", undefined, size)), true);
  queue.clear();
  assert.equal(queue.add(request("a", undefined, 8 * size)), true);
});

test("RequestQueue.find() returns a waiting request until its cells are read", () => {
  const queue = new RequestQueue();
  queue.add(request("x", "1"));
  assert.ok(queue.find("x", "1"));
  assert.equal(queue.find("y", "1"), undefined);
  queue.begin("x");
  assert.equal(queue.find("x", "1"), undefined);
  queue.add(request("x", "1"));
  queue.begin("x"); // again, for the same first request
  assert.ok(queue.find("x", "1"));
  queue.shift("x");
  assert.ok(queue.find("x", "1"));
  queue.shift("x");
  assert.equal(queue.find("x", "1"), undefined);
});
