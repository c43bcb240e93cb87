/**
 * Sends replies, with a bound on those in flight and those that wait.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import type { Reply } from "./reply.ts";
import type { ServerContext } from "./context.ts";

/** At this many bytes in flight, further replies wait. */
const MAX_INFLIGHT_BYTES = 64 * 1024 * 1024;
/** Maximum parts of one reply in flight. */
const MAX_INFLIGHT_PARTS = 32;
/**
 * Their maximum bytes, unless a single part has more: far less than the
 * connection to a client or a broker may hold.
 */
const MAX_INFLIGHT_PART_BYTES = 8 * 1024 * 1024;
/** Maximum number of replies that wait; further ones are refused. */
const MAX_WAITING_REPLIES = 10_000;
/** Maximum memory of waiting replies, mostly Correlation Data. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** Options of {@linkcode Outbox.send}. */
export interface SendOptions {
  /** Bytes of memory that `write` retains. Default 0. */
  readonly retainedBytes?: number | undefined;
  /** Called when the broker has acknowledged all parts; not if one fails. */
  readonly onSent?: () => void;
}

interface WaitingReply {
  readonly write: () => Reply;
  readonly retainedBytes: number;
  readonly onSent: (() => void) | undefined;
}

/**
 * Sends replies when there is room. A reply is written only when it can be
 * sent: until then it needs the memory of its request only.
 */
export class Outbox {
  readonly #context: Pick<ServerContext, "link" | "log">;
  readonly #waiting: WaitingReply[] = [];
  #waitingBytes = 0;
  #inflightBytes = 0;
  #inflightReplies = 0;
  readonly #drainListeners: (() => void)[] = [];

  constructor(context: Pick<ServerContext, "link" | "log">) {
    this.#context = context;
  }

  /** Replies that wait or are in flight. */
  get size(): number {
    return this.#inflightReplies + this.#waiting.length;
  }

  /**
   * Sends the reply that `write` returns, once there is room.
   *
   * @returns false if too many replies wait; then `write` is never called
   */
  send(
    write: () => Reply,
    { retainedBytes = 0, onSent }: SendOptions = {},
  ): boolean {
    if (
      this.#waiting.length >= MAX_WAITING_REPLIES ||
      this.#waitingBytes + retainedBytes > MAX_WAITING_BYTES
    ) return false;
    this.#waiting.push({ write, retainedBytes, onSent });
    this.#waitingBytes += retainedBytes;
    this.#sendWaiting();
    return true;
  }

  /** Resolves when all replies have been sent or have failed. */
  async drained(): Promise<void> {
    if (this.size === 0) return;
    await new Promise<void>((resolve) => this.#drainListeners.push(resolve));
  }

  #sendWaiting(): void {
    while (
      this.#waiting.length > 0 && this.#inflightBytes < MAX_INFLIGHT_BYTES
    ) {
      const { write, retainedBytes, onSent } = this.#waiting.shift()!;
      this.#waitingBytes -= retainedBytes;
      try {
        this.#deliver(write(), onSent);
      } catch (error) {
        this.#warn(`Cannot write a reply: ${messageOf(error)}`); // out of memory
      }
    }
    if (this.size > 0) return;
    for (const resolve of this.#drainListeners.splice(0)) resolve();
  }

  async #deliver(reply: Reply, onSent: (() => void) | undefined) {
    const bytes = reply.parts.reduce((sum, part) => sum + part.length, 0);
    this.#inflightBytes += bytes;
    this.#inflightReplies++;
    try {
      await this.#publish(reply);
      if (reply.parts.length > 0) onSent?.();
    } catch (error) {
      this.#warn(`Cannot reply on ${reply.topic}: ${messageOf(error)}`);
    }
    this.#inflightBytes -= bytes;
    this.#inflightReplies--;
    this.#sendWaiting();
  }

  async #publish(reply: Reply): Promise<void> {
    const { link } = this.#context;
    const { topic, parts, correlationData, contentType } = reply;
    const options = { qos: 1, correlationData, contentType } as const;
    let next = 0;
    const worker = async () => {
      while (next < parts.length) {
        await link.publish(topic, parts[next++]!, options);
      }
    };
    await Promise.all(Array.from({ length: inflightParts(parts) }, worker));
  }

  #warn(line: string): void {
    this.#context.log.warnLimited("failed-reply", line);
  }
}

/** Returns how many parts of a reply may be in flight. */
function inflightParts(parts: readonly Uint8Array[]): number {
  const longest = parts.reduce((max, part) => Math.max(max, part.length), 1);
  const fitting = Math.max(1, Math.floor(MAX_INFLIGHT_PART_BYTES / longest));
  return Math.min(parts.length, MAX_INFLIGHT_PARTS, fitting);
}
