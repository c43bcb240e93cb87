/**
 * The messages of one client: checked, passed to the server, routed and
 * acknowledged (MQTT 5, 3.3).
 *
 * @module
 */
import type { Identity } from "../access/access.ts";
import {
  appendAcknowledgement,
  appendAcknowledgements,
} from "../codec/acknowledgement.ts";
import { MalformedPacket } from "../codec/malformed.ts";
import {
  PacketType,
  type PublishPacket,
  type Version,
} from "../codec/packets.ts";
import { decodeForwardedProperties } from "../codec/properties.ts";
import { PublishRun } from "../codec/publish_run.ts";
import { ReasonCode } from "../codec/reason_codes.ts";
import type { PacketDecoder } from "../codec/packet_decoder.ts";
import type { Message } from "../message.ts";
import type { Session } from "../sessions/session.ts";
import { AckQueue } from "./ack_queue.ts";
import { CommitGate } from "./commit_gate.ts";
import type { ConnectionContext } from "./context.ts";
import type { Output } from "./output.ts";
import { PassedMessages } from "./passed_messages.ts";
import { PublishTopics } from "./publish_topics.ts";
import type { Input } from "./read_buffers.ts";
import { expiryTime, messageOfPacket } from "./received_message.ts";
import { TopicAliases } from "./topic_aliases.ts";
import {
  type Finisher,
  PendingMessage,
  PendingRun,
  type RepeatedTo,
  type RunTemplate,
} from "./tap.ts";

/** Packets of one run: a read of 64 KiB rarely has more. */
const MAX_RUN = 4096;
/**
 * QoS 2 messages of a session that its client has not released, over all of its
 * connections: 2 bytes each. In MQTT 3.1.1 no other rule limits them.
 */
const MAX_UNRELEASED = 4096;
/** The run that is being read, of any connection. */
const RUN = new PublishRun(MAX_RUN);

/** Receives the messages of one connection. */
export class PublishReceiver implements Finisher, RepeatedTo {
  readonly #context: ConnectionContext;
  readonly #output: Output;
  readonly #version: Version;
  readonly #identity: Identity;
  readonly #session: Session;
  readonly #gate: CommitGate;
  /** Messages that are not acknowledged. */
  readonly queue = new AckQueue();
  #aliases: TopicAliases | undefined;
  readonly #topics: PublishTopics;
  /** What further packets like the last one have in common. */
  #template: RunTemplate | undefined;
  #expiryInterval: number | undefined;
  /** Messages at QoS 1 and 2 that are not acknowledged (MQTT 5, 4.9). */
  #inFlight = 0;
  /**
   * True while everything is acknowledged before more is read: the next message
   * may end the connection, and the client needs the PUBRECs to go on.
   */
  #isFlushing = false;

