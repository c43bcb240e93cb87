/**
 * Passes messages of clients to the server before they are acknowledged.
 *
 * @module
 */
import {
  decodeForwardedProperties,
  NO_PROPERTIES,
} from "../codec/properties.ts";
import type { ForwardedProperties } from "../codec/packets.ts";
import type { Message } from "../message.ts";
import type {
  Incoming,
  IncomingRun,
  LinkHandlers,
  QoS,
} from "../../mqtt/link.ts";
import { TopicSet } from "../topic_set.ts";
import { AckEntry, type AckQueue } from "./ack_queue.ts";

/** What finishes messages after the server has acknowledged them. */
export interface Finisher {
  /** Acknowledges and routes a message. */
  finishMessage(pending: PendingMessage): void;
  /** Acknowledges and routes the messages of a run. */
  finishRun(pending: PendingRun): void;
}

/** A later connection of a client. */
export interface RepeatedTo {
  /** Sends the PUBREC of a message. */
  sendPubrec(packetId: number, isStaged: boolean): void;
}

/** A message that the server has not acknowledged. */
export class PendingMessage extends AckEntry implements Incoming {
  readonly message: Message;
  /** 0 at QoS 0. */
  readonly packetId: number;
  /** Whether its value may be old (MQTT 5, 3.3.1.3). */
  readonly retain: boolean;
  readonly #finisher: Finisher;
  #properties: ForwardedProperties | undefined;
  /**
   * At QoS 2: the later connection of the client, which has sent it again and
   * receives the PUBREC.
   */
  repeatedTo: RepeatedTo | undefined;

  constructor(
    queue: AckQueue,
    finisher: Finisher,
    message: Message,
    packetId: number,
    retain: boolean,
  ) {
    super(queue);
    this.#finisher = finisher;
    this.message = message;
    this.packetId = packetId;
    this.retain = retain;
  }

  get topic(): string {
    return this.message.topic;
  }

  get payload(): Uint8Array {
    return this.message.payload;
  }

  get qos(): QoS {
    return this.message.qos;
  }

  get contentType(): string | undefined {
    return this.#decoded.contentType;
  }

  get responseTopic(): string | undefined {
    return this.#decoded.responseTopic;
  }

  get correlationData(): Uint8Array | undefined {
    return this.#decoded.correlationData;
  }

  get #decoded(): ForwardedProperties {
    const { properties } = this.message;
    if (properties === undefined) return NO_PROPERTIES;
    return this.#properties ??= decodeForwardedProperties(properties);
  }

  override get messages(): number {
    return 1;
  }

  override get size(): number {
    return this.message.payload.length;
  }

  override finish(): void {
    this.#finisher.finishMessage(this);
  }
}

/** What the messages of a run have in common. */
export type RunTemplate = Omit<Message, "payload" | "holders"> & {
  readonly contentType: string | undefined;
};

/** Payloads of a run, in bytes that do not change. */
export interface RunPayloads {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Messages that the server has not acknowledged. */
export class PendingRun extends AckEntry implements IncomingRun {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** Of QoS 1. */
  readonly packetIds: Uint16Array;
  readonly template: RunTemplate;
  readonly #finisher: Finisher;

  constructor(
    queue: AckQueue,
    finisher: Finisher,
    template: RunTemplate,
    { count, bytes, starts, ends }: RunPayloads,
    packetIds: Uint16Array,
  ) {
    super(queue);
    this.#finisher = finisher;
    this.template = template;
    this.count = count;
    this.bytes = bytes;
    this.starts = starts;
    this.ends = ends;
    this.packetIds = packetIds;
  }

  get topic(): string {
    return this.template.topic;
  }

  get qos(): QoS {
    return this.template.qos;
  }

  get retain(): boolean {
    return this.template.retain;
  }

  get contentType(): string | undefined {
    return this.template.contentType;
  }

  override get messages(): number {
    return this.count;
  }

  override get size(): number {
    return this.bytes.length;
  }

  override finish(): void {
    this.#finisher.finishRun(this);
  }

  /**
   * Returns a message, with a payload of its own.
   *
   * @param index its index in the run
   */
  messageAt(index: number): Message {
    const { contentType: _, ...common } = this.template;
    const payload = this.bytes.slice(this.starts[index], this.ends[index]);
    return { ...common, payload, holders: 0 };
  }
}

/** Topics of {@linkcode Tap}: names, or `name/#`. */
export interface TapTopics {
  /** Those whose messages the server receives and acknowledges. */
  readonly subscriptions: readonly string[];
  /** Those among them that it may receive as runs. */
  readonly runs: readonly string[];
  /** One whose messages the server receives, and no client. */
  readonly peerTopic: string | undefined;
}

/** The server's end of the broker. */
export class Tap {
  readonly #subscriptions: TopicSet;
  readonly #runs: TopicSet;
  readonly #peerTopic: string | undefined;
  #handlers: LinkHandlers | undefined;

  /** @throws {TypeError} if a filter has a wildcard other than a last `/#` */
  constructor({ subscriptions, runs, peerTopic }: TapTopics) {
    this.#subscriptions = new TopicSet(subscriptions);
    this.#runs = new TopicSet(runs);
    this.#peerTopic = peerTopic;
  }

  /** Sets the receiver of the messages; undefined to stop. */
  connect(handlers: LinkHandlers | undefined): void {
    this.#handlers = handlers;
  }

  /** Returns true if the server receives the messages of a topic. */
  receives(topic: string): boolean {
    return this.#subscriptions.has(topic) || topic === this.#peerTopic;
  }

  /** Returns true if the server accepts the messages of a topic as runs. */
  receivesRuns(topic: string): boolean {
    return this.#handlers?.run !== undefined && this.#runs.has(topic);
  }

  /** Returns true if only the server receives the messages of a topic. */
  isPrivate(topic: string): boolean {
    return topic === this.#peerTopic;
  }

  /** Passes a message to the server, after it was added to its queue. */
  deliver(message: PendingMessage): void {
    this.#handlers?.message(message);
  }

  /** As {@linkcode deliver}, for a topic of {@linkcode receivesRuns}. */
  deliverRun(run: PendingRun): void {
    this.#handlers?.run?.(run);
  }

  /**
   * Handles `Link.acknowledge`. Ignores messages of other links, and those that
   * were acknowledged before.
   */
  acknowledge(messages: readonly (Incoming | IncomingRun)[]): void {
    if (this.#handlers === undefined) return;
    for (const entry of messages) {
      if (entry instanceof AckEntry) entry.queue.complete(entry);
    }
  }
}
