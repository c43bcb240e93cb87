/**
 * The metrics of the embedded broker. An external broker has its own.
 *
 * @module
 */
import type { BrokerCounts, BrokerState } from "../../mqtt/link.ts";
import type { LinkStatus } from "../context.ts";
import { type ComputedMetric, single } from "./computed_metric.ts";

const COUNTERS: readonly (readonly [keyof BrokerCounts, string, string])[] = [
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

const GAUGES: readonly (readonly [keyof BrokerState, string, string])[] = [
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
  if (link().brokerCounts === undefined) return [];
  return COUNTERS.map(([key, name, help]) => ({
    name: `occupancy_broker_${name}_total`,
    help,
    read: () => single(link().brokerCounts?.[key] ?? 0),
  }));
}

/** Metrics that increase and decrease; none for an external broker. */
export function brokerGauges(link: () => LinkStatus): ComputedMetric[] {
  if (link().brokerState === undefined) return [];
  return GAUGES.map(([key, name, help]) => ({
    name: `occupancy_broker_${name}`,
    help,
    read: () => single(link().brokerState?.[key] ?? 0),
  }));
}
