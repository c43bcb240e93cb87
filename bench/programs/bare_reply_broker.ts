/**
 * The minimum work of a broker to send a map: write the bytes, and send them in
 * a PUBLISH for each part.
 *
 * @module
 */
import { generate } from "mqtt-packet";
import { Buffer } from "node:buffer";
import { serve } from "./bare_broker.ts";
import { options, reportReady } from "./marks.ts";
import { writeReply } from "./write_reply.ts";

const served = serve(options.port, {
  onMessage: ({ topic: request, payload: question, write }) => {
    if (request !== "occupancy/request") return;
    const { topic, parts } = writeReply(question);
    for (const part of parts) {
      const payload = Buffer.from(part.buffer, 0, part.length);
      write(generate({
        ...{ cmd: "publish", topic, payload },
        ...{ qos: 0, retain: false, dup: false },
      }));
    }
  },
});
reportReady();
await served;
