/**
 * The changes of some time, for a replay.
 *
 * @module
 */
import type { WaitingWork, Work } from "../../../common/turns.ts";
import { TILE_CELLS, xOf, yOf } from "../../../grid/tiles.ts";
import type {
  ChangesQuery,
  PastCells,
  PastChanges,
} from "../../../history/answers.ts";
import { hourOf, startOf } from "../../../history/hour.ts";
import { TileChanges } from "../../../history/tile_changes.ts";
import { TileFrame } from "../../../history/tile_frame.ts";
import type { TileAddress } from "../tile_reader.ts";
import {
  type AskedTime,
  checkReplay,
  MAX_CHANGES,
  tooManyChanges,
} from "./checks.ts";
import { newCells, pushState } from "./map_at.ts";
import { cellsOfRegion, PastCellsWriter } from "./past_cells.ts";
import { inMs, type Question } from "./question.ts";

/** Changes that are sorted in one step: about a millisecond. */
const SORTED_PER_STEP = 50_000;

/** Reads changes, and the map before them, in steps of a tile. */
export function* changes(
  question: Question,
  { layer, region, from, to }: ChangesQuery,
): WaitingWork<PastChanges> {
  const asked = checkReplay({ from, to }, question.recorded);
  const cells = newCells();
  const tileChanges = new TileReplay(question, asked, region);
  const tiles = question.tiles(layer, region);
  for (let tile; (tile = yield* tiles.next()) !== undefined;) {
    yield* tileChanges.readStart(tile);
    pushState(cells, tileChanges.state, tile.tx, tile.ty, region);
    yield* tileChanges.readChanges(tile);
    yield;
  }
  const { damaged } = question;
  const moment = { from: asked.from, to: asked.from + 1 };
  return {
    layer,
    from,
    to,
    start: {
      layer,
      at: from,
      gap: question.gaps(moment).length > 0,
      ...(damaged !== undefined && { damaged: true }),
      cells: cells.finish(),
    },
    changes: yield* sortBySecond(tileChanges.changes.finish(), asked),
    gaps: inMs(question.gaps(asked)),
    ...(damaged !== undefined && { damaged }),
  };
}

/** Reads one tile after the other. */
class TileReplay {
  /** The state of the tile, first at the begin of the time. */
  readonly state = new TileFrame();
  /** What has changed after that, of all tiles. */
  readonly changes = new PastCellsWriter(MAX_CHANGES, tooManyChanges);
  readonly #question: Question;
  readonly #time: AskedTime;
  readonly #region: ChangesQuery["region"];
  readonly #ofHour = new TileChanges();
  readonly #isInRegion = new Uint8Array(TILE_CELLS);

  /** @param time changes in its first second are in the state before */
  constructor(
    question: Question,
    time: AskedTime,
    region: ChangesQuery["region"],
  ) {
    this.#question = question;
    this.#time = time;
    this.#region = region;
  }

  *readStart(tile: TileAddress): WaitingWork<void> {
    const { reader } = this.#question;
    const damaged = yield* reader.stateAt(tile, this.#time.from, this.state);
    this.#question.noteDamagedHour(damaged);
  }

  *readChanges(tile: TileAddress): WaitingWork<void> {
    const { from, to } = this.#time;
    const { tx, ty } = tile;
    const inRegion = cellsOfRegion(this.#region, tx, ty, this.#isInRegion);
    for (let hour = hourOf(from); hour <= hourOf(to - 1); hour++) {
      const { reader } = this.#question;
      if (yield* reader.readChanges(tile, hour, this.#ofHour)) {
        this.#push(tile, inRegion);
      } else if (startOf(hour) > from) this.#forget(tile, hour, inRegion);
    }
  }

  #push({ tx, ty }: TileAddress, inRegion: Uint8Array | undefined): void {
    const { has, value, stale } = this.state;
    const { from, to } = this.#time;
    const { length, ...columns } = this.#ofHour;
    for (let i = 0; i < length; i++) {
      const second = columns.second[i]!;
      if (second <= from || second >= to) continue;
      const key = columns.key[i]!;
      const [v, s] = [columns.value[i]!, columns.stale[i]!];
      if (has[key] === 1 && value[key] === v && stale[key] === s) continue;
      has[key] = 1;
      value[key] = v;
      stale[key] = s;
      if (inRegion?.[key] === 0) continue;
      this.changes.push(xOf(tx, key), yOf(ty, key), v, s, second * 1000);
    }
  }

  /** All cells become unknown, because changes are missing. */
  #forget(
    { tx, ty }: TileAddress,
    hour: number,
    inRegion: Uint8Array | undefined,
  ): void {
    const { state } = this;
    this.#question.noteDamagedHour(hour);
    for (let key = 0; key < TILE_CELLS; key++) {
      if (state.has[key] === 0 || state.value[key]! < 0) continue;
      if (inRegion?.[key] === 0) continue;
      const time = startOf(hour) * 1000;
      this.changes.push(xOf(tx, key), yOf(ty, key), -1, 0, time);
    }
    state.forget(startOf(hour));
  }
}

/** Sorts changes by time; those of one second stay in order. */
function* sortBySecond(
  unsorted: PastCells,
  { from, to }: AskedTime,
): Work<PastCells> {
  const { length } = unsorted;
  const sorted = {
    length,
    x: new Int32Array(length),
    y: new Int32Array(length),
    value: new Int32Array(length),
    stale: new Uint8Array(length),
    since: new Float64Array(length),
  };
  const next = new Uint32Array(to - from + 1);
  for (let i = 0; i < length; i++) {
    next[unsorted.since[i]! / 1000 - from + 1]!++;
    if (i % SORTED_PER_STEP === SORTED_PER_STEP - 1) yield;
  }
  for (let i = 1; i < next.length; i++) next[i]! += next[i - 1]!;
  for (let i = 0; i < length; i++) {
    const at = next[unsorted.since[i]! / 1000 - from]!++;
    sorted.x[at] = unsorted.x[i]!;
    sorted.y[at] = unsorted.y[i]!;
    sorted.value[at] = unsorted.value[i]!;
    sorted.stale[at] = unsorted.stale[i]!;
    sorted.since[at] = unsorted.since[i]!;
    if (i % SORTED_PER_STEP === SORTED_PER_STEP - 1) yield;
  }
  return sorted;
}
