import { Sender } from "../src/client/mod.ts";
import { Topics } from "../src/protocol/mod.ts";
import { Feed, makeScene, SpeedPace } from "../src/simulate/mod.ts";
import { connect } from "../src/cli/connect.ts";
import { uniqueName } from "../src/cli/arguments/broker_address.ts";
import { play } from "../src/cli/commands/simulate/run.ts";
import { watch } from "../src/cli/commands/request/watch.ts";

/** Robots drive twice as fast as they would, and an office day takes five minutes. */
const SPEED = 2;
const OFFICE_PACE = 60;
const SEED = 1;
/** Readings a message. */
const BATCH = 100;

/**
 * What `occupancy simulate` and `occupancy request --map --watch` would do, in
 * one process.
 *
 * @param broker Its address
 * @param span How long, ms; else until the person ends it
 * @returns The exit code
 */
export async function demoLive(
  broker: string,
  span: number | undefined,
): Promise<number> {
  const topics = new Topics();
  const flags = { broker, prefix: topics.prefix };
  const link = await connect(flags, {
    name: uniqueName("simulate"),
    subscriptions: [],
    handlersFor: () => ({ message: () => {} }),
  });
  const abort = new AbortController();
  const sender = new Sender(link, { topic: topics.data(), batch: BATCH });
  const scene = makeScene("campus", { seed: SEED, officePace: OFFICE_PACE });
  const pace = new SpeedPace(SPEED);
  const playing = play(new Feed(scene), pace, sender, abort.signal);
  try {
    const watching = watch({
      ...flags,
      layer: "default",
      map: true,
      watch: true,
      color: "auto",
      wire: "current",
      timeout: 5000,
      ...(span !== undefined && { for: span }),
    }, "map");
    // It goes on for ever: if it ends first, it has failed.
    return await Promise.race([watching, playing.then(() => watching)]);
  } finally {
    abort.abort();
    await playing.catch(() => {}); // told already
    await link.close();
  }
}
