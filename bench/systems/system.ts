import type { Member } from "../harness/cpu.ts";
import type { Loader } from "../harness/loader.ts";

/** What every trial uses as the prefix of its topics. */
export const PREFIX = "occupancy";

/** The topic of the readings. */
export const DATA_TOPIC = `${PREFIX}/data`;

/** Something that readings are sent to, with its broker: processes of its own. */
export interface System extends AsyncDisposable {
  /** Where its broker listens, on the loopback. */
  readonly port: number;
  readonly members: readonly Member[];
  /**
   * Resolves when it has dealt with so many messages in all.
   *
   * @returns when that was, ms since 1970
   */
  settled(messages: number, load: Loader): Promise<number>;
  /** Messages that its broker has thrown away; undefined if it can throw none away. */
  dropped?(): Promise<number>;
}

/** What a system is started for. */
export interface Work {
  readonly qos: 0 | 1;
  /** At which counts of messages it is asked whether it has {@linkcode System.settled}. */
  readonly marks: readonly number[];
  /** A directory for its files, its own. */
  readonly folder: string;
}

/** How a system is started, afresh. */
export type Start = (work: Work) => Promise<System>;

/** A TCP port of the loopback that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Ends things in reverse order. */
export async function disposeAll(
  things: readonly AsyncDisposable[],
): Promise<void> {
  for (const thing of things.toReversed()) await thing[Symbol.asyncDispose]();
}
