import type { Connection } from "../../../mqtt/connection.ts";
import { Sender } from "../../../client/mod.ts";
import {
  encodeBatchJson,
  encodeCsv,
  ReadingBatch,
  Topics,
} from "../../../protocol/mod.ts";
import {
  Feed,
  FullPace,
  makeScene,
  type Pace,
  RatePace,
  SpeedPace,
} from "../../../simulate/mod.ts";
import { connect } from "../../connect.ts";
import { Ending } from "../../terminal/ending.ts";
import { CliError, Exit } from "../../exit.ts";
import type { SimulateFlags } from "../../arguments/flags.ts";
import { uniqueName } from "../../arguments/broker_address.ts";
import { drainOut, printError } from "../../terminal/output.ts";
import { Progress } from "../../terminal/progress.ts";
import { plural } from "../../terminal/render.ts";

const DEFAULT_BATCH = 100;
/** Readings that are due within this go together, ms. */
const COALESCE = 10;
/** How long what is under way may take after a signal, ms. */
const FAREWELL = 2000;
/** Readings printed at a time where nothing sets the pace. */
const PORTION = 4096;
/** Steps of a scene printed at a time. */
const STEPS = 64;

/** `occupancy simulate`: readings that nobody has observed, sent or printed. */
export async function simulate(flags: SimulateFlags): Promise<number> {
  checkFlags(flags);
  const { scene, layer, prefix, source, dryRun, count } = flags;
  // Wrong names cost no connection.
  const topic = new Topics(prefix).data(layer);
  encodeBatchJson(new ReadingBatch(0), 0, 0, { source });
  const feed = new Feed(makeScene(scene, sceneOptions(flags)), count);
  const ending = new Ending();
  ending.heedSignals((exitCode) => Deno.exit(exitCode));
  try {
    if (dryRun) await print(feed, flags, ending);
    else await publish(feed, topic, flags, ending);
  } finally {
    ending.stop();
  }
  return ending.exitCode;
}

/**
 * Sends readings as their pace says, dated now, until they end or the signal.
 *
 * @throws {LinkError} if the broker refuses one, or is gone for good
 */
export async function play(
  feed: Feed,
  pace: Pace,
  sender: Sender,
  signal: AbortSignal,
): Promise<void> {
  const aborted = untilAborted(signal);
  await paced(feed, pace, signal, async (readings) => {
    readings.time.fill(Date.now(), 0, readings.length);
    await Promise.race([sender.send(readings), aborted]);
  });
  if (!signal.aborted) await sender.finish();
}

/** @throws {CliError} if the flags contradict each other */
function checkFlags(flags: SimulateFlags): void {
  if (flags.rate !== undefined && flags.speed !== undefined) {
    throw wrong(
      "--rate cannot be used with --speed",
      "--rate counts readings, --speed the hours of the day: leave one out.",
    );
  }
  if (flags.format !== undefined && !flags.dryRun) {
    throw wrong(
      "--format goes with --dry-run",
      "Add --dry-run to print readings instead of sending them.",
    );
  }
  if (!flags.dryRun) return;
  const foreign = flags.batch !== undefined
    ? "--batch"
    : flags.source !== undefined
    ? "--source"
    : undefined;
  if (foreign !== undefined) {
    throw wrong(
      `--dry-run has no ${foreign}`,
      `Leave out ${foreign}: it says how messages are made.`,
    );
  }
}

function wrong(message: string, hint: string): CliError {
  return new CliError(message, { exitCode: Exit.usage, hint });
}

function sceneOptions({ seed, size, start }: SimulateFlags) {
  return {
    seed,
    ...(size !== undefined && { size }),
    ...(start !== undefined && { start }),
  };
}

/** The pace that the flags set; undefined if they set none. */
function paceOf({ rate, speed }: SimulateFlags): Pace | undefined {
  if (rate === "max") return new FullPace();
  if (rate !== undefined) return new RatePace(rate);
  return speed === undefined ? undefined : new SpeedPace(speed);
}

