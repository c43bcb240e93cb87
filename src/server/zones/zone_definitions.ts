/**
 * Keeps the definitions of zones as records of the store.
 *
 * @module
 */
import { atOnce } from "../../common/at_once.ts";
import { inTurns, type Work } from "../../common/turns.ts";
import { encodeText } from "../../protocol/text.ts";
import type { Records } from "../../store/store.ts";
import {
  type EditedZones,
  readZonesInSteps,
  toFeature,
  type Zone,
  type Zones,
} from "../../zones/mod.ts";
import {
  decodeDefinition,
  definitionOf,
  encodeRecord,
  type Head,
  unreadable,
} from "./zone_records.ts";

/** No limits: what was accepted is read again. */
const NO_LIMITS = {
  bytes: Infinity,
  featureBytes: Infinity,
  zones: Infinity,
  positions: Infinity,
} as const;
/** Bytes of records that are decoded or written in about a millisecond. */
const STEP_BYTES = 128 * 1024;

/** The definitions before the first edit. */
const NO_EDITS = { kind: "head", generation: 1, edits: 0 } as const;
/** Servers of a shared store have the same version also before an edit. */
const NO_STORE = "none";

/** A definition that was read. */
interface Read {
  readonly bytes: Uint8Array;
  readonly generation: number;
  /** Undefined until it is needed. */
  readonly zone: Zone | undefined;
  /** The same as GeoJSON; undefined if `zone` is not. */
  readonly feature: unknown;
}

/**
 * Keeps definitions. Without a durable store they are kept in memory.
 *
 * A new collection is written under the next generation, in as many commits as
 * it needs; then one record puts this generation in force. So a crash leaves
 * either the old collection or the new one.
 *
 * The servers of a shared store read the definitions again when one of them has
 * changed them. A change counts only if no other one came before it.
 */
export class ZoneDefinitions {
  readonly #records: Records | undefined;
  #head: Head;
  #headId: number | undefined;
  /** Ids of the definitions in force, by name. */
  #ids = new Map<string, number>();
  /** What was read, of a shared store; by id. */
  #read = new Map<number, Read>();
  /** Ids of definitions that are not in force. */
  #unused: number[] = [];
  /** The highest generation of all definitions. */
  #lastGeneration = 1;
  /** See `RecordSharing.edition`. */
  #edition: number | undefined;

  /** @param records undefined if the store is not durable */
  constructor(records: Records | undefined) {
    this.#records = records;
    const store = records?.shared === undefined ? randomStore() : NO_STORE;
    this.#head = { ...NO_EDITS, store };
  }

  /** See `ZoneService.version`. */
  get version(): string {
    return `${this.#head.store}-${this.#head.edits}`;
  }

  /** True if another server has changed the records since they were read. */
  get isOutdated(): boolean {
    return this.#records?.shared?.edition !== this.#edition;
  }

