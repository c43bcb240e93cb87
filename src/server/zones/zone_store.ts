/**
 * Keeps the definitions of zones, and what is remembered of each zone, as
 * records of the store.
 *
 * @module
 */
import { atOnce } from "../../common/at_once.ts";
import { messageOf } from "../../common/errors.ts";
import { encodeText, isJsonObject, parseJson } from "../../protocol/text.ts";
import { type Records, StoreError } from "../../store/store.ts";
import {
  type EditedZones,
  readZonesInSteps,
  toFeature,
  type Zone,
  type ZoneEvent,
  type ZoneRecord,
  type Zones,
} from "../../zones/mod.ts";

/** No limits: what was accepted is read again. */
const NO_LIMITS = {
  bytes: Infinity,
  featureBytes: Infinity,
  zones: Infinity,
  positions: Infinity,
} as const;

/** Which definitions are in force. */
interface Head {
  readonly kind: "head";
  /** Random: distinguishes the definitions of different stores. */
  readonly store: string;
  /** Definitions of other generations are not in force. */
  readonly generation: number;
  /** The number of edits so far. */
  readonly edits: number;
}

/** The definition of a zone. */
interface Definition {
  readonly kind: "zone";
  readonly generation: number;
  /** A feature of GeoJSON. */
  readonly feature: unknown;
}

/** What is remembered of a zone between two states, and after a restart. */
interface Memory {
  readonly kind: "memory";
  readonly record: ZoneRecord;
  /** Events that may not be published yet, the oldest first. */
  readonly events: readonly ZoneEvent[];
}

/** What was stored. */
export interface StoredZones {
  readonly zones: Zones;
  readonly records: readonly ZoneRecord[];
  /** Events that may not be published yet, the oldest of a zone first. */
  readonly events: readonly ZoneEvent[];
}

/**
 * Keeps zones. Without a durable store all is kept in memory.
 *
 * A new collection is written under the next generation, in as many commits as
 * it needs; then one record puts this generation in force. So a crash leaves
 * either the old collection or the new one.
 */
