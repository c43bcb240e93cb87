/**
 * How many messages and readings a second a system takes.
 *
 * @module
 */
import { limitOf, type Member, Meter, type Usage } from "../harness/cpu.ts";
import { Loader } from "../harness/loader.ts";
import type { Order } from "../harness/packets.ts";
import type { Sample } from "../harness/report.ts";
import { withFolder } from "../harness/folder.ts";
import {
  DATA_TOPIC,
  PREFIX,
  type Start,
  type System,
} from "../systems/system.ts";

/** What is sent. */
export interface IngestShape {
  readonly qos: 0 | 1;
  readonly readingsPerMessage: number;
  /** Messages before the clock starts, for the compilers to warm up. */
  readonly warmUp: number;
  readonly messages: number;
  readonly cells: number;
  readonly order: Order;
  /** QoS 1 messages in flight. */
  readonly window: number;
  /** Cells that are there before, sent a thousand a message. */
  readonly preloaded?: number;
}

/** A trial whose system is an occupancy server, so that its map can be checked. */
export interface IngestOptions {
  readonly checked?: boolean;
}

/**
 * Sends a load and waits until all of it has been dealt with.
 *
 * @throws {Error} if anything was lost on the way
 */
export function ingest(
  start: Start,
  shape: IngestShape,
  { checked = false }: IngestOptions = {},
): Promise<Sample> {
  return withFolder(async (folder) => {
    const { warmUp, messages, qos, readingsPerMessage } = shape;
    const total = warmUp + messages;
    await using system = await start({ qos, marks: [warmUp, total], folder });
    await using load = await Loader.start({
      ...shape,
      messages: total,
      topic: DATA_TOPIC,
      port: system.port,
      prefix: PREFIX,
    });
    if (shape.preloaded !== undefined) await preload(system, shape.preloaded);
    await load.send(warmUp);
    await system.settled(warmUp, load);
    const meter = new Meter(membersOf(system, load));
    const { startedAt } = await load.send(messages);
    const seconds = (await system.settled(total, load) - startedAt) / 1000;
    const usages = meter.stop();
    if (checked) await check(system, load, shape);
    return {
      figures: {
        messagesPerSecond: messages / seconds,
        ...(readingsPerMessage > 1 && {
          readingsPerSecond: messages * readingsPerMessage / seconds,
        }),
        ...costs(usages, messages),
      },
      limit: limitOf(usages),
    };
  });
}

/**
 * Fills the map of a server of ours, a thousand readings a message.
 *
 * @param readings How many; default: one a cell
 */
export async function preload(
  { port }: System,
  cells: number,
  order: Order = "sweep",
  readings: number = cells,
): Promise<void> {
  const messages = Math.ceil(readings / 1000);
  await using load = await Loader.start({
    topic: DATA_TOPIC,
    prefix: PREFIX,
    port,
    qos: 1,
    messages,
    readingsPerMessage: 1000,
    cells,
    order,
    window: 20,
  });
  await load.send(messages);
  await load.ask();
}

/** All processes of a trial. */
export function membersOf(system: System, load: Loader): Member[] {
  return [...system.members, { role: "generator", pid: load.pid }];
}

/** CPU a message of each process. */
export function costs(
  usages: readonly Usage[],
  messages: number,
): Record<string, number> {
  return Object.fromEntries(
    usages.map(({ role, cpuMicroseconds }) => [
      `${role}CpuMicrosecondsPerMessage`,
      cpuMicroseconds / messages,
    ]),
  );
}

/** Other systems count what they get; a server of ours is asked for its map. */
async function check(
  system: System,
  load: Loader,
  { warmUp, messages, readingsPerMessage, cells, order }: IngestShape,
): Promise<void> {
  const dropped = await system.dropped?.() ?? 0;
  if (dropped > 0) throw new Error(`The broker dropped ${dropped} messages`);
  if (order !== "sweep") return;
  const readings = (warmUp + messages) * readingsPerMessage;
  const wrong = await load.compare(readings, Math.min(cells, readings));
  if (wrong > 0) throw new Error(`${wrong} cells of the map are wrong`);
}