  /**
   * Reads what is stored. Call it once, before anything else.
   *
   * @throws {StoreError} if it cannot be read
   */
  load(): Zones {
    const zones = atOnce(this.#readAll());
    // Left by a crash within the replacement of a collection. Of a shared
    // store, perhaps another server replaces it at present.
    if (this.#records?.shared === undefined) this.#deleteUnused();
    return zones;
  }

  /**
   * Reads what is stored again, in turns of the event loop.
   *
   * @returns rejects with a {@linkcode StoreError} if it cannot be read
   */
  reload(): Promise<Zones> {
    return inTurns(this.#readAll());
  }

  /**
   * Stores the result of an edit. Of a shared store, reload the definitions
   * after it.
   *
   * @param isWhole true if the edit replaces the collection
   * @returns resolves after the commit: false if another server has changed the
   * definitions since they were read, so nothing was changed
   */
  save(edited: EditedZones, isWhole: boolean): Promise<boolean> {
    const edits = this.#head.edits + 1;
    const records = this.#records;
    if (records === undefined) {
      this.#head = { ...this.#head, edits };
      return Promise.resolve(true);
    }
    if (this.#edition !== undefined) records.shared?.expect(this.#edition);
    const { store } = this.#head;
    const head = {
      ...this.#head,
      edits,
      store: store === NO_STORE ? randomStore() : store,
    };
    return isWhole
      ? this.#replace(records, edited.zones, head)
      : this.#change(records, edited, head);
  }

  #change(
    records: Records,
    { set, deleted }: EditedZones,
    head: Head,
  ): Promise<boolean> {
    let first: number | undefined;
    for (const [name, feature] of set) {
      const write = () => encodeText(definitionOf(head.generation, feature));
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
    this.#setHead(records, head);
    if (first !== undefined) records.bind(first);
    return this.#committed(records);
  }

  async #replace(
    records: Records,
    zones: Zones,
    before: Head,
  ): Promise<boolean> {
    const generation = this.#lastGeneration + 1;
    this.#lastGeneration = generation;
    const unused = [...this.#unused, ...this.#ids.values()];
    const ids = new Map<string, number>();
    for (const [name, zone] of zones) {
      // Written at the commit: the texts of a collection are large.
      const write = () =>
        encodeText(
          definitionOf(generation, JSON.stringify(toFeature(zone))),
        );
      ids.set(name, records.add("zones", write));
    }
    if (!await this.#committed(records)) return false;
    this.#ids = ids;
    this.#setHead(records, { ...before, generation });
    if (!await this.#committed(records)) return false;
    this.#unused = unused;
    this.#deleteUnused();
    // The next edit would not count before.
    if (records.shared !== undefined) await this.#committed(records);
    return true;
  }

  #deleteUnused(): void {
    for (const id of this.#unused) this.#records?.delete(id);
    this.#unused = [];
  }

  #setHead(records: Records, head: Head): void {
    this.#head = head;
    const write = () => encodeRecord(head);
    if (this.#headId !== undefined) records.replace(this.#headId, write);
    else this.#headId = records.add("zones", write);
  }

  #committed(records: Records): Promise<boolean> {
    return new Promise((resolve) => records.afterCommit(resolve, "zones"));
  }

  *#readAll(): Work<Zones> {
    const shared = this.#records?.shared;
    const edition = shared?.edition;
    let headId: number | undefined;
    let head: Head = shared === undefined
      ? this.#head
      : { ...NO_EDITS, store: NO_STORE };
    const definitions = new Map<number, Read>();
    let bytesRead = 0;
    for (const [id, bytes] of this.#records?.load("zones") ?? []) {
      const before = this.#read.get(id);
      if (before?.bytes === bytes) {
        definitions.set(id, before);
        continue;
      }
      const stored = decodeDefinition(bytes);
      if (stored.kind === "head") {
        headId = id;
        head = stored;
      } else if (stored.kind === "zone") {
        definitions.set(id, { ...stored, bytes, zone: undefined });
      }
      bytesRead += bytes.length;
      if (bytesRead < STEP_BYTES) continue;
      bytesRead = 0;
      yield;
    }
    const zones = yield* this.#inForce(definitions, head);
    this.#head = head;
    this.#headId = headId;
    // Not before: what cannot be read stays outdated, so no edit counts.
    this.#edition = edition;
    // Others read once: the memory is for something else.
    if (shared !== undefined) this.#read = definitions;
    return zones;
  }

  /** Reads the zones of the definitions in force that were not read yet. */
  *#inForce(
    definitions: Map<number, Read>,
    { generation }: Head,
  ): Work<Zones> {
    this.#lastGeneration = generation;
    this.#unused = [];
    const ids: number[] = [];
    const features: string[] = [];
    let written = 0;
    for (const [id, read] of definitions) {
      this.#lastGeneration = Math.max(this.#lastGeneration, read.generation);
      if (read.generation !== generation) {
        this.#unused.push(id);
        definitions.delete(id);
      } else if (read.zone === undefined) {
        const feature = JSON.stringify(read.feature);
        ids.push(id);
        features.push(feature);
        written += feature.length;
        if (written < STEP_BYTES) continue;
        written = 0;
        yield;
      }
    }
    for (const [i, zone] of (yield* readFeatures(features)).entries()) {
      const id = ids[i]!;
      const { bytes } = definitions.get(id)!;
      definitions.set(id, { bytes, generation, zone, feature: undefined });
    }
    const zones = new Map<string, Zone>();
    this.#ids = new Map();
    for (const [id, { zone }] of definitions) {
      zones.set(zone!.name, zone!);
      this.#ids.set(zone!.name, id);
    }
    return zones;
  }
}

/** Returns zones by name, in their order. */
export function byName(zones: readonly Zone[]): Zones {
  return new Map(zones.map((zone) => [zone.name, zone]));
}

/** Returns true if the names of `b` begin with those of `a`, in this order. */
export function hasSameOrder(a: Zones, b: Zones): boolean {
  const names = b.keys();
  for (const name of a.keys()) if (name !== names.next().value) return false;
  return true;
}

function randomStore(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** Reads the zones of stored features. */
function* readFeatures(features: readonly string[]): Work<readonly Zone[]> {
  if (features.length === 0) return [];
  const collection = `{"type":"FeatureCollection","features":[${features}]}`;
  try {
    return yield* readZonesInSteps(collection, NO_LIMITS);
  } catch (cause) {
    throw unreadable(cause);
  }
}
