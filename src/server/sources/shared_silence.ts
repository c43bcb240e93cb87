/**
 * Which sources are silent, for all servers of a shared store.
 *
 * @module
 */
import { MAX_LISTED_SOURCES, type SourceEvent } from "../../protocol/mod.ts";
import { encodeText, isJsonObject, parseJson } from "../../protocol/text.ts";
import type { Records } from "../../store/store.ts";
import type { ServerContext } from "../context.ts";

const OWNER = "sources";
/** Changes of other servers are read together, in ms. */
const READ_DELAY_MS = 250;

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

/** Called by {@linkcode SharedSilence}. */
export interface SilenceEvents {
  /**
   * Publishes events, and then calls {@linkcode SharedSilence.published}.
   *
   * @param isRepeated true if an earlier leader may have published them
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
  #isLeading = false;
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
        onElected: () => this.#begin(),
        onResign: () => this.#resign(),
        onDeposed: () => this.#end(),
      }),
    ];
  }

  /** Reads what is stored. Call it when the map is loaded. */
  load(): void {
    this.#read();
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
    }
    if (added.length === 0) return;
    this.#records.afterCommit((counts) => {
      if (counts && this.#isLeading) this.#events.publish(added, false);
    }, OWNER);
  }

  /** Call when the broker has an event, or never gets it. */
  published(event: SourceEvent): void {
    const stored = this.#stored.get(event.source);
    if (stored === undefined || !this.#context.leadership.isLeader) return;
    const events = stored.events.filter((one) => one !== event);
    if (events.length === stored.events.length) return;
    if (events.length > 0 || stored.silent) {
      this.#store({ ...stored, events });
    } else this.#forget(stored);
  }

  /** Call once a second: forgets sources that are not in the list any more. */
  tick(): void {
    if (!this.#isLeading) return;
    const { registry } = this.#context;
    for (const stored of this.#stored.values()) {
      if (stored.events.length > 0) continue;
      if (registry.lastOf(stored.source) === undefined) this.#forget(stored);
    }
  }

  /** Reads nothing more. */
  stop(): void {
    clearTimeout(this.#readTimer);
    for (const end of this.#ends) end();
  }

  #begin(): void {
    this.#isLeading = true;
    this.#read();
    const { registry, clock } = this.#context;
    const time = clock.now();
    const back: SourceEvent[] = [];
    for (const { source, silent, last, events } of this.#stored.values()) {
      this.#events.publish(events, true);
      const hasReported = silent && (registry.lastOf(source) ?? last) > last;
      if (hasReported) back.push({ source, event: "back", time, last });
    }
    this.add(back);
  }

  async #resign(): Promise<void> {
    this.#isLeading = false;
    await this.#events.drained();
    await new Promise<void>((resolve) =>
      this.#records.afterCommit(() => resolve(), OWNER)
    );
  }

  #end(): void {
    this.#isLeading = false;
    this.#events.clear();
    this.#readSoon();
  }

  #readSoon(): void {
    this.#readTimer ??= setTimeout(() => {
      this.#readTimer = undefined;
      // What the leader has stored may not be committed yet.
      if (!this.#isLeading) this.#read();
    }, READ_DELAY_MS);
  }

  #read(): void {
    clearTimeout(this.#readTimer);
    this.#readTimer = undefined;
    const silences = new Map<string, Stored>();
    for (const [id, bytes] of this.#records.load(OWNER)) {
      const silence = decode(bytes);
      if (silence !== undefined) {
        silences.set(silence.source, { ...silence, id });
      }
    }
    this.#stored = silences;
    const { registry, clock } = this.#context;
    const silent = [...silences.values()].filter(({ silent }) => silent);
    registry.setSilent(
      new Map(silent.map(({ source, last }) => [source, last])),
      clock.now(),
    );
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

/** Returns undefined for a record of another version of occupancy. */
function decode(bytes: Uint8Array): Silence | undefined {
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
  return isValid ? { source, silent, last, events } : undefined;
}
