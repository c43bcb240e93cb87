import assert from "node:assert/strict";
import {
  freeName,
  slugOf,
} from "../../../../src/page/zones/editor/zone_names.ts";
import { UndoStack } from "../../../../src/page/zones/editor/undo_stack.ts";

Deno.test("steps are undone and done again", () => {
  const stack = new UndoStack(0);
  stack.push(1, "one");
  stack.push(2, "two");
  assert.equal(stack.undoLabel, "two");
  assert.equal(stack.undo(), "two");
  assert.equal(stack.state, 1);
  assert.equal(stack.redoLabel, "two");
  assert.equal(stack.undo(), "one");
  assert.equal(stack.undo(), undefined);
  assert.equal(stack.state, 0);
  assert.equal(stack.redo(), "one");
  assert.equal(stack.redo(), "two");
  assert.equal(stack.redo(), undefined);
  assert.equal(stack.state, 2);
});

Deno.test("a new step ends what was undone", () => {
  const stack = new UndoStack(0);
  stack.push(1, "one");
  stack.undo();
  stack.push(2, "two");
  assert.equal(stack.redoLabel, undefined);
  assert.equal(stack.state, 2);
});

Deno.test("steps of one key are one step, until it is sealed", () => {
  const stack = new UndoStack("");
  for (const text of ["l", "lo", "lob"]) stack.push(text, "Rename", "name");
  stack.seal();
  stack.push("lobb", "Rename", "name");
  stack.undo();
  assert.equal(stack.state, "lob");
  stack.undo();
  assert.equal(stack.state, "");
  // After an undo, typing begins a step of its own.
  stack.redo();
  stack.undo();
  stack.push("x", "Rename", "name");
  stack.undo();
  assert.equal(stack.state, "");
});

Deno.test("the number of steps is bounded", () => {
  const stack = new UndoStack(0, 3);
  for (let i = 1; i <= 10; i++) stack.push(i, `step ${i}`);
  while (stack.undo() !== undefined);
  assert.equal(stack.state, 7);
});

Deno.test("all states can be changed", () => {
  const stack = new UndoStack(1);
  stack.push(2, "two");
  stack.map((state) => state * 10);
  assert.equal(stack.state, 20);
  stack.undo();
  assert.equal(stack.state, 10);
});

Deno.test("a name is made of a title, and is free", () => {
  assert.equal(slugOf("Meeting room 2.14"), "meeting-room-2.14");
  assert.equal(slugOf("Büro / 会議室 #3"), "buro-会議室-3");
  assert.equal(slugOf("+ # /"), "zone");
  const taken = (names: string[]) => (name: string) => names.includes(name);
  assert.equal(freeName("room", taken([])), "room");
  assert.equal(freeName("room", taken(["room"])), "room-2");
  assert.equal(freeName("room-2", taken(["room-2", "room-3"])), "room-4");
  assert.equal(freeName("Room 2", taken(["Room 2"]), " "), "Room 3");
});
