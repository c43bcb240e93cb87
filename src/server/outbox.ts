import type { Link } from "../mqtt/link.ts";
import type { Reply } from "./answer.ts";

/** Reply bytes under way at once; more wait, so that memory stays bounded. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Parts of one reply under way at once. */
const MAX_PARTS = 32;
/** Requests waiting for an answer; more are turned away. */
const MAX_WAITING = 10_000;
/** What they may hold on to, in bytes: Correlation Data, above all. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** A reply that is not written yet. */
interface Waiting {
  readonly write: () => Reply;
  /** Bytes that it holds on to. */
  readonly holds: number;
  readonly sent: (() => void) | undefined;
}

/** What {@linkcode Outbox.send} may be given besides the reply. */
export interface SendOptions {
  /** Bytes that the writing of the reply holds on to. Default 0. */
  readonly holds?: number | undefined;
  /** Called when the broker has the last part; not if there is no part, or it fails. */
  readonly sent?: () => void;
}

/**
 * Sends replies, each as soon as there is room for it. A reply is written only
 * when its turn comes, so a crowd of slow askers costs requests, not maps.
 */
export class Outbox {
  readonly #link: Link;
  readonly #failed: (topic: string, error: unknown) => void;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #active = 0;
  #idle: (() => void)[] = [];

  constructor(
    link: Link,
    failed: (topic: string, error: unknown) => void,
  ) {
    this.#link = link;
    this.#failed = failed;
  }

  /** Replies that are being sent or wait for it. */
  get size(): number {
    return this.#active + this.#waiting.length;
  }

  /**
   * Sends what `write` returns, once there is room.
   *
   * @param write Writes the reply
   * @returns false if too much waits already; `write` will not be called
   */
  send(write: () => Reply, { holds = 0, sent }: SendOptions = {}): boolean {
    if (
      this.#waiting.length >= MAX_WAITING ||
      this.#waitingBytes + holds > MAX_WAITING_BYTES
    ) return false;
    this.#waiting.push({ write, holds, sent });
    this.#waitingBytes += holds;
    this.#pump();
    return true;
  }

  /** Resolves when all that was given has been sent. */
  async drained(): Promise<void> {
    if (this.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#bytes < MAX_BYTES) {
      const { write, holds, sent } = this.#waiting.shift()!;
      this.#waitingBytes -= holds;
      try {
        this.#deliver(write(), sent);
      } catch (error) {
        this.#failed("a request", error); // no memory for it, say
      }
    }
    if (this.size === 0) { for (const wake of this.#idle.splice(0)) wake(); }
  }

  async #deliver(reply: Reply, sent: (() => void) | undefined): Promise<void> {
    const bytes = reply.parts.reduce((sum, part) => sum + part.length, 0);
    this.#bytes += bytes;
    this.#active++;
    try {
      await this.#publish(reply);
      if (reply.parts.length > 0) sent?.();
    } catch (error) {
      this.#failed(reply.topic, error);
    }
    this.#bytes -= bytes;
    this.#active--;
    this.#pump();
  }

  async #publish(reply: Reply): Promise<void> {
    const { topic, parts, correlationData, contentType } = reply;
    const options = { qos: 1, correlationData, contentType } as const;
    let next = 0;
    const worker = async () => {
      while (next < parts.length) {
        await this.#link.publish(topic, parts[next++]!, options);
      }
    };
    const workers = Math.min(MAX_PARTS, parts.length);
    await Promise.all(Array.from({ length: workers }, worker));
  }
}
