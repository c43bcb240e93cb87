/**
 * Remembers what Home Assistant has of the zones.
 *
 * @module
 */
import {
  assignKeys,
  type KnownZone,
  MAX_ANNOUNCED_ZONES,
} from "../../home_assistant/mod.ts";
import { encodeText, isJsonObject, parseJson } from "../../protocol/text.ts";
import type { Records } from "../../store/store.ts";
import type { Zones } from "../../zones/mod.ts";

/**
 * Removed zones of which Home Assistant may still have entities. Above this, the
 * oldest is forgotten.
 */
const MAX_REMOVED_ZONES = 2 * MAX_ANNOUNCED_ZONES;

/** A zone that was announced. */
export interface AnnouncedZone extends KnownZone {
  /** The topic of its discovery message. */
  readonly topic: string;
}

/** A record of the store. */
type Stored =
  | ({ readonly kind: "zone" } & AnnouncedZone)
  | { readonly kind: "removed"; readonly topic: string };

/**
 * The announced zones, and those that were removed. In a durable store they are
 * kept: a zone that is renamed or deleted while the server does not run is
 * recognized at its next start.
 */
export class AnnouncedZones {
  readonly #records: Records | undefined;
  readonly #onForgotten: (topic: string) => void;
  #zones: ReadonlyMap<string, AnnouncedZone> = new Map();
  readonly #removed = new Set<string>();
  /** Ids of records, by topic. */
  readonly #ids = new Map<string, number>();

  /**
   * @param records undefined if the store is not durable
   * @param onForgotten called for each removed zone that is forgotten because
   * there are too many
   */
  constructor(
    records: Records | undefined,
    onForgotten: (topic: string) => void,
  ) {
    this.#records = records;
    this.#onForgotten = onForgotten;
  }

  /** By name. */
  get zones(): ReadonlyMap<string, AnnouncedZone> {
    return this.#zones;
  }

  /** Topics of discovery messages to remove, the oldest first. */
  get removed(): ReadonlySet<string> {
    return this.#removed;
  }

  /**
   * Reads what is stored. Call it before anything else; of a shared store, again
   * when this server leads.
   *
   * @returns the number of records that cannot be used; they are deleted
   * @throws {StoreError} if the records cannot be read
   */
  load(): number {
    let unusable = 0;
    this.#ids.clear();
    this.#removed.clear();
    const zones = new Map<string, AnnouncedZone>();
    const records = [...this.#records?.load("home-assistant") ?? []];
    for (const [id, bytes] of records) {
      const stored = decode(bytes);
      if (stored === undefined || this.#ids.has(stored.topic)) {
        this.#records?.delete(id);
        unusable++;
        continue;
      }
      this.#ids.set(stored.topic, id);
      // A crash between two commits can leave two zones of one name.
      if (stored.kind === "zone" && !zones.has(stored.name)) {
        zones.set(stored.name, stored);
      } else this.#removed.add(stored.topic);
    }
    this.#zones = zones;
    return unusable;
  }

  /**
   * Gives the present zones their keys.
   *
   * @param topicOf returns the topic of the discovery message of a key
   * @returns the number of zones that are too many
   */
  assign(definitions: Zones, topicOf: (key: string) => string): number {
    const before = new Map(
      Array.from(this.#zones.values(), (zone) => [zone.topic, zone]),
    );
    const { zones, excess } = assignKeys(
      definitions.values(),
      before.values(),
      MAX_ANNOUNCED_ZONES,
    );
    const next = new Map<string, AnnouncedZone>();
    for (const [name, known] of zones) {
      const topic = topicOf(known.key);
      const zone: AnnouncedZone = { ...known, topic };
      next.set(name, zone);
      const last = before.get(topic);
      before.delete(topic);
      this.#removed.delete(topic);
      if (last === undefined || !isSame(zone, last)) {
        this.#store(topic, { kind: "zone", ...zone });
      }
    }
    this.#zones = next;
    for (const topic of before.keys()) this.#remove(topic);
    return excess;
  }

  /** Removes all zones. */
  removeAll(): void {
    for (const { topic } of this.#zones.values()) this.#remove(topic);
    this.#zones = new Map();
  }

  /** Forgets a removed zone: Home Assistant has no entities of it. */
  forget(topic: string): void {
    if (!this.#removed.delete(topic)) return;
    const id = this.#ids.get(topic);
    if (id !== undefined) this.#records?.delete(id);
    this.#ids.delete(topic);
  }

  /**
   * Resolves when all changes so far are stored.
   *
   * @returns false if they do not count: another server leads
   */
  committed(): Promise<boolean> {
    const records = this.#records;
    return records === undefined
      ? Promise.resolve(true)
      : new Promise((resolve) =>
        records.afterCommit(resolve, "home-assistant")
      );
  }

  #remove(topic: string): void {
    this.#removed.add(topic);
    this.#store(topic, { kind: "removed", topic });
    if (this.#removed.size <= MAX_REMOVED_ZONES) return;
    const oldest: string = this.#removed.values().next().value!;
    this.forget(oldest);
    this.#onForgotten(oldest);
  }

  #store(topic: string, stored: Stored): void {
    const records = this.#records;
    if (records === undefined) return;
    const encode = () => encodeText(JSON.stringify(stored));
    const id = this.#ids.get(topic);
    if (id !== undefined) records.replace(id, encode);
    else this.#ids.set(topic, records.add("home-assistant", encode));
  }
}

function isSame(a: AnnouncedZone, b: AnnouncedZone): boolean {
  return a.key === b.key && a.name === b.name && a.shape === b.shape &&
    a.featureId === b.featureId;
}

/** Returns undefined for a record of another version of occupancy. */
function decode(bytes: Uint8Array): Stored | undefined {
  let stored: unknown;
  try {
    stored = parseJson(bytes);
  } catch {
    return undefined;
  }
  if (!isJsonObject(stored)) return undefined;
  const { kind, topic, key, name, shape, featureId } = stored;
  if (typeof topic !== "string") return undefined;
  if (kind === "removed") return { kind, topic };
  if (
    kind !== "zone" || typeof key !== "string" || typeof name !== "string" ||
    typeof shape !== "string" ||
    (featureId !== undefined && typeof featureId !== "string")
  ) return undefined;
  return { kind, topic, key, name, shape, featureId };
}
