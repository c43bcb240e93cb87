/**
 * SUBSCRIBE and UNSUBSCRIBE (MQTT 5, 3.8 to 3.11).
 *
 * @module
 */
import { MalformedPacket } from "../codec/malformed.ts";
import {
  PacketType,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
  type Version,
} from "../codec/packets.ts";
import { ReasonCode } from "../codec/reason_codes.ts";
import { appendSuback, subackBytes } from "../codec/suback.ts";
import { countLevels } from "../codec/topic_names.ts";
import type { Session } from "../sessions/session.ts";
import type { CommitGate } from "./commit_gate.ts";
import type { ConnectionContext } from "./context.ts";
import type { RetainedMessages, RetainedSender } from "./retained_sender.ts";

/** The connection that subscribes. */
export interface Subscriber {
  readonly version: Version;
  readonly session: Session;
  readonly gate: CommitGate;
  /** Maximum Packet Size of the client (MQTT 5, 3.1.2.11.4). */
  readonly maxPacketBytes: number | undefined;
  readonly retained: RetainedSender;
  /** True for a bridge: it needs RETAIN as published in MQTT 3.1.1 too. */
  readonly isBridge: boolean;
}

/**
 * Handles a SUBSCRIBE.
 *
 * @throws {MalformedPacket} if the client does not accept the SUBACK
 */
export function subscribe(
  context: ConnectionContext,
  subscriber: Subscriber,
  packet: SubscribePacket,
): void {
  const { version, session, gate, retained, isBridge } = subscriber;
  checkAnswer(subscriber, packet.subscriptions.length);
  const { router } = context;
  const before = router.changes;
  const messages = new Map<string, RetainedMessages>();
  const reasonCodes = packet.subscriptions.map((request) => {
    const refusal = refusalOf(context, session, request);
    if (refusal !== undefined) return refusal;
    const { filter, qos, noLocal, retainHandling } = request;
    const result = router.subscribe(session, {
      filter,
      qos,
      noLocal,
      retainHandling,
      retainAsPublished: request.retainAsPublished || isBridge,
      subscriptionId: packet.subscriptionIdentifier,
    });
    if (result.retained !== undefined) messages.set(filter, result.retained);
    return result.reason;
  });
  const { packetId } = packet;
  appendSuback(gate.begin(router.changes !== before), version, {
    type: PacketType.Suback,
    packetId,
    reasonCodes,
  });
  if (messages.size === 0) return;
  context.retainedSenders.set(session, retained);
  // After the SUBACK: many clients ignore what arrives before it.
  gate.afterSent(() => {
    for (const [filter, one] of messages) retained.add(filter, one);
  });
}

function refusalOf(
  { access, settings, onLimit }: ConnectionContext,
  session: Session,
  { isValid, filter, topicFilter }: SubscriptionRequest,
): number | undefined {
  if (!isValid) return ReasonCode.TopicFilterInvalid;
  if (countLevels(filter) > settings.maxTopicLevels) {
    onLimit("mqtt-topic-levels");
    return ReasonCode.TopicFilterInvalid;
  }
  return access.maySubscribe(session.identity, topicFilter) === "none"
    ? ReasonCode.NotAuthorized
    : undefined;
}

/** Checks that the client accepts a SUBACK or UNSUBACK (MQTT 5, 3.1.2-24). */
function checkAnswer({ maxPacketBytes }: Subscriber, codes: number): void {
  if (maxPacketBytes === undefined || subackBytes(codes) <= maxPacketBytes) {
    return;
  }
  throw new MalformedPacket(
    "its Maximum Packet Size is too small for the answer to its filters",
    ReasonCode.PacketTooLarge,
  );
}

/**
 * Handles an UNSUBSCRIBE.
 *
 * @throws {MalformedPacket} if the client does not accept the UNSUBACK
 */
export function unsubscribe(
  { router }: ConnectionContext,
  subscriber: Subscriber,
  { packetId, filters }: UnsubscribePacket,
): void {
  const { version, session, gate } = subscriber;
  checkAnswer(subscriber, filters.length);
  const before = router.changes;
  const reasonCodes = filters.map((filter) =>
    router.unsubscribe(session, filter)
      ? ReasonCode.Success
      : ReasonCode.NoSubscriptionExisted
  );
  appendSuback(gate.begin(router.changes !== before), version, {
    type: PacketType.Unsuback,
    packetId,
    reasonCodes,
  });
}
