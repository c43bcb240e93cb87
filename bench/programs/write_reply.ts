/**
 * Writes a reply without a map: the comparison for our replies.
 *
 * @module
 */
import { ReplyWriter } from "../../src/protocol/mod.ts";
import { options } from "./marks.ts";

const MAX_BYTES = 256 * 1024;
const count = options.marks[0]!;
const side = Math.ceil(Math.sqrt(count));
const x = Int32Array.from({ length: count }, (_, i) => i % side);
const y = Int32Array.from({ length: count }, (_, i) => Math.floor(i / side));
const value = Int32Array.from({ length: count }, (_, i) => i % 3);
const time = new Float64Array(count).fill(Date.now());

/** Writes a reply with all cells, from plain columns. */
export function writeReply(request: Uint8Array): {
  topic: string;
  parts: Uint8Array<ArrayBuffer>[];
} {
  const { replyTo } = JSON.parse(new TextDecoder().decode(request));
  const writer = new ReplyWriter({
    layer: "default",
    revision: 1,
    time: Date.now(),
    format: "json",
    maxBytes: MAX_BYTES,
  });
  for (let i = 0; i < count; i++) {
    writer.cell(x[i]!, y[i]!, value[i]!, time[i]!);
  }
  return { topic: replyTo, parts: writer.finish() };
}
