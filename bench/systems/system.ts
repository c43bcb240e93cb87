/**
 * The interface of all systems under test: a program that receives readings,
 * with its broker.
 *
 * @module
 */
import type { LoadGenerator } from "../harness/load_generator.ts";
import type { MeteredProcess } from "../harness/meter.ts";

/** Prefix of the topics in every trial. */
export const PREFIX = "occupancy";

/** The topic of the readings. */
export const DATA_TOPIC = `${PREFIX}/data`;

/** A running system. Each of its parts is a separate process. */
export interface System extends AsyncDisposable {
  /** Port of its broker, on the loopback. */
  readonly port: number;
  readonly processes: readonly MeteredProcess[];
  /**
   * Waits until it has processed a number of messages since its start.
   *
   * @returns the time at that moment, ms since 1970
   */
  waitUntilProcessed(messages: number, load: LoadGenerator): Promise<number>;
  /** Number of messages that its broker dropped; undefined if it never does. */
  droppedMessages?(): Promise<number>;
}

/** Options of {@linkcode StartSystem}. */
export interface TrialOptions {
  readonly qos: 0 | 1;
  /** Counts of messages for which {@linkcode System.waitUntilProcessed} is called. */
  readonly marks: readonly number[];
  /** An empty folder for its files. */
  readonly folder: string;
}

/** Starts a system. */
export type StartSystem = (options: TrialOptions) => Promise<System>;

/** Disposes of resources in reverse order. */
export async function disposeAll(
  resources: readonly AsyncDisposable[],
): Promise<void> {
  for (const resource of resources.toReversed()) {
    await resource[Symbol.asyncDispose]();
  }
}
