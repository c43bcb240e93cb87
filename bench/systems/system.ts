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
   * Waits until it has processed a number of messages in all.
   *
   * @returns when it had, ms since 1970
   */
  processed(messages: number, load: LoadGenerator): Promise<number>;
  /** How many messages its broker dropped; undefined if it never drops any. */
  droppedMessages?(): Promise<number>;
}

/** Options of {@linkcode StartSystem}. */
export interface TrialOptions {
  readonly qos: 0 | 1;
  /** Counts of messages for which {@linkcode System.processed} is called. */
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
