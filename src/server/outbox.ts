/**
 * Publishes the parts of replies: those of one topic in order, the topics in
 * turn.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import { printable } from "../common/printable.ts";
import type { Reply } from "./reply.ts";
import type { ServerContext } from "./context.ts";

/** Unacknowledged parts of one topic from which a large reply waits. */
const MAX_LARGE_INFLIGHT_PARTS = 32;
/**
 * The same for small replies. More, because the parts are acknowledged late if
 * another client also subscribes to the topic and has just stopped reading.
 */
const MAX_SMALL_INFLIGHT_PARTS = 256;
/**
 * Their maximum bytes, unless a single part has more: far less than the
 * connection to a client or a broker may hold.
 */
const MAX_INFLIGHT_BYTES = 8 * 1024 * 1024;
/** Unacknowledged bytes of all topics, from which large replies wait. */
const MAX_LARGE_INFLIGHT_BYTES = 32 * 1024 * 1024;
/** The same for small replies. */
const MAX_SMALL_INFLIGHT_BYTES = 64 * 1024 * 1024;
/** Approximate memory of an unacknowledged part besides its bytes. */
const PART_OVERHEAD_BYTES = 512;
/**
 * Unacknowledged parts of all topics from which large replies wait: the parts
 * that are published later wait behind them.
 */
const MAX_ACTIVE_PARTS = 64;
/** The same for their bytes. */
const MAX_ACTIVE_BYTES = 8 * 1024 * 1024;
/** Parts of a topic without an acknowledgement for so long do not count. */
const STALLED_MS = 1000;
/** Parts and bytes of a topic that are published before the next topic. */
const TURN_PARTS = 8;
const TURN_BYTES = 256 * 1024;
/** A reply of at most these parts and bytes goes ahead of larger ones. */
const SMALL_PARTS = 8;
/** See {@linkcode SMALL_PARTS}. */
export const SMALL_BYTES: number = 256 * 1024;
/** Of this number of turns, one is for large replies. */
const LARGE_TURN = 4;
/** A reply that takes longer than this and than the rate below is slow. */
const MIN_SLOW_MS = 5000;
/** 4 MiB a second. */
const SLOW_BYTES_PER_MS = 4194;

/** A reply of which not all parts are acknowledged. */
interface Sending {
  readonly reply: Reply;
  readonly onSent: (() => void) | undefined;
  readonly isLarge: boolean;
  readonly startMs: number;
  /** Number of published parts. */
  next: number;
  /** Unacknowledged parts. */
  inflight: number;
  /** True if a part could not be published, or the rest is not needed. */
  failed: boolean;
}

/** The replies to one topic. */
interface Lane {
  readonly topic: string;
  /** The reply with parts to publish. */
  current: Sending | undefined;
  inflightParts: number;
  inflightBytes: number;
  /** When a part was acknowledged, or the first one published. */
  progressMs: number;
  /** True if its parts do not count as active. */
  isStalled: boolean;
  /** True while it is in a queue of {@linkcode Outbox}. */
  isQueued: boolean;
}

/** Called by an {@linkcode Outbox}. */
export interface OutboxEvents {
  /** All parts of a topic are published: it may get its next reply. */
  onIdle(topic: string): void;
  /** More parts can be published. */
  onRoom(): void;
}

/** Publishes replies, one at a time for each topic. */
export class Outbox {
  readonly #context: Pick<ServerContext, "link" | "log" | "telemetry">;
  readonly #events: OutboxEvents;
  readonly #now: () => number;
  /** Topics with parts to publish, or unacknowledged ones. */
  readonly #lanes = new Map<string, Lane>();
  /** Topics that can publish a part, in turn. */
  readonly #small: Lane[] = [];
  readonly #large: Lane[] = [];
  #turn = 0;
  /** How many replies need the memory of a body, by owner. */
  readonly #owners = new Map<object, number>();
  #unsentBytes = 0;
  #inflightBytes = 0;
  /** Unacknowledged parts of topics that are not stalled. */
  #activeParts = 0;
  #activeBytes = 0;
  #stallTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param now a clock that never jumps, in ms */
  constructor(
    context: Pick<ServerContext, "link" | "log" | "telemetry">,
    events: OutboxEvents,
    now: () => number = () => performance.now(),
  ) {
    this.#context = context;
    this.#events = events;
    this.#now = now;
  }

  /** Number of topics with parts that are not acknowledged. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Memory of the replies of which not all parts are published, in bytes. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Returns true if a reply with this memory has parts to publish. */
  holds(owner: object): boolean {
    return this.#owners.has(owner);
  }

