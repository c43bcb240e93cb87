import type { Examination } from "./examination.ts";

/** What a broker tells of itself below `$SYS`, where it does. */
export interface Manners {
  /** As `$SYS/broker/version` says, e.g. `mosquitto version 2.0.11`. */
  readonly version?: string;
  /** Messages that it has dropped since it started. */
  readonly dropped?: number;
  /** True if it is the embedded one of an occupancy server. */
  readonly embedded: boolean;
}

const VERSION = "$SYS/broker/version";
const DROPPED = "$SYS/broker/publish/messages/dropped";
/** aedes, which the embedded broker is made of, tells here who subscribes. */
const SUBSCRIBES = "$SYS/+/new/subscribes";
const decoder = new TextDecoder();

/**
 * Asks. It takes a connection of its own: some brokers hang up on who asks for
 * topics below `$SYS`.
 */
export async function watchManners(
  examination: Examination,
): Promise<Manners | undefined> {
  if (await examination.probe() === undefined) return undefined;
  const heard = new Map<string, string>();
  try {
    const probe = await examination.open("sys", {
      message: ({ topic, payload }) =>
        heard.set(topic, decoder.decode(payload)),
    });
    for (const filter of [SUBSCRIBES, VERSION, DROPPED]) {
      await probe.subscribe(filter, 0);
    }
    await probe.settle();
  } catch {
    // It tells nothing.
  }
  const version = heard.get(VERSION);
  const dropped = Number(heard.get(DROPPED) ?? NaN);
  return {
    ...(version !== undefined && { version }),
    ...(Number.isSafeInteger(dropped) && { dropped }),
    embedded: [...heard.keys()].some((topic) =>
      topic.endsWith("/new/subscribes")
    ),
  };
}
