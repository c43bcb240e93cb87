/**
 * An aedes broker with an empty hook. Its streams have the same wrapper as in
 * our broker: without it, aedes does not work on this version of Deno.
 *
 * @module
 */
import { Aedes } from "aedes";
import { createServer } from "node:net";
import { guardStream } from "../../src/broker/client_stream.ts";
import { countProcessed, options, reportReady } from "./marks.ts";

const aedes = new Aedes({
  authorizePublish: (_client, packet, done) => {
    if (packet.topic === options.topic) countProcessed();
    done(null);
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
