import type { ReadingBatch } from "../protocol/mod.ts";
import { Poll } from "./poll.ts";
import { Random } from "./random.ts";
import {
  DAY,
  DEFAULT_START,
  HOUR,
  isWorkday,
  MINUTE,
  type Scene,
  type SceneOptions,
  SECOND,
} from "./scene.ts";

const DEFAULT_SIZE = 60;
/** Steps in which every sensor reports once: twice a minute. */
const SLOTS = 30;
/** Meetings begin at the full and the half hour. */
const BLOCK = 30 * MINUTE;
const OPENS = 8 * HOUR;
const CLOSES = 18 * HOUR;
/** Most rooms are small. */
const CAPACITIES = [4, 4, 6, 6, 8, 8, 12, 20];
/** Some look in when no meeting is on: to call, to ask, to clean. */
const VISITS = 6;

/** One who comes or goes: when, s since midnight, and +1 or -1. */
interface Passage {
  readonly at: number;
  readonly change: 1 | -1;
}

/** A room's day: all who come and go, in order, and how far it is. */
interface RoomDay {
  day: number;
  passages: readonly Passage[];
  next: number;
  people: number;
}

/**
 * Meeting rooms: a cell a room, its value how many people are in it. Meetings
 * take blocks of half an hour; people trickle in and out around them.
 */
export class Rooms implements Scene {
  readonly stepMs = SECOND;
  readonly cells: number;
  readonly width: number;
  readonly height: number;
  readonly #seed: number;
  readonly #poll: Poll;
  readonly #days: RoomDay[];
  #now: number;

  constructor(options: SceneOptions = {}) {
    const { seed = 1, size = DEFAULT_SIZE, start = DEFAULT_START } = options;
    this.cells = size;
    this.#seed = seed;
    this.#now = start;
    this.#poll = new Poll(size, SLOTS);
    this.width = Math.ceil(Math.sqrt(size * 1.5));
    this.height = Math.ceil(size / this.width);
    this.#days = Array.from({ length: size }, () => ({
      day: -1,
      passages: [],
      next: 0,
      people: 0,
    }));
  }

  /** How many people a room is for. */
  capacityOf(room: number): number {
    return CAPACITIES[
      new Random(this.#seed, room, -1).below(CAPACITIES.length)
    ]!;
  }

  begin(out: ReadingBatch): void {
    for (let room = 0; room < this.cells; room++) this.#report(room, out);
  }

  step(out: ReadingBatch): void {
    this.#now += this.stepMs;
    this.#poll.turn((room) => this.#report(room, out));
  }

  #report(room: number, out: ReadingBatch): void {
    out.push(
      room % this.width,
      Math.floor(room / this.width),
      this.#peopleIn(room),
    );
  }

  #peopleIn(room: number): number {
    const today = this.#days[room]!;
    const day = Math.floor(this.#now / DAY);
    if (today.day !== day) {
      today.day = day;
      today.passages = this.#planOf(room, day);
      today.next = 0;
      today.people = 0;
    }
    const second = (this.#now - day * DAY) / SECOND;
    const { passages } = today;
    while (
      today.next < passages.length && passages[today.next]!.at <= second
    ) {
      today.people += passages[today.next++]!.change;
    }
    return today.people;
  }

  /** Who comes and goes on a day. */
  #planOf(room: number, day: number): Passage[] {
    const random = new Random(this.#seed, room, day);
    const passages: Passage[] = [];
    if (!isWorkday(day)) return passages;
    const capacity = this.capacityOf(room);
    let start = OPENS;
    while (start < CLOSES) {
      if (!random.chance(0.45)) {
        start += BLOCK;
        continue;
      }
      const end = Math.min(start + random.between(1, 4) * BLOCK, CLOSES);
      const people = random.between(2, capacity);
      for (let i = 0; i < people; i++) {
        // All have left before the next meeting's first come: 4 minutes apart.
        const comes = random.around(start + 2 * MINUTE, MINUTE);
        const goes = random.around(end - 5 * MINUTE, MINUTE);
        stay(passages, comes, goes);
      }
      start = end;
    }
    for (let i = random.below(VISITS); i > 0; i--) {
      const comes = random.around(13 * HOUR, 2.5 * HOUR);
      stay(passages, comes, comes + random.around(6 * MINUTE, 1.5 * MINUTE));
    }
    return passages.sort((a, b) => a.at - b.at || b.change - a.change);
  }
}

/** One comes, and goes again. */
function stay(passages: Passage[], comes: number, goes: number): void {
  const from = Math.round(comes / SECOND);
  passages.push(
    { at: from, change: 1 },
    { at: Math.max(from, Math.round(goes / SECOND)), change: -1 },
  );
}
