/**
 * Reads what a broker publishes about itself.
 *
 * @module
 */
import type { OpenProbe } from "../mqtt/probe_connection.ts";

/** What a broker publishes about itself below `$SYS`. */
export interface BrokerInfo {
  /** From `$SYS/broker/version`, for example `mosquitto version 2.0.11`. */
  readonly version?: string;
  /** Messages that the broker has dropped since it started. */
  readonly droppedMessages?: number;
  /** True if it is the embedded broker of an occupancy server. */
  readonly embedded: boolean;
}

const VERSION_TOPIC = "$SYS/broker/version";
const DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped";
/** How the version of the embedded broker begins. */
const EMBEDDED_VERSION = "occupancy version ";
const decoder = new TextDecoder();

/**
 * Reads what a broker publishes about itself.
 *
 * @param connect opens a separate connection: some brokers disconnect a client
 * that subscribes below `$SYS`
 */
export async function readBrokerInfo(
  connect: OpenProbe,
): Promise<BrokerInfo> {
  const texts = new Map<string, string>();
  try {
    const probe = await connect(({ topic, payload }) =>
      texts.set(topic, decoder.decode(payload))
    );
    for (const filter of [VERSION_TOPIC, DROPPED_TOPIC]) {
      await probe.subscribe(filter, 0);
    }
    await probe.roundTrip();
  } catch {
    // The broker publishes nothing.
  }
  const version = texts.get(VERSION_TOPIC);
  const droppedMessages = Number(texts.get(DROPPED_TOPIC) ?? NaN);
  return {
    ...(version !== undefined && { version }),
    ...(Number.isSafeInteger(droppedMessages) && { droppedMessages }),
    embedded: version?.startsWith(EMBEDDED_VERSION) ?? false,
  };
}
