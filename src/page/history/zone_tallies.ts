/**
 * Counts the cells of zones, updated with each change of a cell.
 *
 * @module
 */

import type { CellTable } from "../../grid/cell_table.ts";
import type { ZoneState } from "../../zones/zone_state.ts";
import type { ZoneDefinition } from "../zones/zone_definitions.ts";
import { contains, type ZoneShape } from "../zones/zone_shapes.ts";

/** The state of a cell; undefined: it was not reported. */
export interface CellState {
  readonly value: number;
  readonly stale: boolean;
}

interface Tally {
  readonly shape: ZoneShape;
  cells: number;
  occupied: number;
  sum: number;
  stale: number;
  unknown: number;
}

/** The counts of the zones of a layer. */
export class ZoneTallies {
  /** The states by name; of zones that have changed, made when asked for. */
  readonly states = new Map<string, ZoneState>();
  readonly #definitions: ReadonlyMap<string, ZoneDefinition>;
  readonly #tallies: Tally[];
  /** The zones of each row of the table. */
  readonly #zonesOfRow: (readonly Tally[])[] = [];
  readonly #changed = new Set<Tally>();
  #isKnown = true;

  /** @param table the cells; all are counted */
  constructor(
    shapes: readonly ZoneShape[],
    definitions: ReadonlyMap<string, ZoneDefinition>,
    table: CellTable,
  ) {
    this.#definitions = definitions;
    this.#tallies = shapes.map((shape) => ({
      shape,
      ...{ cells: 0, occupied: 0, sum: 0, stale: 0, unknown: 0 },
    }));
    for (const tally of this.#tallies) {
      this.#changed.add(tally);
      this.#addRows(tally, table);
    }
    for (let row = 0; row < table.length; row++) {
      const state = {
        value: table.value[row]!,
        stale: table.stale[row] === 1,
      };
      for (const tally of this.#zonesOfRow[row] ?? []) count(tally, state, 1);
    }
  }

  /** Takes the change of a cell. */
  change(
    row: number,
    table: CellTable,
    before: CellState | undefined,
    after: CellState,
  ): void {
    if (before === undefined) {
      const [x, y] = [table.x[row]! + 0.5, table.y[row]! + 0.5];
      this.#zonesOfRow[row] = this.#tallies.filter(({ shape }) =>
        contains(shape, x, y)
      );
    }
    for (const tally of this.#zonesOfRow[row] ?? NO_TALLIES) {
      if (before !== undefined) count(tally, before, -1);
      count(tally, after, 1);
      this.#changed.add(tally);
    }
  }

  /** Whether anything was recorded at the time: else all zones are unknown. */
  set isKnown(isKnown: boolean) {
    if (isKnown === this.#isKnown) return;
    this.#isKnown = isKnown;
    for (const tally of this.#tallies) this.#changed.add(tally);
  }

  /**
   * Updates the states.
   *
   * @param time ms since 1970
   * @returns the names of the zones that have changed since the last call
   */
  update(time: number): ReadonlySet<string> {
    const names = new Set<string>();
    for (const tally of this.#changed) {
      const { name } = tally.shape;
      const definition = this.#definitions.get(name);
      if (definition === undefined) continue;
      names.add(name);
      this.states.set(name, stateOf(definition, tally, this.#isKnown, time));
    }
    this.#changed.clear();
    return names;
  }

  /** Finds the cells of a zone: by coordinates or by rows, what is less. */
  #addRows(tally: Tally, table: CellTable): void {
    const { shape } = tally;
    const [x0, y0, x1, y1] = shape.box.map(Math.floor) as [
      ...[number, number, number, number],
    ];
    const add = (row: number) => {
      const rest = this.#zonesOfRow[row];
      this.#zonesOfRow[row] = rest === undefined ? [tally] : [...rest, tally];
    };
    if ((x1 - x0 + 1) * (y1 - y0 + 1) < table.length) {
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          if (!contains(shape, x + 0.5, y + 0.5)) continue;
          const row = table.find(x, y);
          if (row >= 0) add(row);
        }
      }
      return;
    }
    const { length, x, y } = table;
    for (let row = 0; row < length; row++) {
      if (contains(shape, x[row]! + 0.5, y[row]! + 0.5)) add(row);
    }
  }
}

const NO_TALLIES: readonly Tally[] = [];

function count(tally: Tally, { value, stale }: CellState, by: 1 | -1): void {
  tally.cells += by;
  if (value < 0) tally.unknown += by;
  else if (stale) tally.stale += by;
  else if (value > 0) {
    tally.occupied += by;
    tally.sum += by * value;
  }
}

function stateOf(
  { name, title, layer, capacity }: ZoneDefinition,
  { cells, occupied, sum, stale, unknown }: Tally,
  isKnown: boolean,
  time: number,
): ZoneState {
  const nothing = !isKnown || cells === stale + unknown;
  const percent = capacity !== undefined
    ? 100 * sum / capacity
    : cells === 0
    ? 0
    : 100 * occupied / cells;
  return {
    ...{ zone: name, title, layer, capacity, cells },
    occupied: nothing ? null : occupied > 0,
    count: nothing ? 0 : sum,
    certain: isKnown && cells > 0 && stale + unknown === 0,
    percent: nothing ? null : Math.round(10 * percent) / 10,
    occupiedCells: nothing ? 0 : occupied,
    staleCells: isKnown ? stale : 0,
    unknownCells: isKnown ? unknown : cells,
    ...{ since: time, time, revision: 0 },
  };
}
