/**
 * Holds acknowledgements back until what they acknowledge is committed.
 *
 * @module
 */
import { ByteWriter } from "../../common/byte_writer.ts";
import type { Counters } from "../sys/counters.ts";

/**
 * Bytes of acknowledgements that wait. A client that sends more while the store
 * fails is not read.
 */
const MAX_WAITING_BYTES = 64 * 1024;

/** Acknowledgements that wait for one commit. */
interface Batch {
  readonly packets: ByteWriter;
  /** True if the commit was requested: changes after it are not part of it. */
  isRequested: boolean;
  /** Called after they are sent. */
  readonly onSent: (() => void)[];
}

/** What the gate needs. */
export interface CommitGateOptions {
  /** Calls back after the commit of all changes so far. */
  readonly afterCommit: (callback: () => void) => void;
  /** Returns where to append packets that are sent at the end of the turn. */
  readonly output: () => ByteWriter;
  readonly counters: Counters;
}

/** The acknowledgements of one connection, in order. */
export class CommitGate {
  readonly #options: CommitGateOptions;
  /** The oldest first. */
  readonly #batches: Batch[] = [];
  /** The bytes of all but the last. */
  #earlierBytes = 0;
  /** Called once, when the gate is no longer full. */
  onRoom: (() => void) | undefined;

  constructor(options: CommitGateOptions) {
    this.#options = options;
  }

  /** True if no more should be read from this client. */
  get isFull(): boolean {
    const last = this.#batches.at(-1);
    return last !== undefined &&
      this.#earlierBytes + last.packets.at >= MAX_WAITING_BYTES;
  }

  /** True if nothing waits. */
  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /**
   * Returns where to append an acknowledgement.
   *
   * @param isStaged whether the work that it acknowledges has to be committed
   * @param packets how many packets will be appended
   */
  begin(isStaged: boolean, packets = 1): ByteWriter {
    this.#options.counters.packetsSent += packets;
    const last = this.#batches.at(-1);
    if (last === undefined && !isStaged) return this.#options.output();
    if (last !== undefined && !(isStaged && last.isRequested)) {
      return last.packets;
    }
    const batch = { packets: new ByteWriter(), isRequested: false, onSent: [] };
    if (last !== undefined) this.#earlierBytes += last.packets.at;
    this.#batches.push(batch);
    // Further changes of this turn are part of the same commit.
    queueMicrotask(() => this.#request(batch));
    return batch.packets;
  }

  /** Calls back after all acknowledgements so far are sent. */
  afterSent(callback: () => void): void {
    const last = this.#batches.at(-1);
    if (last === undefined) callback();
    else last.onSent.push(callback);
  }

  #request(batch: Batch): void {
    batch.isRequested = true;
    this.#options.afterCommit(() => {
      // The batches are committed in order.
      while (this.#batches.length > 0) {
        const next = this.#batches.shift()!;
        if (this.#batches.length > 0) this.#earlierBytes -= next.packets.at;
        this.#options.output().raw(next.packets.take());
        for (const callback of next.onSent) callback();
        if (next === batch) break;
      }
      if (this.onRoom === undefined || this.isFull) return;
      const { onRoom } = this;
      this.onRoom = undefined;
      onRoom();
    });
  }
}
