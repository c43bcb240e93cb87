/** The limits of the embedded broker: options of `occupancy server`. */
import { parseDuration } from "../../../common/duration.ts";
import type { BrokerOptions } from "../../../broker/broker.ts";
import { memoryLimit } from "../../../common/memory.ts";
import type { FlagsOf, OptionSpec } from "../../arguments/spec.ts";
import {
  parseCount,
  parseMemory,
  parseSize,
} from "../../arguments/number_values.ts";
import { connectionBudget, descriptorLimit } from "./descriptor_limit.ts";

const LIMITS = "Limits of the embedded broker";
/** The longest packet of a client by default. */
const PACKET_BYTES = 32 * 1024 * 1024;
const DEFAULT_CONNECTIONS = 10_000;
const MIB = 1024 * 1024;

/** Options of `occupancy server`. */
export const BROKER_LIMIT_OPTIONS = [
  {
    name: "mqtt-connections",
    value: "n",
    summary: "maximum number of open connections",
    unset: "10000, or three eighths of the file descriptors",
    parse: parseCount,
    group: LIMITS,
  },
  {
    name: "mqtt-connections-per-address",
    value: "n",
    summary: "the same for one address (IPv6: for one /64 network)",
    unset: "half of --mqtt-connections",
    parse: parseCount,
    group: LIMITS,
  },
  {
    name: "mqtt-connection-rate",
    value: "n",
    summary: "maximum number of new connections in a second",
    default: "1000",
    parse: parseCount,
    group: LIMITS,
  },
  {
    name: "mqtt-packet",
    value: "size",
    summary: "maximum size of a packet from a client",
    unset: "32MiB, or twice --max-payload",
    parse: parseSize,
    group: LIMITS,
  },
  {
    name: "mqtt-topic-levels",
    value: "n",
    summary: "maximum number of levels of a topic or filter",
    default: "200",
    parse: parseCount,
    group: LIMITS,
  },
  {
    name: "mqtt-subscriptions",
    value: "n",
    summary: "maximum number of subscriptions of a client",
    default: "1000",
    parse: parseCount,
    group: LIMITS,
  },
  {
    name: "mqtt-sessions",
    value: "n",
    summary: "maximum number of sessions, of connected clients too",
    default: "10000",
    parse: parseCount,
    group: LIMITS,
  },
  {
    name: "mqtt-session-age",
    value: "duration",
    summary: "how long a session is kept after its client disconnected",
    default: "7d",
    parse: parseDuration,
    group: LIMITS,
  },
  {
    name: "mqtt-session-bytes",
    value: "size",
    summary: "maximum memory of the messages that wait in all sessions",
    unset: "256MiB, or an eighth of the memory",
    parse: parseMemory,
    group: LIMITS,
  },
  {
    name: "mqtt-queue",
    value: "n",
    summary: "maximum number of messages that wait in a session",
    default: "1000",
    parse: parseCount,
    group: LIMITS,
  },
  {
    name: "mqtt-queue-bytes",
    value: "size",
    summary: "the same in bytes",
    default: "16MiB",
    parse: parseMemory,
    group: LIMITS,
  },
  {
    name: "mqtt-in-flight",
    value: "n",
    summary:
      "maximum number of messages at QoS 1 and 2 that a client may leave unacknowledged before it gets more",
    default: "100",
    parse: parseCount,
    group: LIMITS,
  },
  {
    name: "mqtt-retained",
    value: "n",
    summary: "maximum number of retained messages",
    default: "100000",
    parse: parseCount,
    group: LIMITS,
  },
  {
    name: "mqtt-retained-bytes",
    value: "size",
    summary: "the same in bytes",
    unset: "128MiB, or a sixteenth of the memory",
    parse: parseMemory,
    group: LIMITS,
  },
  {
    name: "mqtt-unsent",
    value: "size",
    summary:
      "maximum size of what waits for a client that does not read, besides its longest message",
    unset: "128MiB, or a sixteenth of the memory",
    parse: parseMemory,
    group: LIMITS,
  },
  {
    name: "mqtt-unsent-total",
    value: "size",
    summary: "maximum memory of what waits for all such clients",
    unset: "256MiB, or an eighth of the memory",
    parse: parseMemory,
    group: LIMITS,
  },
] as const satisfies readonly OptionSpec[];

/** The flags of these options, and one that they depend on. */
export type BrokerLimitFlags = FlagsOf<typeof BROKER_LIMIT_OPTIONS> & {
  readonly maxPayload: number;
};

/**
 * Returns the limits of the embedded broker.
 *
 * @param warn called with a line for the log if one is less than what is set
 */
export async function brokerLimits(
  flags: BrokerLimitFlags,
  warn: (line: string) => void,
): Promise<NonNullable<BrokerOptions["limits"]>> {
  const descriptors = await descriptorLimit();
  const part = (share: number, most: number) =>
    Math.min(most, Math.floor(memoryLimit().bytes * share));
  const { mqttConnections } = flags;
  return {
    admission: {
      connections: connectionBudget(
        "MQTT",
        mqttConnections ?? DEFAULT_CONNECTIONS,
        descriptors,
        mqttConnections === undefined ? () => {} : warn,
      ),
      connectionsPerAddress: flags.mqttConnectionsPerAddress,
      connectionsPerSecond: flags.mqttConnectionRate,
    },
    connection: {
      maxPacketBytes: flags.mqttPacket ??
        Math.max(PACKET_BYTES, 2 * flags.maxPayload),
      maxTopicLevels: flags.mqttTopicLevels,
      maxUnsentBytes: flags.mqttUnsent ?? part(1 / 16, 128 * MIB),
      maxTotalUnsentBytes: flags.mqttUnsentTotal ?? part(1 / 8, 256 * MIB),
      maxIncompleteBytes: part(1 / 8, 256 * MIB),
    },
    sessions: {
      maxSessions: flags.mqttSessions,
      maxExpiry: Math.ceil(flags.mqttSessionAge / 1000),
      maxTotalBytes: flags.mqttSessionBytes ?? part(1 / 8, 256 * MIB),
      maxMessages: flags.mqttQueue,
      maxBytes: flags.mqttQueueBytes,
      maxInFlight: flags.mqttInFlight,
      maxSubscriptions: flags.mqttSubscriptions,
      maxTotalSubscriptionBytes: part(1 / 32, 256 * MIB),
    },
    retained: {
      maxMessages: flags.mqttRetained,
      maxBytes: flags.mqttRetainedBytes ?? part(1 / 16, 128 * MIB),
    },
  };
}
