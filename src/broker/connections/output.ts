/**
 * The bytes that wait to be sent to one client.
 *
 * @module
 */
import { ByteWriter } from "../../common/byte_writer.ts";
import type { Transport } from "../listeners/transport.ts";
import type { Counters } from "../sys/counters.ts";
import type { UnsentBudget } from "./unsent_budget.ts";

/** The first size of a buffer. */
const BUFFER_BYTES = 4 * 1024;
/** A buffer of this size is sent as it is, and the next one begins. */
const FULL_BUFFER_BYTES = 64 * 1024;
/** Above this size there is no room for messages that can wait. */
const ROOM_BYTES = 256 * 1024;
/** Memory of unused buffers that are kept for other connections. */
const MAX_SPARE_BYTES = 16 * 1024 * 1024;

/** What all outputs share. */
export interface OutputContext {
  readonly unsent: UnsentBudget;
  readonly counters: Counters;
}

/** What an output reports. */
export interface OutputEvents {
  /** Called when all is sent. */
  onSent(): void;
  /** Called when more is unsent than the budget allows. */
  onUnsentLimit(): void;
}

/** Buffers that no output uses: an idle connection has none. */
const spare: ByteWriter[] = [];
let spareBytes = 0;

function takeBuffer(): ByteWriter {
  const buffer = spare.pop();
  if (buffer === undefined) return new ByteWriter(BUFFER_BYTES);
  spareBytes -= buffer.bytes.length;
  return buffer;
}

function returnBuffer(buffer: ByteWriter): void {
  const { length } = buffer.bytes;
  if (length > 2 * FULL_BUFFER_BYTES || spareBytes + length > MAX_SPARE_BYTES) {
    return;
  }
  buffer.at = 0;
  spare.push(buffer);
  spareBytes += length;
}

/** Outputs with bytes that are sent at the end of this turn. */
const scheduled: Output[] = [];

function sendScheduled(): void {
  for (const output of scheduled.splice(0)) output.send();
}

/**
 * Collects packets and sends them at the end of the turn of the event loop, in
 * one write. While a write is under way, further packets are collected. Nothing
 * here waits: the budget ends clients that do not read.
 */
export class Output {
  readonly #transport: Transport;
  readonly #budget: UnsentBudget;
  readonly #counters: Counters;
  readonly #events: OutputEvents;
  /** Collects packets. */
  #buffer: ByteWriter | undefined;
  /** Full buffers and large payloads, the oldest first. */
  #pieces: Uint8Array[] = [];
  /** The bytes of `#pieces`. */
  #pieceBytes = 0;
  /** The piece that is being written, and what is left of it. */
  #current: Uint8Array | undefined;
  #rest: Uint8Array | undefined;
  /** The buffer of that piece; undefined if it is a payload. */
  #currentBuffer: ByteWriter | undefined;
  /** Memory of full buffers, and of the one that is being sent. */
  #sealedBytes = 0;
  #isScheduled = false;
  #isBroken = false;
  /** Memory of copied bytes, as reported to the budget. */
  #reported = 0;
  /**
   * When the client has last taken bytes, or the first unsent byte was written:
   * ms of `performance.now()`; undefined if nothing is unsent.
   */
  waitsSince: number | undefined;
  /** The longest unsent payload, in bytes. */
  longest = 0;
  /** Bytes that the operating system has accepted. */
  taken = 0;

  constructor(
    transport: Transport,
    { unsent, counters }: OutputContext,
    events: OutputEvents,
  ) {
    this.#transport = transport;
    this.#budget = unsent;
    this.#counters = counters;
    this.#events = events;
  }

