/**
 * Makes deliveries of the entries of a shard that were read and are safe.
 *
 * @module
 */
import type { Delivery, Entry } from "../store.ts";
import { decodeEntry, type DecodeOptions } from "./decode_content.ts";
import type { JournalState } from "./journal_state.ts";
import type { ReadEntries } from "./read_entries.ts";
import type { ShardWriter } from "./shard_writer.ts";
import { type StreamEntry, timeOfId } from "./stream_entry.ts";

/** Entries of other servers that are delivered together. */
const MAX_DELIVERY_BYTES = 64 * 1024;

/** What {@linkcode NextDelivery} needs. */
export interface NextDeliveryOptions extends DecodeOptions {
  /** Identifies this run of the server. */
  readonly run: string;
  readonly writer: ShardWriter;
  /** Its writers and its clock are changed. */
  readonly state: JournalState;
  /** Called if a writer's entries are missing: Redis has lost them. */
  readonly onMissing: (id: string, run: string, count: number) => void;
}

/** Entries that were taken from those that were read. */
export interface TakenEntries {
  /** Undefined if nothing of them is to be applied. */
  readonly delivery: Delivery | undefined;
  /** The entry of this server, if it is one. */
  readonly own: StreamEntry | undefined;
  /** The id of the last one. */
  readonly position: string;
  /** The bytes of their content. */
  readonly bytes: number;
  /** The number of those with content. */
  readonly count: number;
}

/** Takes entries from those that were read, in their order. */
export class NextDelivery {
  readonly #read: ReadEntries;
  readonly #options: NextDeliveryOptions;

  constructor(read: ReadEntries, options: NextDeliveryOptions) {
    this.#read = read;
    this.#options = options;
  }

  /**
   * Takes the entries of the next delivery.
   *
   * @param signal ends it early
   */
  take(signal: AbortSignal): TakenEntries {
    const { state, shard, run, writer } = this.#options;
    const entries: Entry[] = [];
    let own: StreamEntry | undefined;
    let bytes = 0;
    let count = 0;
    let position = state.position;
    while (own === undefined && !signal.aborted) {
      const { next } = this.#read;
      if (next === undefined) break;
      const part = next.run === run ? writer.part(next.sequence) : undefined;
      // An own entry is delivered alone, others together.
      if (entries.length > 0) {
        if (part !== undefined || bytes + next.bytes > MAX_DELIVERY_BYTES) {
          break;
        }
      }
      this.#read.shift();
      position = next.id;
      if (next.content !== undefined) count++;
      bytes += next.bytes;
      if (!this.#isNew(next)) continue;
      if (part !== undefined) {
        own = next;
        for (const entry of part.entries) entries.push(entry);
      } else entries.push(...decodeEntry(next, this.#options));
    }
    const taken = { own, position, bytes, count };
    if (entries.length === 0) return { ...taken, delivery: undefined };
    const part = own && writer.part(own.sequence);
    const delivery: Delivery = {
      shard,
      entries: entries.map((entry) => this.#raiseClock(entry)),
      ...(part && {
        own: { commit: part.commit.entries, indexes: part.indexes },
      }),
    };
    return { ...taken, delivery };
  }

  /** Returns false for markers that need no order, repeats and damaged entries. */
  #isNew(entry: StreamEntry): boolean {
    const { state, run: ownRun, writer, onDamage, onMissing } = this.#options;
    const { run, sequence, id, damage } = entry;
    if (damage !== undefined) {
      onDamage(id, damage);
      if (run === ownRun) writer.repeat(sequence);
      return false;
    }
    if (sequence === 0) return false;
    const missing = state.writers.note(run, sequence, timeOfId(id));
    if (missing === undefined) {
      if (run === ownRun) writer.applied(sequence);
      return false;
    }
    if (missing > 0) onMissing(id, run, missing);
    return true;
  }

  /** The clock never goes back in a shard: the members' clocks differ. */
  #raiseClock(entry: Entry): Entry {
    const { state } = this.#options;
    if (entry.now >= state.now) {
      state.now = entry.now;
      return entry;
    }
    return { ...entry, now: state.now };
  }
}
