/**
 * Limits of the broker and their defaults.
 *
 * @module
 */
import type { AdmissionLimits } from "./listeners/admission.ts";
import {
  RETAINED_LIMITS,
  type RetainedLimits,
} from "./retained/retained_store.ts";
import { SESSION_LIMITS, type SessionLimits } from "./sessions/context.ts";

/** Limits of what clients send, and of what waits for them. */
export interface ConnectionSettings {
  /** The longest packet of a client, in bytes. */
  readonly maxPacketBytes: number;
  /** Levels of a topic or filter. */
  readonly maxTopicLevels: number;
  /**
   * MQTT 5: messages at QoS 1 and 2 that a client may send without an
   * acknowledgement (Receive Maximum, 3.2.2.3.3).
   */
  readonly receiveMaximum: number;
  /** Unsent bytes for one client, without the longest message among them. */
  readonly maxUnsentBytes: number;
  /** Memory of unsent bytes for all clients. */
  readonly maxTotalUnsentBytes: number;
  /** Memory of incomplete packets above 64 KiB of all clients. */
  readonly maxIncompleteBytes: number;
  /** How long a client may take no byte while some wait for it, in ms. */
  readonly stallTimeoutMs: number;
  /** How long a new connection may take to send CONNECT, in ms. */
  readonly connectTimeoutMs: number;
}

/** All limits. */
export interface BrokerLimits {
  readonly admission: AdmissionLimits;
  readonly connection: ConnectionSettings;
  readonly sessions: SessionLimits;
  readonly retained: RetainedLimits;
}

/** The defaults of {@linkcode BrokerLimits}. */
export const BROKER_LIMITS: BrokerLimits = {
  admission: {
    connections: 10_000,
    connectionsPerSecond: 1_000,
  },
  connection: {
    maxPacketBytes: 32 * 1024 * 1024,
    maxTopicLevels: 200,
    receiveMaximum: 4096,
    maxUnsentBytes: 128 * 1024 * 1024,
    maxTotalUnsentBytes: 256 * 1024 * 1024,
    maxIncompleteBytes: 256 * 1024 * 1024,
    stallTimeoutMs: 30_000,
    connectTimeoutMs: 10_000,
  },
  sessions: SESSION_LIMITS,
  retained: RETAINED_LIMITS,
};