export class ZoneStore {
  readonly #records: Records | undefined;
  #head: Head = {
    kind: "head",
    store: crypto.randomUUID().slice(0, 8),
    generation: 1,
    edits: 0,
  };
  #headId: number | undefined;
  /** Ids of the definitions in force, by name. */
  #ids = new Map<string, number>();
  readonly #memories = new Map<string, { id: number; memory: Memory }>();

  /** @param records undefined if the store is not durable */
  constructor(records: Records | undefined) {
    this.#records = records;
  }

  /** See `ZoneService.version`. */
  get version(): string {
    return `${this.#head.store}-${this.#head.edits}`;
  }

  /**
   * Reads what is stored. Call it once, before anything else.
   *
   * @throws {StoreError} if it cannot be read
   */
  load(): StoredZones {
    const definitions: (readonly [id: number, stored: Definition])[] = [];
    const records: ZoneRecord[] = [];
    const events: ZoneEvent[] = [];
    for (const [id, bytes] of this.#records?.load("zones") ?? []) {
      const stored = decode(bytes);
      switch (stored.kind) {
        case "head":
          this.#headId = id;
          this.#head = stored;
          break;
        case "zone":
          definitions.push([id, stored]);
          break;
        case "memory":
          this.#memories.set(stored.record.zone, { id, memory: stored });
          records.push(stored.record);
          events.push(...stored.events);
      }
    }
    return { zones: this.#read(definitions), records, events };
  }

  #read(stored: (readonly [id: number, stored: Definition])[]): Zones {
    const ids: number[] = [];
    const features: string[] = [];
    for (const [id, { generation, feature }] of stored) {
      // Left by a crash within the replacement of a collection.
      if (generation !== this.#head.generation) this.#records?.delete(id);
      else {
        ids.push(id);
        features.push(JSON.stringify(feature));
      }
    }
    if (features.length === 0) return new Map();
    const zones = readAll(features);
    this.#ids = new Map(zones.map(({ name }, i) => [name, ids[i]!]));
    return new Map(zones.map((zone) => [zone.name, zone]));
  }

  /**
   * Stores the result of an edit.
   *
   * @param isWhole true if the edit replaces the collection
   * @returns resolves after the commit
   */
  async save(edited: EditedZones, isWhole: boolean): Promise<void> {
    const edits = this.#head.edits + 1;
    const records = this.#records;
    if (records === undefined) this.#head = { ...this.#head, edits };
    else if (isWhole) await this.#replace(records, edited.zones, edits);
    else await this.#change(records, edited, edits);
  }

  async #change(
    records: Records,
    { set, deleted }: EditedZones,
    edits: number,
  ): Promise<void> {
    const { generation } = this.#head;
    let first: number | undefined;
    for (const [name, feature] of set) {
      const write = () => encodeText(definitionOf(generation, feature));
      let id = this.#ids.get(name);
      if (id !== undefined) records.replace(id, write);
      else this.#ids.set(name, id = records.add("zones", write));
      first ??= id;
    }
    for (const name of deleted) {
      const id = this.#ids.get(name)!;
      records.delete(id);
      this.#ids.delete(name);
      first ??= id;
    }
    this.#setHead(records, { ...this.#head, edits });
    if (first !== undefined) records.bind(first);
    await this.committed();
  }

  async #replace(
    records: Records,
    zones: Zones,
    edits: number,
  ): Promise<void> {
    const generation = this.#head.generation + 1;
    const before = this.#ids;
    const ids = new Map<string, number>();
    for (const [name, zone] of zones) {
      // Written at the commit: the texts of a collection are large.
      const write = () =>
        encodeText(
          definitionOf(generation, JSON.stringify(toFeature(zone))),
        );
      ids.set(name, records.add("zones", write));
    }
    await this.committed();
    this.#ids = ids;
    this.#setHead(records, { ...this.#head, generation, edits });
    await this.committed();
    for (const id of before.values()) records.delete(id);
  }

  #setHead(records: Records, head: Head): void {
    this.#head = head;
    const write = () => encode(head);
    if (this.#headId !== undefined) records.replace(this.#headId, write);
    else this.#headId = records.add("zones", write);
  }

  /**
   * Stores what is remembered of a zone, with the events that are to be
   * published. {@linkcode ZoneStore.committed} resolves after the commit.
   */
  remember(record: ZoneRecord, events: readonly ZoneEvent[]): void {
    const records = this.#records;
    if (records === undefined) return;
    const memory: Memory = { kind: "memory", record, events };
    const write = () => encode(memory);
    const stored = this.#memories.get(record.zone);
    if (stored === undefined) {
      const id = records.add("zones", write);
      this.#memories.set(record.zone, { id, memory });
    } else {
      records.replace(stored.id, write);
      stored.memory = memory;
    }
  }

  /** Stores that other events than before of a zone are to be published. */
  setEvents(zone: string, events: readonly ZoneEvent[]): void {
    const stored = this.#memories.get(zone);
    if (stored !== undefined) this.remember(stored.memory.record, events);
  }

  /** Forgets a zone. */
  forget(zone: string): void {
    const stored = this.#memories.get(zone);
    if (stored === undefined) return;
    this.#records?.delete(stored.id);
    this.#memories.delete(zone);
  }

  /** Resolves when all that was stored so far is committed. */
  committed(): Promise<void> {
    const records = this.#records;
    return records === undefined
      ? Promise.resolve()
      : new Promise((resolve) => records.afterCommit(() => resolve()));
  }
}

type StoredRecord = Head | Definition | Memory;

/** Returns a definition as JSON. */
function definitionOf(generation: number, feature: string): string {
  return `{"kind":"zone","generation":${generation},"feature":${feature}}`;
}

function encode(record: Head | Memory): Uint8Array<ArrayBuffer> {
  return encodeText(JSON.stringify(record));
}

function decode(bytes: Uint8Array): StoredRecord {
  try {
    const record = parseJson(bytes);
    const kinds: unknown[] = ["head", "zone", "memory"];
    if (isJsonObject(record) && kinds.includes(record.kind)) {
      return record as unknown as StoredRecord;
    }
    throw new RangeError("a record of the zones has an unknown kind");
  } catch (cause) {
    throw unreadable(cause);
  }
}

/** Reads the zones of stored features. */
function readAll(features: readonly string[]): readonly Zone[] {
  const collection = `{"type":"FeatureCollection","features":[${features}]}`;
  try {
    return atOnce(readZonesInSteps(collection, NO_LIMITS));
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause: unknown): StoreError {
  return new StoreError(
    `Cannot read the stored zones: ${messageOf(cause)}`,
    {
      hint:
        "Use the version of occupancy that wrote them, or another file with --store.",
      cause,
    },
  );
}
