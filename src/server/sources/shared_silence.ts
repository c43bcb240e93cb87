/**
 * Which sources are silent, for all servers of a shared store.
 *
 * @module
 */
import { MAX_LISTED_SOURCES, type SourceEvent } from "../../protocol/mod.ts";
import { inTurns, type Work } from "../../common/turns.ts";
import { encodeText, isJsonObject, parseJson } from "../../protocol/text.ts";
import type { Records } from "../../store/store.ts";
import type { ServerContext } from "../context.ts";

const OWNER = "sources";
/** Changes of other servers are read together, in ms. */
const READ_DELAY_MS = 250;
/** Records that are read in about a millisecond. */
const SLICE_RECORDS = 250;

/** A record: a source that is silent, or whose events are not published. */
interface Silence {
  readonly source: string;
  readonly silent: boolean;
  /** When the last reading before the silence arrived, ms since 1970. */
  readonly last: number;
  /** Events that may not be published yet, the oldest first. */
  readonly events: readonly SourceEvent[];
}

interface Stored extends Silence {
  readonly id: number;
}

/** A record as it was decoded. */
interface Decoded {
  readonly bytes: Uint8Array;
  /** Undefined for a record of another version of occupancy. */
  readonly stored: Stored | undefined;
}

/** Called by {@linkcode SharedSilence}. */
export interface SilenceEvents {
  /**
   * Publishes events. For each it then calls {@linkcode SharedSilence.published}
   * or {@linkcode SharedSilence.unconfirmed}, unless `clear` is called before.
   *
   * @param isRepeated true if they may be published already
   */
  publish(events: readonly SourceEvent[], isRepeated: boolean): void;
  /** Publishes nothing more of what waits. */
  clear(): void;
  /** Resolves when the broker has all that was to be published. */
  drained(): Promise<void>;
}

/**
 * The leader stores each event of a source before it publishes it, and that it
 * is published. So the next leader continues: it publishes again, identical,
 * what the broker may not have, and notices who has reported meanwhile. All
 * servers mark the same sources as silent.
 */
export class SharedSilence {
  readonly #context: ServerContext;
  readonly #records: Records;
  readonly #events: SilenceEvents;
  /** By source; of a server that does not lead, as it was read last. */
  #stored = new Map<string, Stored>();
  /** By id, as they were read last: most have not changed at the next time. */
  #decoded = new Map<number, Decoded>();
  /** Events that wait for their commit, or for the broker. */
  readonly #pending = new Set<SourceEvent>();
  #isLeading = false;
  /** Counts the beginnings and the ends of leading. */
  #term = 0;
  /** Resolves after the last read that was begun: they do not overlap. */
  #reading: Promise<void> = Promise.resolve();
  #stopped = false;
  #readTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #ends: (() => void)[];

  /** @param records of a shared store */
  constructor(context: ServerContext, records: Records, events: SilenceEvents) {
    this.#context = context;
    this.#records = records;
    this.#events = events;
    this.#ends = [
      records.shared!.observe(OWNER, () => this.#readSoon()),
      context.leadership.observe({
        onElected: () => void this.#begin(),
        onResign: () => this.#resign(),
        onDeposed: () => this.#end(),
      }),
    ];
  }

  /** Reads what is stored. Call it when the map is loaded. */
  load(): Promise<void> {
    return this.#read();
  }

  /** True if {@linkcode add} stores events: this server leads. */
  get mayAdd(): boolean {
    return this.#isLeading && this.#context.leadership.isLeader;
  }

  /** Stores events of the leader, then publishes them. */
  add(events: readonly SourceEvent[]): void {
    if (!this.#isLeading) return;
    const added: SourceEvent[] = [];
    for (const event of events) {
      const { source } = event;
      const stored = this.#stored.get(source);
      const silent = event.event === "silent";
      if (silent === (stored?.silent ?? false)) continue;
      if (stored === undefined && this.#stored.size >= MAX_LISTED_SOURCES) {
        this.#context.telemetry.stats.limited.add("sources");
        continue;
      }
      const last = silent ? event.last : stored!.last;
      const own = { ...event, last };
      const waiting = stored?.events ?? [];
      this.#store({ source, silent, last, events: [...waiting, own] });
      added.push(own);
      this.#pending.add(own);
    }
    if (added.length === 0) return;
    const term = this.#term;
    this.#records.afterCommit((counts) => {
      if (term === this.#term && counts) this.#events.publish(added, false);
    }, OWNER);
  }