/** Sends them to the broker. */
async function publish(
  feed: Feed,
  topic: string,
  flags: SimulateFlags,
  ending: Ending,
): Promise<void> {
  const link = await join(flags);
  try {
    const sender = new Sender(link, {
      topic,
      batch: flags.batch ?? DEFAULT_BATCH,
      source: flags.source,
    });
    if (flags.duration !== undefined) ending.endIn(flags.duration);
    const progress = flags.quiet
      ? undefined
      : new Progress(() => sender.sent.readings);
    const start = performance.now();
    try {
      const pace = paceOf(flags) ?? new SpeedPace(1);
      await play(feed, pace, sender, ending.signal);
      if (ending.signal.aborted) await farewell(sender);
    } finally {
      progress?.stop();
      if (!flags.quiet) {
        printError(summary(sender, topic, performance.now() - start));
      }
    }
  } finally {
    await link.close();
  }
}

function join(flags: SimulateFlags): Promise<Connection> {
  const name = uniqueName("simulate");
  return connect(flags, {
    name,
    subscriptions: [],
    handlersFor: () => ({ message: () => {} }),
  }, {
    down: (reason) =>
      printError(`The connection is lost, trying again: ${reason}`),
  });
}

/** Lets what is under way arrive, if it does so soon. */
async function farewell(sender: Sender): Promise<void> {
  let timer;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FAREWELL);
  });
  await Promise.race([sender.finish(), late]);
  clearTimeout(timer);
}

function summary({ sent }: Sender, topic: string, ms: number): string {
  const rate = Math.round(sent.readings / (ms / 1000)).toLocaleString("en");
  return `Sent ${plural(sent.readings, "reading")} in ${
    plural(sent.messages, "message")
  } to ${topic}, ${rate} a second`;
}

/** Prints them, as fast as they are read unless the flags set a pace. */
async function print(
  feed: Feed,
  flags: SimulateFlags,
  ending: Ending,
): Promise<void> {
  const encode = flags.format === "ndjson" ? encodeNdjson : encodeCsv;
  const { signal } = ending;
  const aborted = untilAborted(signal);
  const write = async (readings: ReadingBatch) => {
    if (readings.length === 0) return;
    readings.time.fill(NaN, 0, readings.length); // whoever reads them dates them
    await Promise.race([drainOut(encode(readings)), aborted]);
  };
  const pace = paceOf(flags);
  if (pace !== undefined) {
    if (flags.duration !== undefined) ending.endIn(flags.duration);
    return await paced(feed, pace, signal, write);
  }
  const readings = new ReadingBatch();
  for (let done = false; !done && !signal.aborted;) {
    readings.clear();
    if (flags.duration === undefined) {
      feed.take(PORTION, readings);
      done = feed.ended;
    } else done = feed.advance(flags.duration, readings, STEPS);
    await write(readings);
  }
}

/** Hands readings out as their pace says, until they end or the signal. */
async function paced(
  feed: Feed,
  pace: Pace,
  signal: AbortSignal,
  hand: (readings: ReadingBatch) => Promise<void>,
): Promise<void> {
  const readings = new ReadingBatch();
  const start = performance.now();
  while (!feed.ended && !signal.aborted) {
    readings.clear();
    const wait = pace.take(feed, performance.now() - start, readings);
    await hand(readings);
    if (feed.ended) return;
    // Signals and the network have their turn even where there is no pause.
    await pause(wait === 0 ? 0 : Math.max(wait, COALESCE), signal);
  }
}

/** Waits so many ms, or until the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function encodeNdjson({ length, x, y, value }: ReadingBatch): string {
  let lines = "";
  for (let i = 0; i < length; i++) {
    lines += `{"x":${x[i]},"y":${y[i]},"value":${value[i]}}\n`;
  }
  return lines;
}
