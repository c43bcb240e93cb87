import { formatOf, readRows, type Rows, Sender } from "../../../client/mod.ts";
import { AppError } from "../../../common/errors.ts";
import { type Link, LinkError } from "../../../mqtt/link.ts";
import { DEFAULT_LAYER, ProtocolError, Topics } from "../../../protocol/mod.ts";
import { Requester } from "../../../request/mod.ts";
import { connect, leave, type Role, uniqueClientId } from "../../connect.ts";
import { usageError } from "../../errors.ts";
import { Exit } from "../../exit_codes.ts";
import { fileError } from "../../files.ts";
import { Ending } from "../../terminal/ending.ts";
import { info, printError, Progress } from "../../terminal/output.ts";
import { plural } from "../../terminal/render.ts";
import { print } from "../request/run.ts";
import type { ClientFlags } from "./options.ts";
import { ReadProgress } from "./read_progress.ts";
import { BadRows, displayName, RefusalReports } from "./bad_readings.ts";

const DEFAULT_BATCH = 100;
const ROW_HINT = 'A row is x,y,value, or in JSON {"x":1,"y":2,"value":1}.';
/** By the code of the error. */
const FILE_HINTS: Record<string, string> = {
  "bad-form": ROW_HINT,
  "bad-json": "Check the JSON, or name the file .csv or .ndjson if it is one.",
  "bad-utf8": "Save the file as UTF-8.",
};

/** Returns the next rows at each call; undefined after the last. */
type NextRows = () => Promise<Rows | undefined>;

/**
 * Runs `occupancy client`: sends the readings of a file, then prints the map.
 */
export async function client(flags: ClientFlags): Promise<number> {
  const { file, layer, timeout } = flags;
  checkWire(flags);
  using ending = new Ending();
  const topics = new Topics(flags.prefix);
  const read = new ReadProgress();
  const next = rowsOf(flags, await openInput(file, read));
  using notice = noticeIfInterrupted(flags, ending);
  // Read before connecting: a missing or broken file needs no broker.
  const first = await ending.until(next());
  const requester = new Requester({
    topics,
    name: uniqueClientId("client"),
    wire: flags.wire,
  });
  const refusals = new RefusalReports(topics.errors);
  const link = await connectClient(
    flags,
    requester,
    refusals,
    topics.errors,
    ending,
  );
  try {
    notice[Symbol.dispose]();
    const skipped = await sendAll(
      flags,
      topics,
      link,
      { first, next, read, refusals },
      ending,
    );
    // The server publishes the reports about these readings before the reply.
    try {
      const { signal } = ending;
      if (flags.request) {
        print(await requester.request(link, { layer, timeout, signal }), flags);
      } else if (refusals.isAvailable) {
        await waitForReports(flags, requester, link, signal);
      }
    } finally {
      refusals.printSummary();
    }
    return skipped + refusals.count > 0 ? Exit.skipped : Exit.ok;
  } finally {
    await leave(link);
  }
}

/** Connects, and subscribes to the reports if the broker allows it. */
async function connectClient(
  flags: ClientFlags,
  requester: Requester,
  refusals: RefusalReports,
  errorsTopic: string,
  { signal }: Ending,
): Promise<Link> {
  if (flags.wire === "original") {
    refusals.isAvailable = false; // it has no reports
    return await connect(flags, requester, { signal });
  }
  const role: Role = {
    name: requester.name,
    subscriptions: [...requester.subscriptions, errorsTopic],
    handlersFor: (link) => {
      const handlers = requester.handlersFor(link);
      return {
        ...handlers,
        message: (message) => {
          if (refusals.handle(message)) link.acknowledge([message]);
          else handlers.message(message);
        },
      };
    },
  };
  try {
    return await connect(flags, role, { signal });
  } catch (error) {
    const isForbidden = error instanceof LinkError &&
      error.code === "refused" && error.message.includes(errorsTopic);
    if (!isForbidden) throw error;
    info(flags, `${error.message}: refused readings will not be reported`);
    refusals.isAvailable = false;
    return await connect(flags, requester, { signal });
  }
}

/**
 * Waits until the server has processed all readings that were sent, and so has
 * reported those that it refused: until it answers a request.
 */
async function waitForReports(
  flags: ClientFlags,
  requester: Requester,
  link: Link,
  signal: AbortSignal,
): Promise<void> {
  const { layer, timeout } = flags;
  if (requester.serverState === "offline") {
    info(flags, "The server is offline: it has not processed the readings yet");
    return;
  }
  const region = { x0: 0, y0: 0, x1: 0, y1: 0 }; // any short reply will do
  try {
    await requester.request(link, { layer, region, timeout, signal });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    printError(
      `Warning: ${error.message}: it is not known whether readings were refused`,
    );
  }
}

