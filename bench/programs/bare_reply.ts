/**
 * The minimum work of a server to send a map: write the bytes, publish them
 * with mqtt.js.
 *
 * @module
 */
import mqtt from "mqtt";
import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { options, reportReady } from "./marks.ts";
import { writeReply } from "./write_reply.ts";

const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${options.port}`);
if (client.stream instanceof Socket) client.stream.setNoDelay(true);
client.on("message", (_topic, payload) => {
  const { topic, parts } = writeReply(payload);
  for (const part of parts) {
    client.publish(topic, Buffer.from(part.buffer, 0, part.length), { qos: 1 });
  }
});
await client.subscribeAsync("occupancy/request", { qos: 1 });
reportReady();
