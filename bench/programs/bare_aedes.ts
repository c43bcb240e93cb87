/**
 * aedes with an empty hook. Its streams are guarded as ours are: without that it
 * does not work on this Deno.
 */
import { Aedes } from "aedes";
import { createServer } from "node:net";
import { guardStream } from "../../src/broker/client_stream.ts";
import { dealtWith, options, sayReady } from "./marks.ts";

const aedes = new Aedes({
  authorizePublish: (_client, packet, done) => {
    if (packet.topic === options.topic) dealtWith();
    done(null);
  },
});
await aedes.listen();
const server = createServer({ noDelay: true }, (socket) => {
  aedes.handle(guardStream(socket, {
    maxPacketBytes: Infinity,
    softBufferBytes: 1 << 20,
    hardBufferBytes: Infinity,
    mayRead: () => true,
  }));
});
server.listen(options.port, "127.0.0.1", sayReady);
