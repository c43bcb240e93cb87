/**
 * One trial of ingest: how many messages and readings per second a system
 * processes.
 *
 * @module
 */
import { delay } from "../../src/common/async.ts";
import { tempDir } from "../../tests/support/temp.ts";
import { LoadGenerator } from "../harness/load_generator.ts";
import {
  limitOf,
  memoryOf,
  Meter,
  type MeteredProcess,
  type Usage,
} from "../harness/meter.ts";
import type { Order } from "../harness/packets.ts";
import type { Sample } from "../harness/report.ts";
import {
  DATA_TOPIC,
  PREFIX,
  type StartSystem,
  type System,
} from "../systems/system.ts";

/** The load of a trial. */
export interface IngestShape {
  /** The version of MQTT: 4 is 3.1.1. Default 4. */
  readonly version?: 4 | 5;
  readonly qos: 0 | 1;
  readonly readingsPerMessage: number;
  /** Messages before the clock starts, so that the code is compiled. */
  readonly warmUp: number;
  readonly messages: number;
  readonly cells: number;
  readonly order: Order;
  /** QoS 1 messages in flight. */
  readonly window: number;
  /** Cells that the map has before the trial. */
  readonly preloaded?: number;
  /** Pause after that, ms. */
  readonly pauseMs?: number;
}

/** Options of {@linkcode ingest}. */
export interface IngestOptions {
  /** True if the system is an occupancy server, whose map is then checked. */
  readonly checked?: boolean;
  /** True to measure the memory of the server. */
  readonly memory?: boolean;
}

/**
 * Sends a load and waits until the system has processed it.
 *
 * @throws {Error} if a message or a reading was lost
 */
export async function ingest(
  start: StartSystem,
  shape: IngestShape,
  { checked = false, memory = false }: IngestOptions = {},
): Promise<Sample> {
  await using folder = await tempDir();
  const { warmUp, messages, qos, readingsPerMessage } = shape;
  const total = warmUp + messages;
  const marks = [warmUp, total];
  await using system = await start({ qos, marks, folder: folder.path });
  await using load = await LoadGenerator.start({
    ...shape,
    messages: total,
    topic: DATA_TOPIC,
    port: system.port,
    prefix: PREFIX,
  });
  if (shape.preloaded !== undefined) await preload(system, shape.preloaded);
  if (shape.pauseMs !== undefined) await delay(shape.pauseMs);
  await load.send(warmUp);
  await system.waitUntilProcessed(warmUp, load);
  const meter = new Meter(allProcesses(system, load));
  const { startedAt } = await load.send(messages);
  const seconds = (await system.waitUntilProcessed(total, load) - startedAt) /
    1000;
  const usages = meter.stop();
  if (checked) await check(system, load, shape);
  return {
    figures: {
      messagesPerSecond: messages / seconds,
      ...(readingsPerMessage > 1 && {
        readingsPerSecond: messages * readingsPerMessage / seconds,
      }),
      ...cpuPerMessage(usages, messages),
      ...(memory && { peakResidentBytes: peakOf(system) }),
    },
    limit: limitOf(usages),
  };
}

/**
 * Fills the map of an occupancy server, 1,000 readings per message.
 *
 * @param readings how many; default: one per cell
 */
export async function preload(
  { port }: Pick<System, "port">,
  cells: number,
  order: Order = "sweep",
  readings: number = cells,
): Promise<void> {
  const messages = Math.ceil(readings / 1000);
  await using load = await LoadGenerator.start({
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
  await load.request();
}

/** The maximum memory of the server so far, in bytes. */
function peakOf({ processes }: System): number {
  return memoryOf(processes.find(({ role }) => role === "server")!.pid).peak;
}

/** The processes of a trial: those of the system, and the load generator. */
export function allProcesses(
  system: System,
  load: LoadGenerator,
): MeteredProcess[] {
  return [...system.processes, { role: "generator", pid: load.pid }];
}

/** The figures of CPU time per message, one for each process. */
export function cpuPerMessage(
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

/** Compares our map with the readings sent. Other systems count messages. */
async function check(
  system: System,
  load: LoadGenerator,
  { warmUp, messages, readingsPerMessage, cells, order }: IngestShape,
): Promise<void> {
  const dropped = await system.droppedMessages?.() ?? 0;
  if (dropped > 0) throw new Error(`The broker dropped ${dropped} messages`);
  if (order !== "sweep") return;
  const readings = (warmUp + messages) * readingsPerMessage;
  const wrong = await load.compare(readings, Math.min(cells, readings));
  if (wrong > 0) throw new Error(`${wrong} cells of the map are wrong`);
}
