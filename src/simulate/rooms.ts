/**
 * Simulates meeting rooms with people counters.
 *
 * @module
 */
import type { ReadingBatch } from "../protocol/mod.ts";
import type { Area } from "./areas.ts";
import { Random } from "./random.ts";
import {
  HOUR_MS,
  isWorkday,
  MINUTE_MS,
  type SceneOptions,
  SECOND_MS,
  SensorScene,
} from "./scene.ts";

const DEFAULT_ROOMS = 60;
/** Each sensor reports once in this number of steps: twice a minute. */
const REPORT_STEPS = 30;
/** Meetings begin every half hour, from 8:00, and end by 18:00. */
const MEETING_SLOT_MS = 30 * MINUTE_MS;
const FIRST_MEETING_MS = 8 * HOUR_MS;
const LAST_MEETING_END_MS = 18 * HOUR_MS;
/** Numbers of seats; a room has one of them at random. Most are small. */
const CAPACITIES = [4, 4, 6, 6, 8, 8, 12, 20];
/** Maximum number of short visits of one person a day. */
const MAX_VISITS = 5;

/** A person enters or leaves a room. */
interface Passage {
  /** Seconds since midnight. */
  readonly at: number;
  /** The change of the number of people. */
  readonly change: 1 | -1;
}

/** The day of a room. */
interface RoomDay {
  /** Days since a Monday; -1 before the first reading. */
  day: number;
  /** In order of time. */
  passages: readonly Passage[];
  /** Index of the next passage. */
  next: number;
  /** People in the room before the next passage. */
  people: number;
}

/**
 * Meeting rooms. Each room is a cell whose value is the number of people in it.
 * Meetings take slots of half an hour; people arrive and leave one by one.
 */
export class Rooms extends SensorScene {
  readonly width: number;
  readonly height: number;
  readonly #days: RoomDay[];

  constructor(options: SceneOptions = {}) {
    super(options, DEFAULT_ROOMS, REPORT_STEPS);
    const size = this.cells;
    this.width = Math.ceil(Math.sqrt(size * 1.5));
    this.height = Math.ceil(size / this.width);
    this.#days = Array.from({ length: size }, () => ({
      day: -1,
      passages: [],
      next: 0,
      people: 0,
    }));
  }

  /** The number of seats in a room. */
  capacityOf(room: number): number {
    return CAPACITIES[
      new Random(this.seed, room, -1).below(CAPACITIES.length)
    ]!;
  }

  /** All rooms, and each room, with its seats as the capacity. */
  areas(): Area[] {
    const { width, height } = this;
    let seats = 0;
    const rooms = Array.from({ length: this.cells }, (_, room): Area => {
      const capacity = this.capacityOf(room);
      seats += capacity;
      return {
        ...{ name: `room-${room + 1}`, title: `Room ${room + 1}`, capacity },
        ...{ ...this.#cellOf(room), width: 1, height: 1 },
      };
    });
    const whole = { x: 0, y: 0, width, height, capacity: seats };
    return [
      { name: "meeting-rooms", title: "Meeting rooms", ...whole },
      ...rooms,
    ];
  }

  protected report(room: number, out: ReadingBatch): void {
    const { x, y } = this.#cellOf(room);
    out.push(x, y, this.#peopleIn(room));
  }

  #cellOf(room: number): { x: number; y: number } {
    return { x: room % this.width, y: Math.floor(room / this.width) };
  }

  #peopleIn(room: number): number {
    const today = this.#days[room]!;
    const { day, second } = this.time;
    if (today.day !== day) {
      today.day = day;
      today.passages = this.#planOf(room, day);
      today.next = 0;
      today.people = 0;
    }
    const { passages } = today;
    while (
      today.next < passages.length && passages[today.next]!.at <= second
    ) {
      today.people += passages[today.next++]!.change;
    }
    return today.people;
  }

  /** Makes the passages of a room for a day, in order of time. */
  #planOf(room: number, day: number): Passage[] {
    const random = new Random(this.seed, room, day);
    const passages: Passage[] = [];
    if (!isWorkday(day)) return passages;
    const capacity = this.capacityOf(room);
    let start = FIRST_MEETING_MS;
    while (start < LAST_MEETING_END_MS) {
      if (!random.chance(0.45)) {
        start += MEETING_SLOT_MS;
        continue;
      }
      const end = Math.min(
        start + random.between(1, 4) * MEETING_SLOT_MS,
        LAST_MEETING_END_MS,
      );
      const people = random.between(2, capacity);
      for (let i = 0; i < people; i++) {
        // Meetings never overlap: the mean departure is 7 minutes before the
        // next mean arrival, and both vary by at most 3.5 minutes.
        const arrival = random.normal(start + 2 * MINUTE_MS, MINUTE_MS);
        const departure = random.normal(end - 5 * MINUTE_MS, MINUTE_MS);
        addStay(passages, arrival, departure);
      }
      start = end;
    }
    for (let i = random.between(0, MAX_VISITS); i > 0; i--) {
      const arrival = random.normal(13 * HOUR_MS, 2.5 * HOUR_MS);
      const duration = random.normal(6 * MINUTE_MS, 1.5 * MINUTE_MS);
      addStay(passages, arrival, arrival + duration);
    }
    return passages.sort((a, b) => a.at - b.at || b.change - a.change);
  }
}

/** Adds the passages of a person who stays from `start` to `end`, in ms. */
function addStay(passages: Passage[], start: number, end: number): void {
  const from = Math.round(start / SECOND_MS);
  passages.push(
    { at: from, change: 1 },
    { at: Math.max(from, Math.round(end / SECOND_MS)), change: -1 },
  );
}