  /** Returns true if a topic has no parts to publish. */
  isIdle(topic: string): boolean {
    return this.#lanes.get(topic)?.current === undefined;
  }

  /**
   * Adds a reply to a topic that is idle. {@linkcode publish} publishes it.
   *
   * @param onSent called when all parts are acknowledged; not if one fails
   */
  add(reply: Reply, onSent?: () => void): void {
    const { topic, body } = reply;
    let lane = this.#lanes.get(topic);
    if (lane === undefined) {
      lane = {
        topic,
        current: undefined,
        inflightParts: 0,
        inflightBytes: 0,
        progressMs: this.#now(),
        isStalled: false,
        isQueued: false,
      };
      this.#lanes.set(topic, lane);
    }
    lane.current = {
      reply,
      onSent,
      isLarge: body.length > SMALL_PARTS || body.bytes > SMALL_BYTES,
      startMs: this.#now(),
      next: 0,
      inflight: 0,
      failed: false,
    };
    this.#retain(reply);
    this.#enqueue(lane);
  }

  /**
   * Publishes parts until a time.
   *
   * @param until by `performance.now()`; at least one turn of a topic is done
   * @returns true if some parts were published
   */
  publish(until: number): boolean {
    let hasPublished = false;
    for (let lane; (lane = this.#nextLane()) !== undefined;) {
      hasPublished = true;
      lane.isQueued = false;
      this.#publishTurn(lane);
      this.#enqueue(lane);
      if (this.#now() >= until) break;
    }
    this.#watchStalls();
    return hasPublished;
  }

  /** Returns true if {@linkcode publish} has something to do. */
  get canPublish(): boolean {
    return this.#hasSmall || this.#hasLarge;
  }

  /**
   * Drops the rest of large replies whose receivers are slow. Call it when
   * other replies need their memory.
   */
  dropSlow(): void {
    const now = this.#now();
    for (const lane of [...this.#lanes.values()]) {
      const { current } = lane;
      if (current === undefined || !current.isLarge) continue;
      const limit = MIN_SLOW_MS + current.reply.body.bytes / SLOW_BYTES_PER_MS;
      if (now - current.startMs < limit) continue;
      this.#context.telemetry.stats.limited.add("slow-replies");
      this.#warn(current, "its receiver is slow, and other replies wait");
      this.#abandon(lane);
    }
  }

  /** Drops everything that is not published. */
  stop(): void {
    clearTimeout(this.#stallTimer);
    for (const lane of [...this.#lanes.values()]) this.#abandon(lane);
  }

  /** Finds stalled topics while large replies wait for others. */
  #watchStalls(): void {
    if (this.#large.length === 0 || this.#lanes.size === 0) {
      clearTimeout(this.#stallTimer);
      this.#stallTimer = undefined;
      return;
    }
    if (this.#stallTimer !== undefined) return;
    this.#stallTimer = setTimeout(() => {
      this.#stallTimer = undefined;
      const limit = this.#now() - STALLED_MS;
      for (const lane of this.#lanes.values()) {
        if (lane.isStalled || lane.progressMs > limit) continue;
        lane.isStalled = true;
        this.#addActive(-lane.inflightParts, -lane.inflightBytes);
      }
      this.#watchStalls();
      this.#events.onRoom();
    }, STALLED_MS);
  }

  #nextLane(): Lane | undefined {
    const isForLarge = ++this.#turn % LARGE_TURN === 0;
    if (this.#hasLarge && (isForLarge || !this.#hasSmall)) {
      return this.#large.shift();
    }
    return this.#hasSmall ? this.#small.shift() : undefined;
  }

  get #hasSmall(): boolean {
    return this.#small.length > 0 &&
      this.#inflightBytes < MAX_SMALL_INFLIGHT_BYTES;
  }

  get #hasLarge(): boolean {
    return this.#large.length > 0 &&
      this.#inflightBytes < MAX_LARGE_INFLIGHT_BYTES &&
      this.#activeParts < MAX_ACTIVE_PARTS &&
      this.#activeBytes < MAX_ACTIVE_BYTES;
  }

  /** Queues a topic if it can publish a part. */
  #enqueue(lane: Lane): void {
    const { current } = lane;
    if (current === undefined || lane.isQueued || !hasRoom(lane)) return;
    lane.isQueued = true;
    (current.isLarge ? this.#large : this.#small).push(lane);
  }

  /** Publishes the next parts of a topic. */
  #publishTurn(lane: Lane): void {
    const { current } = lane;
    if (current === undefined) return;
    const { link, telemetry } = this.#context;
    const { body, topic } = current.reply;
    if (
      current.next > 0 && current.isLarge && link.hasSubscriber?.(topic) ===
        false
    ) {
      telemetry.stats.limited.add("replies-without-subscriber");
      this.#abandon(lane);
      return;
    }
    let parts = 0;
    let bytes = 0;
    while (
      current.next < body.length &&
      parts < TURN_PARTS && bytes < TURN_BYTES && hasRoom(lane)
    ) {
      const part = body.part(current.next++);
      parts++;
      bytes += part.length;
      void this.#publishPart(lane, current, part);
    }
    if (current.next === body.length) this.#finish(lane);
  }

  async #publishPart(lane: Lane, sending: Sending, part: Uint8Array) {
    const { topic, correlationData, contentType } = sending.reply;
    const memory = part.length + PART_OVERHEAD_BYTES;
    this.#inflightBytes += memory;
    if (lane.inflightParts === 0) lane.progressMs = this.#now();
    lane.inflightParts++;
    lane.inflightBytes += part.length;
    sending.inflight++;
    if (!lane.isStalled) this.#addActive(1, part.length);
    try {
      await this.#context.link.publish(topic, part, {
        qos: 1,
        correlationData,
        contentType,
      });
    } catch (error) {
      if (!sending.failed) this.#warn(sending, messageOf(error));
      sending.failed = true;
      if (lane.current === sending) this.#finish(lane);
    }
    this.#inflightBytes -= memory;
    lane.inflightParts--;
    lane.inflightBytes -= part.length;
    sending.inflight--;
    if (lane.isStalled) this.#addActive(lane.inflightParts, lane.inflightBytes);
    else this.#addActive(-1, -part.length);
    lane.isStalled = false;
    lane.progressMs = this.#now();
    this.#settled(lane, sending);
  }

  #addActive(parts: number, bytes: number): void {
    this.#activeParts += parts;
    this.#activeBytes += bytes;
  }

  /** Called when a part is acknowledged or has failed. */
  #settled(lane: Lane, sending: Sending): void {
    const isSent = sending.next === sending.reply.body.length;
    if (sending.inflight === 0 && isSent && !sending.failed) sending.onSent?.();
    this.#forget(lane);
    this.#enqueue(lane);
    // Several parts at once cost less than one after each acknowledgement.
    if (lane.inflightParts % TURN_PARTS === 0) this.#events.onRoom();
  }

  /** The topic may get its next reply. */
  #finish(lane: Lane): void {
    const { reply } = lane.current!;
    lane.current = undefined;
    this.#release(reply);
    this.#forget(lane);
    this.#events.onIdle(lane.topic);
  }

  /** Publishes no further part of the present reply of a topic. */
  #abandon(lane: Lane): void {
    if (lane.current === undefined) return;
    lane.current.failed = true;
    this.#finish(lane);
  }

  /** Removes a topic without parts. */
  #forget(lane: Lane): void {
    const isDone = lane.current === undefined && lane.inflightParts === 0;
    if (isDone && this.#lanes.get(lane.topic) === lane) {
      this.#lanes.delete(lane.topic);
      if (this.#lanes.size === 0) this.#watchStalls();
    }
  }

  #retain({ body }: Reply): void {
    const owner = body.owner ?? body;
    const count = this.#owners.get(owner) ?? 0;
    this.#owners.set(owner, count + 1);
    if (count === 0) this.#unsentBytes += body.bytes;
  }

  #release({ body }: Reply): void {
    const owner = body.owner ?? body;
    const count = this.#owners.get(owner)! - 1;
    if (count > 0) this.#owners.set(owner, count);
    else {
      this.#owners.delete(owner);
      this.#unsentBytes -= body.bytes;
    }
  }

  #warn({ reply: { topic } }: Sending, reason: string): void {
    this.#context.log.warnLimited(
      "reply",
      () => `Cannot reply on ${printable(topic)}: ${reason}`,
    );
  }
}

/** Returns true if the topic of the lane may have more unacknowledged parts. */
function hasRoom({ current, inflightParts, inflightBytes }: Lane): boolean {
  const maxParts = current?.isLarge
    ? MAX_LARGE_INFLIGHT_PARTS
    : MAX_SMALL_INFLIGHT_PARTS;
  return inflightParts < maxParts && inflightBytes < MAX_INFLIGHT_BYTES;
}