/** The rows to send. */
interface Input {
  /** The first rows, which have been read. */
  readonly first: Rows | undefined;
  /** Returns those that follow. */
  readonly next: NextRows;
  /** How much has been read. */
  readonly read: ReadProgress;
  /** Learns what was sent. */
  readonly refusals: RefusalReports;
}

/**
 * Sends all rows.
 *
 * @returns how many rows were skipped
 */
async function sendAll(
  flags: ClientFlags,
  topics: Topics,
  link: Link,
  { first, next, read, refusals }: Input,
  ending: Ending,
): Promise<number> {
  const { file, interval, strict = false } = flags;
  const topic = topics.data(flags.layer);
  const sender = new Sender(link, {
    topic,
    batch: flags.batch ?? (interval === undefined ? DEFAULT_BATCH : 1),
    interval,
    source: flags.source,
    original: flags.wire === "original",
    signal: ending.signal,
    onPublish: (topic, source) => refusals.noteSent(topic, source),
  });
  const badRows = new BadRows(file);
  const progress = new Progress(
    () => ({ readings: sender.sent.readings, percent: read.percent }),
    flags,
  );
  const printSummary = () => {
    progress.stop();
    const { readings, messages } = sender.sent;
    const what = `${plural(readings, "reading")} in ${
      plural(messages, "message")
    }`;
    const interrupted = ending.signal.aborted ? ", then interrupted" : "";
    const part = interrupted && read.percent !== undefined
      ? ` (${read.percent}% of ${displayName(file)})`
      : "";
    info(flags, `Sent ${what} to ${topic}${part}${interrupted}`);
    badRows.printSummary();
  };
  try {
    for (
      let rows = first;
      rows !== undefined;
      rows = await ending.until(next())
    ) {
      await sender.send(rows.readings);
      if (strict && rows.skipped > 0) await sender.finish();
      ending.signal.throwIfAborted();
      badRows.add(rows, strict);
    }
    await sender.finish();
    ending.signal.throwIfAborted();
  } catch (error) {
    if (ending.signal.aborted) {
      await leave(link); // waits for the acknowledgements
      printSummary();
    }
    throw error;
  } finally {
    progress.stop();
  }
  if (sender.sent.readings === 0) throw noReadings(file, badRows.count);
  printSummary();
  return badRows.count;
}

/** Says that nothing was sent if a signal ends the command before it is disposed. */
function noticeIfInterrupted(
  flags: ClientFlags,
  { signal }: Ending,
): Disposable {
  const print = () => info(flags, "Interrupted before a reading was sent");
  signal.addEventListener("abort", print);
  return {
    [Symbol.dispose]: () => signal.removeEventListener("abort", print),
  };
}

/** The original protocol has one layer, and one reading per message. */
function checkWire({ wire, layer, batch, source }: ClientFlags): void {
  if (wire !== "original") return;
  const unsupported = layer !== DEFAULT_LAYER
    ? "--layer"
    : (batch ?? 1) > 1
    ? "--batch"
    : source !== undefined
    ? "--source"
    : undefined;
  if (unsupported === undefined) return;
  throw usageError(
    `Cannot use ${unsupported} with --wire original`,
    `Remove ${unsupported}, or --wire original.`,
  );
}

async function openInput(
  file: string,
  read: ReadProgress,
): Promise<AsyncIterable<Uint8Array>> {
  if (file === "-") return read.count(Deno.stdin.readable, undefined);
  try {
    const opened = await Deno.open(file);
    const { isDirectory, isFile, size } = await opened.stat();
    if (isDirectory) {
      opened.close();
      throw new Deno.errors.IsADirectory();
    }
    return read.count(opened.readable, isFile ? size : undefined);
  } catch (error) {
    throw fileError(file, error);
  }
}

function rowsOf(
  { file, strict }: ClientFlags,
  input: AsyncIterable<Uint8Array>,
): NextRows {
  const all = readRows(input, formatOf(file), strict);
  return async () => {
    try {
      const { done, value } = await all.next();
      return done ? undefined : value;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw fileError(file, error);
      throw new AppError(
        error.code,
        `Cannot read ${displayName(file)}: ${error.message}`,
        { hint: error.hint ?? FILE_HINTS[error.code], cause: error },
      );
    }
  };
}

function noReadings(file: string, skipped: number): AppError {
  const name = displayName(file);
  return new AppError(
    "no-readings",
    skipped === 0
      ? `No readings in ${name}`
      : skipped === 1
      ? `The only row of ${name} is not a reading`
      : `None of the ${plural(skipped, "row")} of ${name} is a reading`,
    { hint: ROW_HINT },
  );
}
