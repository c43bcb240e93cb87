/**
 * Counts what the broker does.
 *
 * @module
 */
import type { BrokerCounts } from "../../mqtt/link.ts";

/** The counts of a broker. Its parts add to them. */
export class Counters implements BrokerCounts {
  connections = 0;
  expiredSessions = 0;
  packetsReceived = 0;
  packetsSent = 0;
  publishReceived = 0;
  publishSent = 0;
  publishDropped = 0;
  payloadBytesReceived = 0;
  payloadBytesSent = 0;
  bytesReceived = 0;
  bytesSent = 0;
  /** The most clients that were connected at the same time. */
  maxClients = 0;

  /** Notes how many clients are connected. Called after each login. */
  noteClients(connected: number): void {
    if (connected > this.maxClients) this.maxClients = connected;
  }
}