  constructor(
    context: ConnectionContext,
    output: Output,
    version: Version,
    session: Session,
  ) {
    this.#context = context;
    this.#output = output;
    this.#version = version;
    this.#session = session;
    this.#identity = session.identity;
    this.#topics = new PublishTopics(context, session.identity);
    this.#gate = new CommitGate({
      afterCommit: context.afterCommit,
      output: () => output.begin(),
      counters: context.counters,
    });
  }

  /** Acknowledgements that may have to wait for a commit. */
  get gate(): CommitGate {
    return this.#gate;
  }

  /**
   * Returns true if no more may be read from the client now.
   *
   * @param onRoom called once, when it may
   */
  waits(onRoom: () => void): boolean {
    const { queue } = this;
    const gate = this.#gate;
    if (queue.isFull || (this.#isFlushing && !queue.isEmpty)) {
      queue.onRoom = onRoom;
      return true;
    }
    if (gate.isFull || (this.#isFlushing && !gate.isEmpty)) {
      gate.onRoom = onRoom;
      return true;
    }
    this.#isFlushing = false;
    return false;
  }

  /** True if the next packets may be read as a run. */
  get canRun(): boolean {
    return this.#template !== undefined;
  }

  /**
   * Reads packets that are like the last one, and passes them to the server.
   *
   * @returns the number of packets; 0: decode the next one
   */
  readRun(decoder: PacketDecoder, input: Input): number {
    const { start, end } = input;
    if (!this.#topics.of(this.#template!.topic).isAllowed) return 0;
    const count = decoder.nextRun(RUN, input.bytes, start, end);
    if (count === 0) return 0;
    const { qos } = this.#template!;
    if (qos > 0) this.#countInFlight(count);
    input.start = decoder.end;
    const first = RUN.payloadStarts[0]!;
    const last = RUN.payloadEnds[count - 1]!;
    const part = input.bytes.subarray(first, last);
    const bytes = input.keep(part);
    const starts = RUN.payloadStarts.slice(0, count);
    const ends = RUN.payloadEnds.slice(0, count);
    for (let i = 0; i < count; i++) {
      starts[i]! -= first;
      ends[i]! -= first;
    }
    const { counters, tap } = this.#context;
    counters.packetsReceived += count;
    counters.publishReceived += count;
    counters.payloadBytesReceived += bytes.length;
    const pending = new PendingRun(
      this.queue,
      this,
      this.#runTemplate(),
      { count, bytes, starts, ends },
      qos === 0 ? NO_IDS : RUN.packetIds.slice(0, count),
    );
    this.queue.add(pending);
    tap.deliverRun(pending);
    return count;
  }

  /**
   * Handles a PUBLISH.
   *
   * @throws {MalformedPacket} if the connection must end
   */
  receive(packet: PublishPacket, input: Input): void {
    this.#template = undefined;
    const { counters, tap, router } = this.#context;
    const { qos, packetId, payload } = packet;
    counters.publishReceived++;
    counters.payloadBytesReceived += payload.length;
    const topic = packet.topicAlias === 0
      ? packet.topic
      : (this.#aliases ??= new TopicAliases()).resolve(packet);
    if (qos === 2) {
      if (this.#isRepeated(packetId)) return;
      this.#checkUnreleased();
    }
    if (qos > 0) this.#countInFlight(1);
    const { isAllowed, isTooDeep, isTapped, isRun } = this.#topics.of(topic);
    if (!isAllowed) {
      if (isTooDeep) {
        this.#context.onLimit("mqtt-topic-levels");
        throw new MalformedPacket(
          "a topic has too many levels",
          ReasonCode.TopicNameInvalid,
        );
      }
      return this.#refuse(packet, topic);
    }
    const message = messageOfPacket(packet, input, {
      topic,
      publisher: this.#identity.clientId,
      now: this.#context.clock(),
    });
    if (isTapped) {
      if (qos < 2 && isRun) this.#setTemplate(message, packet);
      // The state of another server is not older for being retained.
      const isOld = packet.retain && !tap.isPrivate(topic);
      const { queue } = this;
      const pending = new PendingMessage(queue, this, message, packetId, isOld);
      if (qos === 2) this.#addPending(pending);
      queue.add(pending);
      tap.deliver(pending);
      return;
    }
    const before = router.changes;
    if (qos === 2) this.#beginReceiving();
    const reason = router.publish(message, this.#version === 5 && qos > 0);
    this.#acknowledge(packet, reason, router.changes !== before);
  }

  /** Handles a PUBREL (MQTT 5, 3.6). */
  release(packetId: number): void {
    const { router } = this.#context;
    const before = router.changes;
    const isKnown = this.#session.release(packetId);
    if (isKnown && this.#inFlight > 0) this.#inFlight--;
    appendAcknowledgement(
      this.#gate.begin(router.changes !== before),
      this.#version,
      PacketType.Pubcomp,
      packetId,
      isKnown ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound,
    );
  }

  finishMessage(pending: PendingMessage): void {
    const { message, packetId } = pending;
    const { router, tap } = this.#context;
    const before = router.changes;
    if (message.qos === 2) this.#beginReceiving();
    if (!tap.isPrivate(message.topic)) router.publish(message);
    if (message.qos === 0) return;
    if (message.qos === 2) {
      this.#context.pendingQos2.get(this.#session)?.delete(packetId);
      this.#addReceived(packetId);
      const isStaged = router.changes !== before;
      (pending.repeatedTo ?? this).sendPubrec(packetId, isStaged);
      return;
    }
    this.#inFlight--;
    appendAcknowledgement(
      this.#gate.begin(router.changes !== before),
      this.#version,
      PacketType.Puback,
      packetId,
    );
  }

  sendPubrec(packetId: number, isStaged: boolean): void {
    const out = this.#gate.begin(isStaged);
    appendAcknowledgement(out, this.#version, PacketType.Pubrec, packetId);
  }

  finishRun(run: PendingRun): void {
    const { router } = this.#context;
    const { topic, retain, qos } = run.template;
    const before = router.changes;
    if (retain || router.hasSubscriber(topic)) {
      for (let i = 0; i < run.count; i++) router.publish(run.messageAt(i));
    }
    if (qos === 0) return;
    this.#inFlight -= run.count;
    appendAcknowledgements(
      this.#gate.begin(router.changes !== before, run.count),
      PacketType.Puback,
      run.packetIds,
    );
  }

  /** Acknowledges a message that needs no acknowledgement of the server. */
  #acknowledge(
    { qos, packetId }: PublishPacket,
    reason: number,
    isStaged: boolean,
  ): void {
    if (qos === 0) return;
    const isRefused = reason >= ReasonCode.UnspecifiedError;
    let staged = isStaged;
    // A refused exchange ends with the PUBREC (MQTT 5, 4.3.3).
    if (qos === 2 && (this.#version === 4 || !isRefused)) {
      this.#addReceived(packetId);
      staged ||= this.#session.isKept;
    } else this.#inFlight--;
    const type = qos === 1 ? PacketType.Puback : PacketType.Pubrec;
    if (this.queue.isEmpty) {
      appendAcknowledgement(
        this.#gate.begin(staged),
        this.#version,
        type,
        packetId,
        reason,
      );
      return;
    }
    PassedMessages.add(
      this.queue,
      this.#gate,
      staged,
      (out) =>
        appendAcknowledgement(out, this.#version, type, packetId, reason),
    );
  }

  /** Drops a message to a topic that the client may not use. */
  #refuse(packet: PublishPacket, topic: string): void {
    this.#context.onRefused(this.#identity.clientId, topic);
    this.#acknowledge(packet, ReasonCode.NotAuthorized, false);
  }

  /** Answers a QoS 2 message that was sent before (4.3.3). */
  #isRepeated(packetId: number): boolean {
    const pending = this.#context.pendingQos2.get(this.#session)?.get(packetId);
    if (pending !== undefined) {
      // The PUBREC follows when the server has acknowledged it.
      pending.repeatedTo = this;
      return true;
    }
    if (!this.#session.hasReceived(packetId)) return false;
    // The first one may not be committed yet.
    this.sendPubrec(packetId, this.#session.isKept);
    return true;
  }

  /** @throws {MalformedPacket} if the client has to release some first */
  #checkUnreleased(): void {
    const pending = this.#context.pendingQos2.get(this.#session)?.size ?? 0;
    const count = this.#session.receivedCount + pending;
    this.#isFlushing = count + 1 >= MAX_UNRELEASED;
    if (count < MAX_UNRELEASED) return;
    this.#context.onLimit("mqtt-unreleased");
    throw new MalformedPacket(
      "too many messages at QoS 2 without a PUBREL",
      ReasonCode.ReceiveMaximumExceeded,
    );
  }

  #addPending(message: PendingMessage): void {
    const { pendingQos2 } = this.#context;
    const all = pendingQos2.get(this.#session) ?? new Map();
    pendingQos2.set(this.#session, all.set(message.packetId, message));
  }

  #beginReceiving(): void {
    if (this.#hasSession) this.#session.beginReceiving();
  }

  #addReceived(packetId: number): void {
    if (this.#hasSession) this.#session.addReceived(packetId);
  }

  /** False if the session has ended in the meantime. */
  get #hasSession(): boolean {
    const { sessions } = this.#context.router;
    return sessions.get(this.#session.clientId) === this.#session;
  }

  /** @throws {MalformedPacket} above Receive Maximum */
  #countInFlight(count: number): void {
    this.#inFlight += count;
    if (
      this.#version === 5 &&
      this.#inFlight > this.#context.settings.receiveMaximum
    ) {
      this.#context.onLimit("mqtt-receive-maximum");
      throw new MalformedPacket(
        "more messages without an acknowledgement than the Receive Maximum",
        ReasonCode.ReceiveMaximumExceeded,
      );
    }
  }

  #setTemplate(message: Message, packet: PublishPacket): void {
    const { topic, qos, retain, properties, expiresAt, publisher } = message;
    this.#expiryInterval = packet.messageExpiryInterval;
    this.#template = {
      ...{ topic, qos, retain, properties, expiresAt, publisher },
      contentType: properties === undefined
        ? undefined
        : decodeForwardedProperties(properties).contentType,
    };
  }

  #runTemplate(): RunTemplate {
    const template = this.#template!;
    if (this.#expiryInterval === undefined) return template;
    return {
      ...template,
      expiresAt: expiryTime(this.#expiryInterval, this.#context.clock()),
    };
  }
}

const NO_IDS = new Uint16Array(0);
