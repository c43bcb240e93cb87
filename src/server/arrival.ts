/**
 * What a link delivers: single messages, and runs of messages.
 *
 * @module
 */
import type { Incoming, IncomingRun } from "../mqtt/link.ts";

/** A message, or consecutive messages to a topic for readings. */
export type Arrival = Incoming | IncomingRun;

/** Returns true for a run. */
export function isRun(arrival: Arrival): arrival is IncomingRun {
  return "count" in arrival;
}

/** Returns the number of messages. */
export function messagesOf(arrival: Arrival): number {
  return isRun(arrival) ? arrival.count : 1;
}

/** Returns the bytes of all payloads. */
export function payloadBytesOf(arrival: Arrival): number {
  if (!isRun(arrival)) return arrival.payload.length;
  const { starts, ends, count } = arrival;
  let bytes = 0;
  for (let i = 0; i < count; i++) bytes += ends[i]! - starts[i]!;
  return bytes;
}

/** Returns the bytes of a payload; of a run, also those between the payloads. */
export function spanBytesOf(arrival: Arrival): number {
  if (!isRun(arrival)) return arrival.payload.length;
  return arrival.ends[arrival.count - 1]! - arrival.starts[0]!;
}

/**
 * Returns a message of a run, for what needs a message of its own.
 *
 * @param index its index in the run
 */
export function messageOf(run: IncomingRun, index: number): Incoming {
  const { topic, bytes, starts, ends, qos, retain, contentType } = run;
  const payload = bytes.subarray(starts[index], ends[index]);
  return { topic, payload, qos, retain, contentType };
}
