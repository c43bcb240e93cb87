import assert from "node:assert/strict";
import { GroupTopics, ProtocolError, Topics } from "../../src/protocol/mod.ts";
import { pure } from "./support.ts";

pure("GroupTopics names the topics between the servers of a group", () => {
  const topics = new Topics("a/b");
  const group = new GroupTopics(topics, "hall");
  assert.deepEqual(group.shared, [
    "$share/hall/a/b/data/#",
    "$share/hall/a/b/request",
  ]);
  assert.deepEqual(group.subscriptions("m1"), [
    "a/b/server/barrier/m1",
    "a/b/server/state/+",
    "a/b/server/group/hall/barrier",
    "a/b/server/group/hall/passed/m1",
  ]);
  assert.equal(group.state("m1"), "a/b/server/state/m1");
  assert.equal(group.serverOf(group.state("m1")), "m1");
  for (const topic of [topics.state, `${topics.state}/`, "a/b/data/m1"]) {
    assert.equal(group.serverOf(topic), undefined);
  }
  assert.equal(group.serverOf(`${topics.state}/m1/x`), undefined);
});

pure("GroupTopics refuses names that are not one level", () => {
  for (const name of ["", " ", "a/b", "a+", "#", "x".repeat(201), "\0"]) {
    assert.throws(
      () => new GroupTopics(new Topics(), name),
      (error) => error instanceof ProtocolError && error.code === "bad-group",
    );
  }
});
