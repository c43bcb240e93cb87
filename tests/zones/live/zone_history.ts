/**
 * What a subscriber receives of zones, and whether it can be true.
 *
 * @module
 */
import type { ZoneEvent, ZoneState } from "../../../src/zones/mod.ts";

const STATE_EVENTS: readonly string[] = ["occupied", "cleared", "unknown"];

/** The messages of one zone from its creation to its deletion. */
class Lifetime {
  /** Without duplicates, in the order of their first arrival. */
  readonly events: ZoneEvent[] = [];
  /** Without duplicates, in the order of their first arrival. */
  readonly states: ZoneState[] = [];

  /** Returns what is wrong. */
  *problems(): Generator<string> {
    const { events, states } = this;
    const occupancy = events.filter(({ event }) =>
      STATE_EVENTS.includes(event)
    );
    const fullness = events.filter(({ event }) =>
      !STATE_EVENTS.includes(event)
    );
    for (const kind of [occupancy, fullness]) {
      for (let i = 1; i < kind.length; i++) {
        if (kind[i - 1]!.event !== kind[i]!.event) continue;
        yield `two of a kind: ${JSON.stringify(kind.slice(i - 1, i + 1))}`;
      }
    }
    for (let i = 1; i < states.length; i++) {
      const { since, occupied } = states[i]!;
      if (since === states[i - 1]!.since) continue;
      const event = occupancy.find(({ time }) => time === since);
      if (event === undefined || event.event !== eventOf(occupied)) {
        yield `no event of ${JSON.stringify(states[i])}`;
      }
    }
    const last = states.at(-1);
    const [event, full] = [occupancy.at(-1), fullness.at(-1)];
    if (last === undefined) return;
    if (event !== undefined && event.event !== eventOf(last.occupied)) {
      yield `the last event is ${event.event}: ${JSON.stringify(last)}`;
    }
    if (event !== undefined && event.time !== last.since) {
      yield `the last event is of ${event.time}: ${JSON.stringify(last)}`;
    }
    // What is not known keeps a zone full.
    if (full === undefined || last.occupied === null) return;
    const { capacity = Infinity, count } = last;
    if ((full.event === "full") !== (count >= capacity)) {
      yield `the last event is ${full.event}: ${JSON.stringify(last)}`;
    }
  }
}

/** The messages of all zones. */
export class ZoneHistory {
  /** The present states by zone, as retained. */
  readonly states = new Map<string, ZoneState>();
  /** Of the present zones. */
  readonly #lifetimes = new Map<string, Lifetime>();
  /** All messages so far, as text, by zone. */
  readonly #known = new Map<string, Set<string>>();
  /** When the states of zones were deleted, ms since 1970. */
  readonly #deletedAt = new Map<string, number>();
  /** Different events. */
  events = 0;
  /** Events that the server published again. */
  duplicates = 0;

  /**
   * Adds a message.
   *
   * @param topic without the prefix: `zone/NAME` or `zone/NAME/event`
   * @param payload the payload, empty for a deleted state
   * @param now ms since 1970
   * @param isRedelivered the broker sends it again
   */
  add(
    topic: string,
    payload: string,
    now: number,
    isRedelivered: boolean,
  ): void {
    const [, zone, isEvent] = topic.split("/");
    if (payload === "") {
      this.states.delete(zone!);
      this.#lifetimes.delete(zone!);
      this.#deletedAt.set(zone!, now);
      return;
    }
    const message = JSON.parse(payload);
    if (isEvent === undefined) this.states.set(zone!, message);
    let known = this.#known.get(zone!);
    if (known === undefined) this.#known.set(zone!, known = new Set());
    const isKnown = known.has(payload);
    known.add(payload);
    if (isKnown) {
      if (isEvent && !isRedelivered) this.duplicates++;
      return;
    }
    if (isEvent) this.events++;
    // After a crash, an event may arrive after the deletion of its zone.
    if (message.time < (this.#deletedAt.get(zone!) ?? 0)) return;
    let lifetime = this.#lifetimes.get(zone!);
    if (lifetime === undefined) {
      this.#lifetimes.set(zone!, lifetime = new Lifetime());
    }
    if (isEvent) lifetime.events.push(message);
    else lifetime.states.push(message);
  }

  /** Returns what is wrong with the messages so far, once all have arrived. */
  problems(): string[] {
    return [...this.#lifetimes].flatMap(([zone, lifetime]) =>
      [...lifetime.problems()].map((problem) => `${zone}: ${problem}`)
    );
  }
}

function eventOf(occupied: boolean | null): string {
  return occupied === null ? "unknown" : occupied ? "occupied" : "cleared";
}
