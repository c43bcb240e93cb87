/**
 * Reads the states and events of zones from their JSON form.
 *
 * @module
 */

import { assertLayer, assertZoneName, ProtocolError } from "../protocol/mod.ts";
import { describeJson, isJsonObject } from "../protocol/text.ts";
import {
  ZONE_EVENT_NAMES,
  type ZoneEvent,
  type ZoneEventName,
} from "./zone_events.ts";
import type { ZoneState } from "./zone_state.ts";

/**
 * Reads the state of a zone, as `JSON.stringify` writes it. Unknown keys are
 * ignored.
 *
 * @param value parsed JSON
 * @throws {ProtocolError} "bad-zone-state", "bad-zone" or "bad-layer"
 */
export function readZoneState(value: unknown): ZoneState {
  const reader = new Reader(value, "state");
  const { occupied, percent } = reader.body;
  if (typeof occupied !== "boolean" && occupied !== null) {
    return reader.fail("occupied", "true, false or null");
  }
  if (
    percent !== null &&
    !(typeof percent === "number" && Number.isFinite(percent))
  ) {
    return reader.fail("percent", "a number or null");
  }
  const { certain } = reader.body;
  if (typeof certain !== "boolean") {
    return reader.fail("certain", "true or false");
  }
  return {
    ...reader.names(),
    occupied,
    count: reader.count("count"),
    certain,
    capacity: reader.capacity(),
    percent,
    cells: reader.count("cells"),
    occupiedCells: reader.count("occupiedCells"),
    staleCells: reader.count("staleCells"),
    unknownCells: reader.count("unknownCells"),
    since: reader.count("since"),
    time: reader.count("time"),
    revision: reader.count("revision"),
  };
}

/**
 * Reads an event of a zone, as `JSON.stringify` writes it. Unknown keys are
 * ignored.
 *
 * @param value parsed JSON
 * @throws {ProtocolError} "bad-zone-event", "bad-zone" or "bad-layer"
 */
export function readZoneEvent(value: unknown): ZoneEvent {
  const reader = new Reader(value, "event");
  const { event } = reader.body;
  if (typeof event !== "string" || !Object.hasOwn(ZONE_EVENT_NAMES, event)) {
    return reader.fail("event", "the name of an event");
  }
  return {
    ...reader.names(),
    event: event as ZoneEventName,
    count: reader.count("count"),
    capacity: reader.capacity(),
    time: reader.count("time"),
    revision: reader.count("revision"),
  };
}

/** Reads the fields of one object. */
class Reader {
  readonly body: Record<string, unknown>;
  readonly #what: string;

  constructor(value: unknown, what: "state" | "event") {
    this.#what = what;
    if (!isJsonObject(value)) {
      throw new ProtocolError(
        `bad-zone-${what}`,
        `the ${what} of a zone is not a JSON object: ${describeJson(value)}`,
      );
    }
    this.body = value;
  }

  names(): Pick<ZoneState, "zone" | "title" | "layer"> {
    const { zone, title, layer } = this.body;
    if (typeof zone !== "string") return this.fail("zone", "a string");
    if (typeof title !== "string") return this.fail("title", "a string");
    if (typeof layer !== "string") return this.fail("layer", "a string");
    assertZoneName(zone);
    assertLayer(layer);
    return { zone, title, layer };
  }

  /** An integer of 0 or more; the sum of many values may be above 2^53. */
  count(key: string): number {
    const value = this.body[key];
    return Number.isInteger(value) && value as number >= 0
      ? value as number
      : this.fail(key, "an integer of 0 or more");
  }

  capacity(): number | undefined {
    const { capacity } = this.body;
    if (capacity === undefined || capacity === null) return undefined;
    return typeof capacity === "number" && capacity > 0
      ? capacity
      : this.fail("capacity", "a number above 0");
  }

  fail(key: string, expected: string): never {
    throw new ProtocolError(
      `bad-zone-${this.#what}`,
      `${key} of the ${this.#what} of a zone is not ${expected}: ${
        describeJson(this.body[key])
      }`,
    );
  }
}
