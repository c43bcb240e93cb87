/** Requests with bodies in small chunks. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { CompactMessage } from "../../../src/http/listener/compact_message.ts";

/** Returns the pieces that wait in a message; undocumented. */
function waiting(message: CompactMessage): number {
  const { _readableState: { buffer } } = message as unknown as {
    readonly _readableState: { readonly buffer: readonly unknown[] };
  };
  return buffer.length;
}

Deno.test("CompactMessage joins the chunks of one read, and keeps their order", async () => {
  const message = new CompactMessage(new Socket());
  const large = Buffer.alloc(2048, "L");
  const text = "0123456789".repeat(100);
  for (const char of text) message.push(Buffer.from(char));
  message.push(large);
  for (const char of text) message.push(Buffer.from(char));
  await Promise.resolve();
  for (const char of text) message.push(Buffer.from(char));
  message.push(null);
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece);
  assert.equal(
    Buffer.concat(pieces).toString(),
    `${text}${large}${text}${text}`,
  );
  assert.ok(pieces.length <= 4, `${pieces.length} pieces`);
});

Deno.test("CompactMessage stops the socket when enough bytes wait", async () => {
  const message = new CompactMessage(new Socket());
  const max = message.readableHighWaterMark;
  for (let sent = 0; sent < max - 1; sent++) {
    assert.equal(message.push(Buffer.alloc(1)), true, `${sent}`);
    if (sent % 1000 === 0) await Promise.resolve();
  }
  assert.equal(message.push(Buffer.alloc(1)), false);
  await Promise.resolve();
  assert.equal(message.readableLength, max);
  assert.ok(waiting(message) <= 70, `${waiting(message)} pieces`);
});
