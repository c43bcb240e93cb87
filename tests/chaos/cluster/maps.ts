/**
 * Reads the maps of servers, and compares them with each other and with what
 * was sent.
 *
 * @module
 */
import type { Model } from "../../grid/model.ts";
import type { Planned, Workload } from "../workload.ts";

/** A layer as a server shows it. */
export interface LayerMap {
  readonly revision: number;
  readonly began: number | undefined;
  /** Value and time by `x,y`. */
  readonly cells: ReadonlyMap<string, readonly [value: number, time: number]>;
}

/** Reads a layer through the HTTP API of a server. */
export async function readLayer(
  url: string,
  layer: string,
  since?: number,
): Promise<LayerMap> {
  const query = new URLSearchParams({ layer });
  if (since !== undefined) query.set("since", String(since));
  const response = await fetch(`${url}api/v1/cells?${query}`, {
    signal: AbortSignal.timeout(10_000),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`${url}: ${JSON.stringify(body)}`);
  return {
    revision: body.revision,
    began: body.began,
    cells: new Map(
      body.cells.map(([x, y, value, time]: number[]) => [
        `${x},${y}`,
        [value!, time!],
      ]),
    ),
  };
}

/**
 * Returns a layer of the model of its shard.
 *
 * @param since only the cells that have changed after this revision
 */
export function layerOfModel(
  models: readonly Model[],
  layer: string,
  since = -1,
): LayerMap {
  const model = models.find(({ layers }) => layers.has(layer));
  if (model === undefined) {
    return { revision: 0, began: undefined, cells: new Map() };
  }
  const cells = model.cells(layer).filter(({ revision }) => revision > since);
  return {
    revision: model.revision,
    began: model.began,
    cells: new Map(
      cells.map(({ x, y, value, time }) => [`${x},${y}`, [value, time]]),
    ),
  };
}

/**
 * Returns the differences of two maps of a layer, at most a few, as text.
 *
 * @param names of the two
 */
export function differences(
  one: LayerMap,
  other: LayerMap,
  names: string,
): string[] {
  const found: string[] = [];
  for (const key of ["revision", "began"] as const) {
    if (one[key] !== other[key]) {
      found.push(`${names}: ${key} ${one[key]} and ${other[key]}`);
    }
  }
  for (const cell of new Set([...one.cells.keys(), ...other.cells.keys()])) {
    const [a, b] = [one.cells.get(cell), other.cells.get(cell)];
    if (a?.[0] !== b?.[0] || a?.[1] !== b?.[1]) {
      found.push(`${names}: ${cell} is ${a} and ${b}`);
    }
  }
  return found;
}

/**
 * Compares a layer with the readings that were acknowledged. Messages of one
 * publisher reach several servers, so of readings without a time any one sent
 * for the cell may be the last.
 */
export function checkLayer(
  { expected, publishers }: Workload,
  { cells }: LayerMap,
): { lost: string[]; invented: string[] } {
  const sent = new Map<string, Map<number, Planned>>();
  for (const { readings } of publishers.flat()) {
    for (const reading of readings) {
      const cell = `${reading.x},${reading.y}`;
      if (!sent.has(cell)) sent.set(cell, new Map());
      sent.get(cell)!.set(reading.value, reading);
    }
  }
  const invented = [...cells].filter(([cell, [value, time]]) => {
    const reading = sent.get(cell)?.get(value);
    return reading === undefined ||
      (reading.time !== undefined && reading.time !== time);
  }).map(([cell, [value]]) => `${cell}=${value}`);
  const lost = [...expected].filter(([cell, { value, time }]) => {
    const shown = cells.get(cell);
    return shown === undefined || (time !== undefined && shown[0] !== value);
  }).map(([cell, { value }]) => `${cell}=${value}`);
  return { lost, invented };
}
