/**
 * The minimum work of a broker to send a map: write the bytes, publish them
 * with aedes.
 *
 * @module
 */
import { Aedes } from "aedes";
import { Buffer } from "node:buffer";
import { createServer } from "node:net";
import { guardStream } from "../../src/broker/client_stream.ts";
import { options, reportReady } from "./marks.ts";
import { writeReply } from "./write_reply.ts";

const aedes = new Aedes({
  authorizePublish: (_client, packet, done) => {
    done(null);
    if (packet.topic !== "occupancy/request") return;
    const { topic, parts } = writeReply(packet.payload as Uint8Array);
    for (const part of parts) {
      const payload = Buffer.from(part.buffer, 0, part.length);
      aedes.publish(
        { cmd: "publish", topic, payload, qos: 1, retain: false, dup: false },
        () => {},
      );
    }
  },
});
await aedes.listen();
const server = createServer({ noDelay: true }, (socket) => {
  aedes.handle(guardStream(socket, {
    maxPacketBytes: Infinity,
    softBufferBytes: 1 << 20,
    hardBufferBytes: Infinity,
    drainTimeout: 5_000,
    mayRead: () => true,
  }));
});
server.listen(options.port, "127.0.0.1", reportReady);
