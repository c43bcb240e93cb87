/**
 * The metrics of the connections to brokers, and of the embedded broker. An
 * external broker has its own.
 *
 * @module
 */
import type { BrokerCounts, BrokerState } from "../../mqtt/link.ts";
import type { LinkStatus } from "../context.ts";
import { type ComputedMetric, single } from "./computed_metric.ts";

/** What a metric reads, its name without prefix and suffix, and its help. */
type Rows<Key> = readonly (readonly [key: Key, name: string, help: string])[];

const COUNTERS: Rows<keyof BrokerCounts> = [
  ["connections", "connections", "Connections that were accepted."],
  [
    "expiredSessions",
    "expired_sessions",
    "Sessions that have ended because their client did not return in time.",
  ],
  ["packetsReceived", "received_packets", "MQTT packets of clients."],
  ["packetsSent", "sent_packets", "MQTT packets to clients."],
  ["publishReceived", "received_messages", "Messages of clients."],
  ["publishSent", "sent_messages", "Messages to clients."],
  [
    "publishDropped",
    "dropped_messages",
    "Messages that a subscriber did not get, for example because its queue was full.",
  ],
  [
    "payloadBytesReceived",
    "received_payload_bytes",
    "Bytes of the payloads of the messages of clients.",
  ],
  [
    "payloadBytesSent",
    "sent_payload_bytes",
    "Bytes of the payloads of the messages to clients.",
  ],
  ["bytesReceived", "received_bytes", "Bytes from clients."],
  ["bytesSent", "sent_bytes", "Bytes to clients."],
];

const GAUGES: Rows<keyof BrokerState> = [
  ["clients", "clients", "Connected clients."],
  ["sessions", "sessions", "Sessions, of connected clients too."],
  ["subscriptions", "subscriptions", "Subscriptions of all sessions."],
  ["retainedMessages", "retained_messages", "Retained messages."],
  [
    "retainedBytes",
    "retained_bytes",
    "Memory of retained messages, approximately.",
  ],
  [
    "queuedMessages",
    "queued_messages",
    "Messages at QoS 1 and 2 that clients have not acknowledged.",
  ],
  ["queuedBytes", "queued_bytes", "Memory of these messages, approximately."],
  [
    "unsentBytes",
    "unsent_bytes",
    "Bytes that wait because their client does not read.",
  ],
];

/** Metrics that only increase; none for an external broker. */
export function brokerCounters(link: () => LinkStatus): ComputedMetric[] {
  return metricsOf(() => link().brokerCounts, COUNTERS, "_total");
}

/** Metrics that increase and decrease; none for an external broker. */
export function brokerGauges(link: () => LinkStatus): ComputedMetric[] {
  return metricsOf(() => link().brokerState, GAUGES, "");
}

/** Whether the server is connected. */
export function linkGauges(link: () => LinkStatus): ComputedMetric[] {
  return [
    {
      name: "occupancy_broker_up",
      help:
        "1 while connected to the broker (of several: to one at least), otherwise 0.",
      read: () => single(Number(link().up)),
    },
    {
      name: "occupancy_broker_since_timestamp_seconds",
      help:
        "When the connection to the broker was made or lost, in seconds since 1970.",
      read: () => single(link().since / 1000),
    },
    {
      name: "occupancy_broker_connection_up",
      help: "1 while connected to a broker, otherwise 0; by broker.",
      labels: ["broker"],
      read: () =>
        link().connections.map(({ description, up }) => [
          Number(up),
          { broker: description },
        ]),
    },
  ];
}

function metricsOf<Key extends string>(
  values: () => Readonly<Record<Key, number>> | undefined,
  rows: Rows<Key>,
  suffix: string,
): ComputedMetric[] {
  if (values() === undefined) return [];
  return rows.map(([key, name, help]) => ({
    name: `occupancy_broker_${name}${suffix}`,
    help,
    read: () => single(values()?.[key] ?? 0),
  }));
}
