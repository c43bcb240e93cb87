/**
 * Buffers the messages of zones for the consumer of a watch, up to a limit.
 *
 * @module
 */
import type { ZoneEvent } from "../zones/zone_events.ts";
import type { ZoneState } from "../zones/zone_state.ts";

/** Zones with a waiting state; above this, the buffer closes. */
const MAX_STATES = 20_000;
/** Waiting events; above this, the oldest are dropped. */
const MAX_EVENTS = 10_000;
/** Zones of which the last event is remembered. */
const MAX_REMEMBERED = 20_000;

/** A moment of the map. */
interface Moment {
  readonly revision: number;
  readonly time: number;
}

/**
 * The states and events of zones that a watch has not passed on: of each zone
 * only the last state.
 */
export class ZoneBuffer {
  /** By zone; null: it was deleted. */
  #states = new Map<string, ZoneState | null>();
  #events: ZoneEvent[] = [];
  #dropped = 0;
  /** The last event of each zone: after a crash the server may repeat it. */
  readonly #last = new Map<string, ZoneEvent>();
  #isOpen = false;

  /** False while the buffer drops messages. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** True if there is nothing to take. */
  get isEmpty(): boolean {
    return this.#states.size === 0 && this.#events.length === 0;
  }

  /** Stores messages from now on. */
  open(): void {
    this.#isOpen = true;
  }

  /** Drops all messages, also those that are added later. */
  close(): void {
    this.#isOpen = false;
    this.#states.clear();
    this.#events = [];
    this.#dropped = 0;
    this.#last.clear();
  }

  /** Replaces the state of a zone. Closes the buffer if there are too many. */
  setState(zone: string, state: ZoneState | null): void {
    this.#states.set(zone, state);
    if (this.#states.size <= MAX_STATES) return;
    this.#isOpen = false;
    this.#states.clear();
  }

  /** Adds an event, unless it repeats the last one of its zone. */
  addEvent(event: ZoneEvent): void {
    const last = this.#last.get(event.zone);
    if (last !== undefined && isRepeated(last, event)) return;
    if (this.#last.size >= MAX_REMEMBERED) this.#last.clear();
    this.#last.set(event.zone, event);
    this.#events.push(event);
    if (this.#events.length <= MAX_EVENTS) return;
    this.#events.shift();
    this.#dropped++;
  }

  /**
   * Drops the states that are older than those of a reply.
   *
   * @param moment of the reply
   * @param replied its states, by name
   * @param isFirst true to drop the events before the reply too
   * @returns false if it is not clear whether a zone was deleted before or after
   * the reply
   */
  dropOlder(
    moment: Moment,
    replied: ReadonlyMap<string, ZoneState>,
    isFirst: boolean,
  ): boolean {
    let isClear = true;
    for (const [zone, state] of this.#states) {
      const known = replied.get(zone);
      if (state === null) isClear &&= known === undefined;
      else if (isLater(state, moment, known)) continue;
      this.#states.delete(zone);
    }
    if (isFirst) {
      this.#events = this.#events.filter((event) =>
        isLater(event, moment, replied.get(event.zone))
      );
    }
    return isClear;
  }

  /** Removes and returns all states; undefined if there are none. */
  takeStates(): ReadonlyMap<string, ZoneState | null> | undefined {
    if (this.#states.size === 0) return undefined;
    const states = this.#states;
    this.#states = new Map();
    return states;
  }

  /** Removes and returns the oldest event, with the number of those dropped. */
  takeEvent(): { event: ZoneEvent; dropped: number } | undefined {
    const event = this.#events.shift();
    if (event === undefined) return undefined;
    const dropped = this.#dropped;
    this.#dropped = 0;
    return { event, dropped };
  }
}

/**
 * Returns true if a message of a zone is later than a reply.
 *
 * @param known the state of the zone in the reply
 */
function isLater(
  { layer, revision, time }: Moment & { readonly layer: string },
  reply: Moment,
  known: ZoneState | undefined,
): boolean {
  if (known?.layer === layer) {
    return revision > known.revision ||
      (revision === known.revision && time > known.time);
  }
  // The revisions of two layers may be independent. That of the reply is not
  // below that of any layer.
  return revision > reply.revision || time > reply.time;
}

function isRepeated(a: ZoneEvent, b: ZoneEvent): boolean {
  return a.event === b.event && a.time === b.time && a.revision === b.revision;
}
