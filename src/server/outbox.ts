/**
 * Publishes the parts of replies: those of one topic in order, the topics in
 * turn.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import { printable } from "../common/printable.ts";
import type { ServerContext } from "./context.ts";
import type { Reply } from "./reply.ts";
import { createLane, hasRoom, type Lane, type Sending } from "./reply_lane.ts";
import { ReplyMemory } from "./reply_memory.ts";

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
  /** Of the replies of which not all parts are published. */
  readonly #memory = new ReplyMemory();
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
    return this.#memory.bytes;
  }

  /** Returns true if a reply with this memory has parts to publish. */
  holds(owner: object): boolean {
    return this.#memory.holds(owner);
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
      lane = createLane(topic, this.#now());
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
    this.#memory.add(reply);
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
    this.#memory.remove(reply);
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

  #warn({ reply: { topic } }: Sending, reason: string): void {
    this.#context.log.warnLimited(
      "reply",
      () => `Cannot reply on ${printable(topic)}: ${reason}`,
    );
  }
}
