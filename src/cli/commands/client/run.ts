import { type Rows, Sender } from "../../../client/mod.ts";
import { AppError } from "../../../common/errors.ts";
import { type Link, LinkError } from "../../../mqtt/link.ts";
import { DEFAULT_LAYER, Topics } from "../../../protocol/mod.ts";
import { type MapView, Requester } from "../../../request/mod.ts";
import { connect, leave, type Role, uniqueClientId } from "../../connect.ts";
import { refuseOriginalServer } from "../../original_server.ts";
import { usageError } from "../../errors.ts";
import { Exit } from "../../exit_codes.ts";
import { Ending } from "../../terminal/ending.ts";
import { info, printError, Progress } from "../../terminal/output.ts";
import { plural } from "../../../common/plural.ts";
import { print } from "../request/run.ts";
import type { ClientFlags } from "./options.ts";
import { RefusalReports } from "./bad_readings.ts";
import { InputFiles } from "./input_files.ts";

const DEFAULT_BATCH = 100;
const ORIGINAL_HINT =
  "Add --wire original: that server takes one reading per message.";

/**
 * Runs `occupancy client`: sends the readings of files, then prints the maps of
 * their layers.
 */
export async function client(flags: ClientFlags): Promise<number> {
  checkWire(flags);
  using ending = new Ending();
  const topics = new Topics(flags.prefix);
  const input = new InputFiles({
    files: flags.file,
    strict: flags.strict ?? false,
    ignoreLayers: flags.layer !== undefined,
  });
  using notice = noticeIfInterrupted(flags, ending);
  // Read before connecting: input without readings needs no broker.
  const first = await ending.until(input.next());
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
  const views: MapView[] = [];
  try {
    if (flags.wire !== "original") {
      await refuseOriginalServer(flags, {
        topics,
        hint: ORIGINAL_HINT,
        signal: ending.signal,
        isKnown: () => requester.serverState !== undefined,
      });
    }
    notice[Symbol.dispose]();
    const layers = await sendAll(flags, {
      topics,
      link,
      input,
      refusals,
      first,
      ending,
    });
    // The server publishes the reports about these readings before the reply.
    const { signal } = ending;
    if (flags.request) {
      const { timeout } = flags;
      for (const layer of layers) {
        views.push(await requester.request(link, { layer, timeout, signal }));
      }
    } else if (refusals.isAvailable) {
      await waitForReports(flags, requester, link, signal);
    }
  } catch (error) {
    refusals.printSummary();
    throw error;
  } finally {
    await leave(link);
  }
  ending[Symbol.dispose](); // signals are for the pager now
  for (const view of views) await print(view, flags);
  refusals.printSummary();
  return input.problems + refusals.count > 0 ? Exit.skipped : Exit.ok;
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
  const { timeout } = flags;
  if (requester.serverState === "offline") {
    info(flags, "The server is offline: it has not processed the readings yet");
    return;
  }
  const region = { x0: 0, y0: 0, x1: 0, y1: 0 }; // any short reply will do
  try {
    await requester.request(link, { region, timeout, signal });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    printError(
      `Warning: ${error.message}: it is not known whether readings were refused`,
    );
  }
}

/** What {@linkcode sendAll} needs. */
interface SendContext {
  readonly topics: Topics;
  readonly link: Link;
  readonly input: InputFiles;
  /** Learns what was sent. */
  readonly refusals: RefusalReports;
  /** The first rows of the input. */
  readonly first: Rows | undefined;
  readonly ending: Ending;
}

/**
 * Sends all rows.
 *
 * @returns the layers, in the order of their first readings
 */
async function sendAll(
  flags: ClientFlags,
  { topics, link, input, refusals, first, ending }: SendContext,
): Promise<ReadonlySet<string>> {
  const { interval } = flags;
  const layers = new Set<string>();
  const sender = new Sender(link, {
    topic: topics.data(flags.layer),
    batch: flags.batch ?? (interval === undefined ? DEFAULT_BATCH : 1),
    interval,
    source: flags.source,
    original: flags.wire === "original",
    signal: ending.signal,
    onPublish: (topic, source) => refusals.noteSent(topic, source),
  });
  const progress = new Progress(
    () => ({
      readings: sender.sent.readings,
      percent: input.progress.percent,
    }),
    flags,
  );
  const printSummary = () => {
    progress.stop();
    const { readings, messages } = sender.sent;
    const what = `${plural(readings, "reading")} in ${
      plural(messages, "message")
    }`;
    const { percent } = input.progress;
    const interrupted = ending.signal.aborted ? ", then interrupted" : "";
    const part = interrupted && percent !== undefined
      ? ` (${percent}% of ${input.name})`
      : "";
    const to = [...layers].map((layer) => topics.data(layer)).join(", ");
    info(flags, `Sent ${what} to ${to}${part}${interrupted}`);
    input.printSummary();
  };
  try {
    for (
      let rows = first;
      rows !== undefined;
      rows = await ending.until(input.next())
    ) {
      const layer = flags.layer ?? rows.layer ?? DEFAULT_LAYER;
      checkLayer(flags, layer);
      const topic = topics.data(layer);
      layers.add(layer);
      await sender.send(rows.readings, topic);
      ending.signal.throwIfAborted();
    }
    await sender.finish();
    ending.signal.throwIfAborted();
  } catch (error) {
    if (ending.signal.aborted) {
      await leave(link); // waits for the acknowledgements
      printSummary();
    } else if (!(error instanceof LinkError)) {
      await sender.finish(); // the rows before the bad one
    }
    throw error;
  } finally {
    progress.stop();
  }
  printSummary();
  return layers;
}

/** @throws {AppError} if the original protocol cannot send to the layer */
function checkLayer({ wire }: ClientFlags, layer: string): void {
  if (wire !== "original" || layer === DEFAULT_LAYER) return;
  throw usageError(
    `Cannot send layer ${layer} with --wire original: it has one layer`,
    "Add --layer default to send all readings to that layer.",
  );
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
  const unsupported = (layer ?? DEFAULT_LAYER) !== DEFAULT_LAYER
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
