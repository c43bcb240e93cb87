/**
 * Sends each message to Redis as one HSET with all its readings, pipelined.
 *
 * @module
 */
import { connect } from "node:net";
import type { Buffer } from "node:buffer";
import { countProcessed, options } from "./marks.ts";
import { subscribe } from "./subscribe.ts";

const LF = 0x0a;
const decoder = new TextDecoder();
const redis = connect(options.redisPort!, "127.0.0.1");
redis.setNoDelay(true);

// The reply to each command is one line, `:<count>\r\n`.
redis.on("data", (bytes: Buffer) => {
  if (bytes[0] === 0x2d) throw new Error(bytes.toString());
  let lines = 0;
  for (const byte of bytes) if (byte === LF) lines++;
  countProcessed(lines);
});

await subscribe((payload) => {
  const parts = ["HSET", "occupancy"];
  for (const line of decoder.decode(payload).split("\n")) {
    if (line === "") continue;
    const comma = line.lastIndexOf(",");
    parts.push(line.slice(0, comma), line.slice(comma + 1));
  }
  let command = `*${parts.length}\r\n`;
  for (const part of parts) command += `$${part.length}\r\n${part}\r\n`;
  redis.write(command);
});
