/**
 * `deno task demo`: the whole system on one machine. A server with the embedded
 * broker on a free port, the two sample clients one after the other, and the
 * map that comes back. The same code runs as from the command line.
 *
 * @module
 */
import { OccupancyMap } from "../grid/mod.ts";
import { createBroker } from "../mqtt/broker.ts";
import { Topics } from "../protocol/mod.ts";
import { Server, serverSubscriptions } from "../server/mod.ts";
import { MemoryStore } from "../store/memory.ts";
import { client } from "./client.ts";
import { tell } from "./failure.ts";
import { say } from "./output.ts";
import { VERSION } from "./version.ts";

const NAME = "occupancy-server";
const SAMPLES = ["client1.json", "client2.json"];

async function demo(): Promise<void> {
  const topics = new Topics();
  const broker = createBroker({
    host: "127.0.0.1",
    port: 0,
    subscriptions: serverSubscriptions(topics, NAME),
  });
  const server = new Server({
    link: broker,
    store: new MemoryStore(),
    map: new OccupancyMap(),
    topics,
    name: NAME,
    version: VERSION,
    log: { info: say, warn: say },
  });
  await server.start();
  try {
    const { host, port } = broker.address;
    say(`$ occupancy server --listen ${host}:${port}`);
    for (const sample of SAMPLES) {
      say(`\n$ occupancy client --file ${sample}`);
      await client({
        broker: `mqtt://${host}:${port}`,
        prefix: topics.prefix,
        file: new URL(`../../${sample}`, import.meta.url).pathname,
        layer: "default",
        request: true,
        wire: "current",
        timeout: 5000,
        format: "table",
        color: "auto",
      });
    }
    say(
      "\nThe clients disagree about (1,2), (2,2) and (3,3): the map shows who spoke last.",
    );
  } finally {
    await server.stop();
  }
}

try {
  await demo();
  Deno.exit(0);
} catch (error) {
  const { message, hint, exitCode } = tell(error);
  say(`demo: ${message}`);
  if (hint !== undefined) say(`  hint: ${hint}`);
  Deno.exit(exitCode);
}
