/**
 * Finds out which servers use a prefix, with one request.
 *
 * @module
 */
import { delay } from "../common/async.ts";
import type { OpenProbe, ProbeMessage } from "../mqtt/probe_connection.ts";
import {
  encodeRequest,
  parseOriginal,
  parseReply,
  parseState,
  type ServerState,
  type Topics,
} from "../protocol/mod.ts";

/** How long the probe waits for states and replies, in ms. */
const PROBE_DURATION_MS = 1500;

/** What the servers with one prefix published during a probe. */
export interface ServerProbe {
  /** Messages on the state topic, the retained one first. */
  readonly states: readonly ServerState[];
  /** Replies to one request: more than one means several servers. */
  readonly replies: readonly ServerReply[];
  /**
   * True if a map of the original protocol was published. A server of this
   * protocol also does that, for an original client.
   */
  readonly hasOriginalReply: boolean;
}

/** The clocks of server and client, from one reply. */
export interface ServerReply {
  /** The server's clock, in ms since 1970. */
  readonly time: number;
  /**
   * This machine's clock halfway between request and reply, in ms since 1970.
   */
  readonly expected: number;
  /** The maximum error of `expected`: half of the round trip, in ms. */
  readonly uncertainty: number;
}

/**
 * Requests one cell, and collects replies and states.
 *
 * @param connect opens a connection to the broker
 * @param topics the topics of the server
 * @param id the id of the request, not used by another client
 * @param timeout the maximum time of a check, in ms; the probe takes half of it
 * at most
 */
export async function probeServer(
  connect: OpenProbe,
  topics: Topics,
  id: string,
  timeout: number,
): Promise<ServerProbe> {
  const states: ServerState[] = [];
  const replies: ServerReply[] = [];
  const replyTo = topics.responseFor(id);
  let hasOriginalReply = false;
  let sentAt = NaN;
  const onMessage = ({ topic, payload, at }: ProbeMessage) => {
    try {
      if (topic === topics.state) {
        states.push(parseState(payload));
        return;
      }
      if (topic === topics.response) {
        parseOriginal(payload);
        hasOriginalReply = true;
        return;
      }
      const reply = parseReply(payload);
      if (reply.transaction !== id || reply.status !== "ok") return;
      const half = (at - sentAt) / 2;
      const expected = sentAt + half;
      replies.push({ time: reply.time, expected, uncertainty: half });
    } catch {
      // Not from a server.
    }
  };
  const probe = await connect(onMessage);
  await probe.subscribe(topics.state, 0);
  await probe.subscribe(replyTo, 1);
  await probe.subscribe(topics.response, 0, false);
  await probe.roundTrip();
  sentAt = Date.now();
  // A server whose store fails answers, and does not acknowledge.
  const acknowledged = probe.publish(
    topics.request,
    encodeRequest({
      transaction: id,
      region: { x0: 0, y0: 0, x1: 0, y1: 0 },
      replyTo,
    }),
  );
  const end = delay(Math.min(PROBE_DURATION_MS, timeout / 2));
  await Promise.race([acknowledged, end]);
  await end;
  return { states, replies, hasOriginalReply };
}
