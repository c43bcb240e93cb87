import { formatOf, readRows, type Rows, Sender } from "../../../client/mod.ts";
import type { Link } from "../../../mqtt/link.ts";
import {
  DEFAULT_LAYER,
  encodeBatchJson,
  ProtocolError,
  ReadingBatch,
  Topics,
} from "../../../protocol/mod.ts";
import { Asker } from "../../../request/mod.ts";
import { BadRows, nameOf } from "./bad_rows.ts";
import { connect, leave } from "../../connect.ts";
import { CliError, Exit } from "../../exit.ts";
import type { ClientFlags } from "../../arguments/flags.ts";
import { explainFile, uniqueName } from "../../arguments/broker_address.ts";
import { info } from "../../terminal/output.ts";
import { Progress } from "../../terminal/progress.ts";
import { HeardRefusals } from "./refusals.ts";
import { plural } from "../../terminal/render.ts";
import { print } from "../request/run.ts";

const DEFAULT_BATCH = 100;

/** `occupancy client`: sends the readings of a file, then asks for the map. */
export async function client(flags: ClientFlags): Promise<number> {
  const { file, layer, timeout } = flags;
  checkWire(flags);
  const topics = new Topics(flags.prefix);
  // A wrong name is told before a file is read.
  topics.data(layer);
  assertSource(flags.source);
  const rows = nextRows(flags, await openInput(file));
  // The first rows are read before anything is sent: a file that is missing or
  // broken costs no connection.
  const first = await rows();
  const asker = new Asker({
    topics,
    name: uniqueName("client"),
    wire: flags.wire,
  });
  const refusals = new HeardRefusals({
    errorsTopic: topics.errors,
    dataTopic: topics.data(layer),
    source: flags.source,
  });
  const link = await connectAndHear(flags, asker, refusals, topics.errors);
  try {
    const skipped = await sendAll(flags, topics, link, first, rows);
    // Its answer comes after what the server says of the readings before it.
    if (flags.request) print(await asker.ask(link, { layer, timeout }), flags);
    refusals.summarise();
    return skipped + refusals.count > 0 ? Exit.skipped : Exit.ok;
  } finally {
    await leave(link);
  }
}

/** Listens to refusals too, where the broker lets this client. */
async function connectAndHear(
  flags: ClientFlags,
  asker: Asker,
  refusals: HeardRefusals,
  errorsTopic: string,
): Promise<Link> {
  if (flags.wire === "original") return await connect(flags, asker);
  try {
    return await connect(flags, {
      name: asker.name,
      subscriptions: [...asker.subscriptions, errorsTopic],
      handlersFor: (link) => {
        const asking = asker.handlersFor(link);
        return {
          ...asking,
          message: (message) => {
            if (refusals.hear(message)) link.acknowledge([message]);
            else asking.message(message);
          },
        };
      },
    });
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (code !== "refused" || !message.includes(errorsTopic)) throw error;
    info(flags, `${message}: it will not be told if the server refuses some`);
    return await connect(flags, asker);
  }
}

/** Gives the next rows each time it is called; undefined when there are no more. */
type NextRows = () => Promise<Rows | undefined>;

/** Sends all rows; returns how many were skipped. */
async function sendAll(
  flags: ClientFlags,
  topics: Topics,
  link: Link,
  first: Rows | undefined,
  next: NextRows,
): Promise<number> {
  const { file, interval } = flags;
  const topic = topics.data(flags.layer);
  const sender = new Sender(link, {
    topic,
    batch: flags.batch ?? (interval === undefined ? DEFAULT_BATCH : 1),
    interval,
    source: flags.source,
    original: flags.wire === "original",
  });
  const badRows = new BadRows(file);
  const progress = new Progress(() => sender.sent.readings, flags);
  try {
    for (let rows = first; rows !== undefined; rows = await next()) {
      await sender.send(rows.readings);
      if (flags.strict && rows.skipped > 0) await sender.finish();
      badRows.note(rows, flags.strict ?? false);
    }
    await sender.finish();
  } finally {
    progress.stop();
  }
  const { readings, messages } = sender.sent;
  if (readings === 0) throw nothingIn(file, badRows.count);
  info(
    flags,
    `Sent ${plural(readings, "reading")} in ${
      plural(messages, "message")
    } to ${topic}`,
  );
  badRows.summarise();
  return badRows.count;
}

/** The original server knows one layer and one reading a message. */
function checkWire({ wire, layer, batch, source }: ClientFlags): void {
  if (wire !== "original") return;
  const foreign = layer !== DEFAULT_LAYER
    ? "--layer"
    : (batch ?? 1) > 1
    ? "--batch"
    : source !== undefined
    ? "--source"
    : undefined;
  if (foreign === undefined) return;
  throw new CliError(`The original wire has no ${foreign}`, {
    exitCode: Exit.usage,
    hint: `Leave out ${foreign}, or --wire original.`,
  });
}

/** @throws {ProtocolError} "bad-source" */
function assertSource(source: string | undefined): void {
  encodeBatchJson(new ReadingBatch(0), 0, 0, { source });
}

async function openInput(file: string): Promise<AsyncIterable<Uint8Array>> {
  if (file === "-") return Deno.stdin.readable;
  try {
    const opened = await Deno.open(file);
    if ((await opened.stat()).isDirectory) {
      opened.close();
      throw new Deno.errors.IsADirectory();
    }
    return opened.readable;
  } catch (error) {
    throw explainFile(file, error);
  }
}

function nextRows(
  { file, strict }: ClientFlags,
  input: AsyncIterable<Uint8Array>,
): NextRows {
  const all = readRows(input, formatOf(file), strict);
  return async () => {
    try {
      const { done, value } = await all.next();
      return done ? undefined : value;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw explainFile(file, error);
      throw new CliError(`Cannot use ${nameOf(file)}: ${error.message}`, {
        hint: error.hint ?? HINTS[error.code],
        cause: error,
      });
    }
  };
}

const ROW_HINT = 'A row is x,y,value, or in JSON {"x":1,"y":2,"value":1}.';
const HINTS: Record<string, string> = {
  "bad-form": ROW_HINT,
  "bad-json": "Check the file as JSON, or name it .csv or .ndjson if it is.",
  "bad-utf8": "Save the file as UTF-8.",
};

function nothingIn(file: string, skipped: number): CliError {
  return new CliError(
    skipped === 0
      ? `No readings in ${nameOf(file)}`
      : skipped === 1
      ? `The only row of ${nameOf(file)} is not a reading`
      : `None of the ${plural(skipped, "row")} of ${nameOf(file)} is a reading`,
    { hint: ROW_HINT },
  );
}
