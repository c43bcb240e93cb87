/**
 * Keeps what is remembered of each zone as records of the store.
 *
 * @module
 */
import type { Work } from "../../common/turns.ts";
import type { Records } from "../../store/store.ts";
import type { ZoneEvent, ZoneRecord } from "../../zones/mod.ts";
import {
  decodeMemory,
  type DefinitionSource,
  encodeRecord,
  isMemory,
  type Memory,
} from "./zone_records.ts";

const OWNER = "zone-memories";
/** Bytes of records that are decoded in about a millisecond. */
const STEP_BYTES = 128 * 1024;

/** What is remembered of a zone. */
interface Stored {
  /** Undefined if it is stored among the definitions. */
  readonly id: number | undefined;
  readonly memory: Memory;
}

/** What was remembered. */
export interface RememberedZones {
  readonly records: readonly ZoneRecord[];
  /** Events that may not be published yet, the oldest of a zone first. */
  readonly events: readonly ZoneEvent[];
}

/**
 * Keeps what is remembered of each zone. Without a durable store it is kept in
 * memory. Of a shared store, only the leader changes it.
 */
export class ZoneMemories {
  readonly #records: Records | undefined;
  /** By zone. */
  #memories = new Map<string, Stored>();
  #sourceId: number | undefined;

  /** @param records undefined if the store is not durable */
  constructor(records: Records | undefined) {
    this.#records = records;
  }

  /**
   * Reads what is stored. Call it before anything else; of a shared store, again
   * when this server leads. Store nothing until it is done.
   *
   * @throws {StoreError} if it cannot be read
   */
  *read(): Work<RememberedZones> {
    const records = this.#records;
    const memories = new Map<string, Stored>();
    let sourceId: number | undefined;
    let bytesRead = 0;
    for (const owner of ["zones", OWNER] as const) {
      // Definitions of a shared store are not changed by the leader alone.
      const isOwn = owner === OWNER || records?.shared === undefined;
      for (const [id, bytes] of records?.load(owner) ?? []) {
        if (owner === "zones" && !isMemory(bytes)) continue;
        const stored = decodeMemory(bytes);
        if (stored.kind === "memory") {
          const memory = { id: isOwn ? id : undefined, memory: stored };
          memories.set(stored.record.zone, memory);
        } else sourceId = id;
        bytesRead += bytes.length;
        if (bytesRead < STEP_BYTES) continue;
        bytesRead = 0;
        yield;
      }
    }
    this.#memories = memories;
    this.#sourceId = sourceId;
    const all = Array.from(memories.values(), ({ memory }) => memory);
    return {
      records: all.map(({ record }) => record),
      events: all.flatMap(({ events }) => events),
    };
  }

  /**
   * Stores what is remembered of a zone, with the events that are to be
   * published. {@linkcode ZoneMemories.committed} resolves after the commit.
   */
  remember(record: ZoneRecord, events: readonly ZoneEvent[]): void {
    const records = this.#records;
    if (records === undefined) return;
    const memory: Memory = { kind: "memory", record, events };
    const write = () => encodeRecord(memory);
    const id = this.#memories.get(record.zone)?.id;
    if (id !== undefined) records.replace(id, write);
    this.#memories.set(record.zone, {
      id: id ?? records.add(OWNER, write),
      memory,
    });
  }

  /** Stores that other events than before of a zone are to be published. */
  setEvents(zone: string, events: readonly ZoneEvent[]): void {
    const stored = this.#memories.get(zone);
    if (stored !== undefined) this.remember(stored.memory.record, events);
  }

  /** Forgets a zone. */
  forget(zone: string): void {
    const id = this.#memories.get(zone)?.id;
    if (id !== undefined) this.#records?.delete(id);
    this.#memories.delete(zone);
  }

  /** Stores where the leader has its definitions from. */
  setSource(source: DefinitionSource): void {
    const records = this.#records;
    if (records === undefined) return;
    const write = () => encodeRecord(source);
    if (this.#sourceId !== undefined) records.replace(this.#sourceId, write);
    else this.#sourceId = records.add(OWNER, write);
  }

  /**
   * Resolves when all that was stored so far is committed.
   *
   * @returns false if it does not count: another server leads
   */
  committed(): Promise<boolean> {
    const records = this.#records;
    return records === undefined
      ? Promise.resolve(true)
      : new Promise((resolve) => records.afterCommit(resolve, OWNER));
  }
}
