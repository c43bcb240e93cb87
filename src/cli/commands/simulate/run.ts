import { Sender } from "../../../client/mod.ts";
import { doneWithin } from "../../../common/async.ts";
import { encodeCsv, ReadingBatch, Topics } from "../../../protocol/mod.ts";
import {
  makeScene,
  type Pace,
  RatePace,
  type Scene,
  SceneReader,
  SpeedPace,
  UnlimitedPace,
  zonesOf,
} from "../../../simulate/mod.ts";
import { connect, leave, uniqueClientId } from "../../connect.ts";
import { refuseOriginalServer } from "../../original_server.ts";
import { usageError } from "../../errors.ts";
import { Exit } from "../../exit_codes.ts";
import { Ending, untilAborted } from "../../terminal/ending.ts";
import { drainOut, info, printError, Progress } from "../../terminal/output.ts";
import { watchPipeReader } from "../../terminal/pipe_reader.ts";
import { plural } from "../../../common/plural.ts";
import type { SimulateFlags } from "./options.ts";
import { forEachDue, play } from "./play.ts";

const DEFAULT_BATCH = 100;
const ORIGINAL_HINT =
  "That server takes one reading per message: add --dry-run, and pipe the readings to occupancy client --file - --wire original.";
/** Maximum wait for acknowledgements after a signal. */
const FINISH_TIMEOUT_MS = 2000;
/** Readings printed at a time without a pace. */
const PRINT_READINGS = 4096;
/** Steps of a scene printed at a time without a pace. */
const PRINT_STEPS = 64;

/** Runs `occupancy simulate`: sends or prints simulated readings. */
export async function simulate(flags: SimulateFlags): Promise<number> {
  checkFlags(flags);
  const { dryRun, count, seed, size, start } = flags;
  const scene = makeScene(flags.scene, {
    seed,
    ...(size !== undefined && { size }),
    ...(start !== undefined && { start }),
  });
  if (flags.printZones) return await printZones(scene, flags);
  const reader = new SceneReader(scene, count);
  using ending = new Ending();
  if (dryRun) {
    using _reader = watchPipeReader(() => ending.end(Exit.ok));
    await printReadings(reader, flags, ending);
  } else await sendReadings(reader, flags, ending);
  return ending.exitCode;
}

/**
 * Prints the zones of a scene.
 *
 * @throws {AppError} (usage) if there are more zones than a collection may have
 */
async function printZones(
  scene: Scene,
  { layer, scene: name }: SimulateFlags,
): Promise<number> {
  const { DEFAULT_ZONE_LIMITS, writeZones } = await import(
    "../../../zones/mod.ts"
  );
  const areas = scene.areas();
  const { zones: max } = DEFAULT_ZONE_LIMITS;
  if (areas.length > max) {
    throw usageError(
      `Cannot print the ${areas.length} zones of this scene: a server accepts at most ${max}`,
      `Use a smaller --size, such as --scene ${name} --size 1000.`,
    );
  }
  await drainOut([...writeZones(zonesOf(areas, layer))].join(""));
  return Exit.ok;
}

/** @throws {AppError} (usage) if flags conflict */
function checkFlags(
  { rate, speed, format, dryRun, batch, source }: SimulateFlags,
) {
  if (rate !== undefined && speed !== undefined) {
    throw usageError(
      "Cannot use --rate with --speed",
      "Use one of them: both set the pace.",
    );
  }
  if (format !== undefined && !dryRun) {
    throw usageError(
      "Cannot use --format without --dry-run",
      "Add --dry-run to print readings instead of sending them.",
    );
  }
  if (!dryRun) return;
  const unsupported = batch !== undefined
    ? "--batch"
    : source !== undefined
    ? "--source"
    : undefined;
  if (unsupported === undefined) return;
  throw usageError(
    `Cannot use ${unsupported} with --dry-run`,
    `Remove ${unsupported}: it is about messages, and none are sent.`,
  );
}

/** The pace of `--rate` or `--speed`; undefined without both. */
function paceOf({ rate, speed }: SimulateFlags): Pace | undefined {
  if (rate === "max") return new UnlimitedPace();
  if (rate !== undefined) return new RatePace(rate);
  return speed === undefined ? undefined : new SpeedPace(speed);
}

async function sendReadings(
  reader: SceneReader,
  flags: SimulateFlags,
  ending: Ending,
): Promise<void> {
  const topics = new Topics(flags.prefix);
  const topic = topics.data(flags.layer);
  const link = await connect(flags, {
    name: uniqueClientId("simulate"),
    subscriptions: [],
    handlersFor: () => ({ message: () => {} }),
  }, {
    signal: ending.signal,
    down: (reason) =>
      printError(`Disconnected from the broker, reconnecting: ${reason}`),
  });
  try {
    await refuseOriginalServer(flags, {
      topics,
      hint: ORIGINAL_HINT,
      signal: ending.signal,
    });
    const sender = new Sender(link, {
      topic,
      batch: flags.batch ?? DEFAULT_BATCH,
      source: flags.source,
    });
    if (flags.duration !== undefined) ending.endIn(flags.duration);
    const progress = new Progress(() => sender.sent, flags);
    const start = performance.now();
    try {
      const pace = paceOf(flags) ?? new SpeedPace(1);
      await play(reader, pace, sender, ending.signal);
      if (ending.signal.aborted) {
        await doneWithin(sender.finish(), FINISH_TIMEOUT_MS);
      }
    } finally {
      progress.stop();
      info(flags, summaryOf(sender, topic, performance.now() - start));
    }
  } finally {
    await leave(link);
  }
}

function summaryOf({ sent }: Sender, topic: string, ms: number): string {
  const rate = Math.round(sent.readings / (ms / 1000)).toLocaleString("en");
  return `Sent ${plural(sent.readings, "reading")} in ${
    plural(sent.messages, "message")
  } to ${topic}, ${rate} per second`;
}

/** Prints readings at a pace; without one, as fast as stdout accepts them. */
async function printReadings(
  reader: SceneReader,
  flags: SimulateFlags,
  ending: Ending,
): Promise<void> {
  const encode = flags.format === "ndjson" ? encodeNdjson : encodeCsv;
  const { signal } = ending;
  const aborted = untilAborted(signal);
  const write = async (readings: ReadingBatch) => {
    if (readings.length === 0) return;
    readings.time.fill(NaN, 0, readings.length); // printed without a time
    await Promise.race([drainOut(encode(readings)), aborted]);
  };
  const pace = paceOf(flags);
  if (pace !== undefined) {
    if (flags.duration !== undefined) ending.endIn(flags.duration);
    return await forEachDue(reader, pace, signal, write);
  }
  const readings = new ReadingBatch();
  for (let done = false; !done && !signal.aborted;) {
    readings.clear();
    if (flags.duration === undefined) {
      reader.read(PRINT_READINGS, readings);
      done = reader.ended;
    } else done = reader.readUntil(flags.duration, readings, PRINT_STEPS);
    await write(readings);
  }
}

function encodeNdjson({ length, x, y, value }: ReadingBatch): string {
  let lines = "";
  for (let i = 0; i < length; i++) {
    lines += `{"x":${x[i]},"y":${y[i]},"value":${value[i]}}\n`;
  }
  return lines;
}
