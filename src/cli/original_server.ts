/**
 * Detects a server that speaks only the protocol of the original scripts. Our
 * messages with several readings would crash it.
 *
 * @module
 */
import { abortable, delay } from "../common/async.ts";
import { AppError } from "../common/errors.ts";
import { MIN_FAILURE_CODE } from "../mqtt/failure.ts";
import { LinkError } from "../mqtt/link.ts";
import type { ProbeMessage } from "../mqtt/probe_connection.ts";
import {
  encodeRequest,
  parseOriginal,
  ProtocolError,
  type Topics,
} from "../protocol/mod.ts";
import { brokerOf } from "./arguments/addresses.ts";
import { readBrokerAccess } from "./arguments/broker_access.ts";
import type { BrokerFlags } from "./arguments/common_options.ts";
import { uniqueClientId } from "./connect.ts";
import { printWarning } from "./terminal/output.ts";

/** Time for a server to answer a request before a check begins. */
const REPLY_TIMEOUT_MS = 200;
/** Maximum time to wait for the retained state on the command's connection. */
const STATE_TIMEOUT_MS = 100;
/** Maximum time to wait for an answer if no server has published its state. */
const ANSWER_TIMEOUT_MS = 1000;
/** Time for the answer of a server of this protocol after an original one. */
const OTHER_ANSWER_TIMEOUT_MS = 300;
/** Time to connect. After that the command goes on: it has a connection. */
const CONNECT_TIMEOUT_MS = 2000;

/** Options of {@linkcode refuseOriginalServer}. */
export interface RefuseOptions {
  readonly topics: Topics;
  /** What to do about an original server, for people. */
  readonly hint: string;
  /** Ends the check. */
  readonly signal: AbortSignal;
  /**
   * Returns true if the server has published its state. Default: unknown, which
   * costs another connection.
   */
  readonly isKnown?: () => boolean;
}

/**
 * Checks the server before readings are sent. Does nothing if the server has
 * published its state, or if the check is not possible: then the command itself
 * reports what is wrong. If no server has published a state, the check takes up
 * to a second.
 *
 * @throws {AppError} "original-server" if only a server of the original
 * protocol answers
 * @throws the signal's reason if aborted
 */
export async function refuseOriginalServer(
  flags: BrokerFlags,
  { topics, hint, signal, isKnown }: RefuseOptions,
): Promise<void> {
  if (isKnown !== undefined && await becomesTrue(isKnown, signal)) return;
  let isOriginal = false;
  try {
    isOriginal = await abortable(isOnlyOriginal(flags, topics, signal), signal);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
  }
  if (!isOriginal) return;
  throw new AppError(
    "original-server",
    `Only a server of the original protocol answers for "${topics.prefix}"`,
    { hint, exitClass: "no-answer" },
  );
}

/**
 * Sends a request, and checks the server while it has not answered.
 *
 * @param request sends it and waits for the reply
 * @param flags the broker
 * @param options as in {@linkcode refuseOriginalServer}
 * @returns the result of `request`
 * @throws {AppError} as {@linkcode refuseOriginalServer}
 */
export async function requestUnlessOriginal<T>(
  request: (signal: AbortSignal) => Promise<T>,
  flags: BrokerFlags,
  options: RefuseOptions,
): Promise<T> {
  const done = new AbortController();
  const signal = AbortSignal.any([options.signal, done.signal]);
  const refused = Promise.withResolvers<never>();
  const check = async () => {
    await delay(REPLY_TIMEOUT_MS, signal);
    if (signal.aborted) return;
    await refuseOriginalServer(flags, { ...options, signal });
  };
  check().catch(refused.reject);
  const reply = request(signal);
  // The first of the two decides; the other is aborted.
  reply.catch(() => {});
  refused.promise.catch(() => {});
  try {
    return await Promise.race([reply, refused.promise]);
  } finally {
    done.abort();
  }
}

/**
 * Requests one cell. A server of this protocol answers on the topic of the
 * request, an original one on the common topic, with a dict.
 */
async function isOnlyOriginal(
  flags: BrokerFlags,
  topics: Topics,
  signal: AbortSignal,
): Promise<boolean> {
  const { ProbeConnection } = await import("../mqtt/probe_connection.ts");
  const clientId = uniqueClientId("check");
  const replyTo = topics.responseFor(clientId);
  let isOriginal = false;
  const known = new AbortController();
  const original = new AbortController();
  const onMessage = ({ topic, payload }: ProbeMessage) => {
    if (topic === topics.state || topic === replyTo) known.abort();
    else if (isDict(payload)) {
      isOriginal = true;
      original.abort();
    }
  };
  const probe = await ProbeConnection.open({
    url: brokerOf(flags),
    ...await readBrokerAccess(flags, printWarning),
    clientId,
    timeout: CONNECT_TIMEOUT_MS,
    onMessage,
  });
  try {
    const codes = [await probe.subscribe(topics.state, 0)];
    await probe.roundTrip(); // now the retained state has arrived
    if (known.signal.aborted) return false;
    codes.push(
      await probe.subscribe(topics.response, 0, false),
      await probe.subscribe(replyTo, 0, false),
    );
    if (codes.some((code) => code >= MIN_FAILURE_CODE)) return false;
    const region = { x0: 0, y0: 0, x1: 0, y1: 0 };
    await probe.publish(topics.request, encodeRequest({ region, replyTo }));
    const end = AbortSignal.any([known.signal, signal]);
    await delay(ANSWER_TIMEOUT_MS, AbortSignal.any([end, original.signal]));
    if (isOriginal) await delay(OTHER_ANSWER_TIMEOUT_MS, end);
    return isOriginal && !known.signal.aborted;
  } finally {
    await probe.close();
  }
}

/** Waits a moment for the retained state, which follows the SUBACK. */
async function becomesTrue(
  isKnown: () => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const end = performance.now() + STATE_TIMEOUT_MS;
  while (!isKnown() && !signal.aborted && performance.now() < end) {
    await delay(2, signal);
  }
  return isKnown();
}

function isDict(payload: Uint8Array): boolean {
  try {
    parseOriginal(payload);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