  /** Call when the broker has an event, or never gets it. */
  published(event: SourceEvent): void {
    this.#pending.delete(event);
    const stored = this.#stored.get(event.source);
    if (stored === undefined || !this.#context.leadership.isLeader) return;
    const at = stored.events.indexOf(event);
    if (at === -1) return;
    // After a newer event, an older one must not be published again.
    const events = stored.events.slice(at + 1);
    if (events.length > 0 || stored.silent) {
      this.#store({ ...stored, events });
    } else this.#forget(stored);
  }

  /** Call when it is unknown whether the broker has an event. */
  unconfirmed(event: SourceEvent): void {
    this.#pending.delete(event);
  }

  /**
   * Call once a second: publishes unconfirmed events again while a broker is
   * connected, and forgets sources that are not in the list any more.
   */
  tick(): void {
    if (!this.mayAdd) return;
    const { registry, status } = this.#context;
    for (const stored of this.#stored.values()) {
      if (stored.events.length === 0) {
        if (registry.lastOf(stored.source) === undefined) this.#forget(stored);
      } else if (status.link.up) this.#publishAgain(stored);
    }
  }

  /** Reads nothing more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#readTimer);
    for (const end of this.#ends) end();
  }

  async #begin(): Promise<void> {
    const term = ++this.#term;
    await this.#read();
    if (term !== this.#term) return;
    this.#isLeading = true;
    const { registry, clock } = this.#context;
    const time = clock.now();
    const back: SourceEvent[] = [];
    for (const stored of this.#stored.values()) {
      this.#publishAgain(stored);
      const { source, silent, last } = stored;
      const hasReported = silent && (registry.lastOf(source) ?? last) > last;
      if (hasReported) back.push({ source, event: "back", time, last });
    }
    this.add(back);
  }

  /** Publishes what is stored of a source, in order, unless some of it waits. */
  #publishAgain({ events }: Stored): void {
    if (events.length === 0) return;
    if (events.some((event) => this.#pending.has(event))) return;
    for (const event of events) this.#pending.add(event);
    this.#events.publish(events, true);
  }

  /** Adds nothing more; what was added is published by this server. */
  async #resign(): Promise<void> {
    this.#isLeading = false;
    await this.#committed();
    await this.#events.drained();
    await this.#committed();
  }

  #committed(): Promise<void> {
    return new Promise((resolve) =>
      this.#records.afterCommit(() => resolve(), OWNER)
    );
  }

  #end(): void {
    this.#term++;
    this.#isLeading = false;
    this.#pending.clear();
    this.#events.clear();
    this.#readSoon();
  }

  #readSoon(): void {
    this.#readTimer ??= setTimeout(() => void this.#read(), READ_DELAY_MS);
  }

  #read(): Promise<void> {
    return this.#reading = this.#reading.then(() =>
      inTurns(this.#readRecords())
    );
  }

  *#readRecords(): Work<void> {
    clearTimeout(this.#readTimer);
    this.#readTimer = undefined;
    // What the leader has stored may not be committed yet.
    if (this.#isLeading || this.#stopped) return;
    const stored = new Map<string, Stored>();
    const silent = new Map<string, number>();
    const decoded = new Map<number, Decoded>();
    for (const [id, bytes] of this.#records.load(OWNER)) {
      if (decoded.size % SLICE_RECORDS === SLICE_RECORDS - 1) yield;
      const before = this.#decoded.get(id);
      const one = before?.bytes === bytes
        ? before
        : { bytes, stored: decode(id, bytes) };
      decoded.set(id, one);
      if (one.stored === undefined) continue;
      const { source, last } = one.stored;
      stored.set(source, one.stored);
      if (one.stored.silent) silent.set(source, last);
    }
    this.#decoded = decoded;
    this.#stored = stored;
    const { registry, clock } = this.#context;
    yield* registry.setSilent(silent, clock.now());
  }

  #store({ source, silent, last, events }: Silence): void {
    const silence: Silence = { source, silent, last, events };
    const encode = () => encodeText(JSON.stringify(silence));
    let id = this.#stored.get(source)?.id;
    if (id === undefined) id = this.#records.add(OWNER, encode);
    else this.#records.replace(id, encode);
    this.#stored.set(source, { ...silence, id });
  }

  #forget({ source, id }: Stored): void {
    this.#records.delete(id);
    this.#stored.delete(source);
  }
}

function decode(id: number, bytes: Uint8Array): Stored | undefined {
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { source, silent, last, events } = value;
  const isValid = typeof source === "string" && typeof silent === "boolean" &&
    typeof last === "number" && Array.isArray(events);
  return isValid ? { id, source, silent, last, events } : undefined;
}