  /** Bytes that the operating system has not accepted. */
  get unsent(): number {
    return (this.#buffer?.at ?? 0) + this.#pieceBytes +
      (this.#rest?.length ?? 0);
  }

  /** False while so much is unsent that what can wait should wait. */
  get hasRoom(): boolean {
    return this.unsent < ROOM_BYTES;
  }

  /**
   * Returns where to append a packet. It is sent at the end of the turn. Do not
   * keep the writer.
   */
  begin(): ByteWriter {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      if (scheduled.push(this) === 1) queueMicrotask(sendScheduled);
    }
    const buffer = this.#buffer;
    if (buffer !== undefined) {
      if (buffer.at < FULL_BUFFER_BYTES) return buffer;
      this.#seal(buffer);
    }
    return this.#buffer = takeBuffer();
  }

  /**
   * Appends the payload of a packet without a copy.
   *
   * @param payload a large one, which does not change
   */
  payload(payload: Uint8Array): void {
    this.#seal(this.begin());
    this.#buffer = undefined;
    this.#pieces.push(payload);
    this.#pieceBytes += payload.length;
    this.#budget.share(payload);
    if (payload.length > this.longest) this.longest = payload.length;
  }

  /** Sends what was collected, unless a write is under way. */
  send(): void {
    this.#isScheduled = false;
    if (this.#isBroken) return this.#discard(0);
    if (this.#current === undefined) this.#writeNext();
    this.#report();
  }

  /** Drops what is unsent, and what comes. */
  break(): void {
    this.#isBroken = true;
    this.#discard(0);
    this.waitsSince = undefined;
    this.#report();
  }

  /** Drops all packets but the one that is being written. */
  cut(): void {
    // Its header may be before a payload that is not copied.
    const [next] = this.#pieces;
    const isPayload = next !== undefined && this.#budget.isShared(next);
    this.#discard(isPayload && this.#current !== undefined ? 1 : 0);
    this.#report();
  }

  #seal(buffer: ByteWriter): void {
    if (buffer.at === 0) return;
    this.#pieces.push(buffer.take());
    this.#pieceBytes += buffer.at;
    this.#sealedBytes += buffer.bytes.length;
  }

  /** Drops the pieces from an index on, and the buffer. */
  #discard(from: number): void {
    this.#buffer = undefined;
    for (const piece of this.#pieces.splice(from)) {
      this.#pieceBytes -= piece.length;
      if (!this.#budget.unshare(piece)) {
        this.#sealedBytes -= piece.buffer.byteLength;
      }
    }
  }

  #writeNext(): void {
    let next = this.#pieces.shift();
    if (next !== undefined) {
      this.#pieceBytes -= next.length;
    } else {
      const buffer = this.#buffer;
      this.#buffer = undefined;
      if (buffer === undefined || buffer.at === 0) return this.#onAllSent();
      next = buffer.take();
      this.#sealedBytes += next.buffer.byteLength;
      this.#currentBuffer = buffer;
    }
    this.waitsSince ??= performance.now();
    this.#current = next;
    this.#write(next);
  }

  #write(bytes: Uint8Array): void {
    this.#rest = bytes;
    this.#transport.write(bytes).then(this.#onWritten, this.#onFailed);
  }

  readonly #onWritten = (count: number): void => {
    const rest = this.#rest!;
    this.taken += count;
    this.#counters.bytesSent += count;
    if (!this.#isBroken) {
      this.waitsSince = performance.now();
      if (count < rest.length) {
        this.#write(rest.subarray(count));
        return;
      }
    }
    this.#release();
    if (!this.#isBroken) this.#writeNext();
    this.#report();
  };

  /** Releases the piece that was written. */
  #release(): void {
    const piece = this.#current!;
    const buffer = this.#currentBuffer;
    this.#current = undefined;
    this.#rest = undefined;
    this.#currentBuffer = undefined;
    if (!this.#budget.unshare(piece)) {
      this.#sealedBytes -= piece.buffer.byteLength;
    }
    if (buffer !== undefined) returnBuffer(buffer);
  }

  /** The end of the connection is reported by its read. */
  readonly #onFailed = (): void => {
    this.#release();
    this.break();
    this.#events.onSent();
  };

  #onAllSent(): void {
    this.waitsSince = undefined;
    this.longest = 0;
    this.#events.onSent();
  }

  /** Reports the unsent bytes to the budget. */
  #report(): void {
    const copied = (this.#buffer?.bytes.length ?? 0) + this.#sealedBytes;
    const added = copied - this.#reported;
    this.#reported = copied;
    this.#budget.change(this, added);
  }

  /** Called by the budget. */
  exceed(): void {
    this.#events.onUnsentLimit();
  }
}
