/**
 * The numbers of layers, tiles and zones in the tables of the history.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { KeyTable } from "../../grid/mod.ts";
import { execute } from "../sqlite_rows.ts";
import { StoreError } from "../store_error.ts";
import { MAX_LAYERS, MAX_TILES, TILES_OF_LAYER } from "./schema.ts";

/** More known tiles than this are forgotten and looked up again: 3 MB. */
const MAX_CACHED_TILES = 1 << 17;

/** A layer that is known. */
interface KnownLayer {
  readonly id: number;
  /** The key of the next new tile; undefined if it is not known. */
  nextTile?: number;
}

/** Looks up numbers and makes new ones. What it remembers can be dropped. */
export class HistoryNames {
  readonly #layers = new Map<string, KnownLayer>();
  readonly #zones = new Map<string, { id: number; layer: string }>();
  /** Layers and coordinates of known tiles. */
  readonly #tiles = new KeyTable();
  /** The numbers of these tiles in their layers. */
  #numbers = new Int32Array(0);
  readonly #findLayer: StatementSync;
  readonly #addLayer: StatementSync;
  readonly #findTile: StatementSync;
  readonly #lastTile: StatementSync;
  readonly #addTile: StatementSync;
  readonly #findZone: StatementSync;
  readonly #putZone: StatementSync;

  constructor(db: DatabaseSync) {
    this.#findLayer = db.prepare("SELECT id FROM history_layer WHERE name = ?");
    // The lowest free number: they do not run out.
    this.#addLayer = db.prepare(
      `INSERT INTO history_layer (id, name)
       SELECT min(free), ?1 FROM (
         SELECT 1 AS free
         WHERE NOT EXISTS (SELECT 1 FROM history_layer WHERE id = 1)
         UNION ALL
         SELECT id + 1 FROM history_layer AS used
         WHERE NOT EXISTS (SELECT 1 FROM history_layer WHERE id = used.id + 1)
       )`,
    );
    this.#findTile = db.prepare(
      "SELECT id FROM history_tile WHERE layer = ? AND tx = ? AND ty = ?",
    );
    this.#lastTile = db.prepare(
      "SELECT max(id) AS last FROM history_tile WHERE id >= ? AND id < ?",
    );
    this.#addTile = db.prepare(
      "INSERT INTO history_tile (id, layer, tx, ty) VALUES (?, ?, ?, ?)",
    );
    this.#findZone = db.prepare(
      "SELECT id, layer FROM history_zone WHERE name = ?",
    );
    this.#putZone = db.prepare(
      `INSERT INTO history_zone (name, layer) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET layer = excluded.layer`,
    );
  }

  /** Forgets what it knows, because rows were deleted or rolled back. */
  clear(): void {
    this.#layers.clear();
    this.#zones.clear();
    this.#tiles.clear();
  }

  /** Returns the number of a layer; undefined if it has no history. */
  layer(name: string): number | undefined {
    return this.#layer(name)?.id;
  }

  /** Returns the key of a tile; undefined if it has no history. */
  tile(layer: string, tx: number, ty: number): number | undefined {
    const id = this.#layer(layer)?.id;
    return id === undefined ? undefined : this.#tile(id, tx, ty);
  }

  /** Returns the key of a tile, which may be new. */
  ensureTile(layer: string, tx: number, ty: number): number {
    const known = this.#layer(layer) ?? this.#newLayer(layer);
    const { id } = known;
    const found = this.#tile(id, tx, ty);
    if (found !== undefined) return found;
    const first = id * TILES_OF_LAYER;
    const end = first + MAX_TILES;
    known.nextTile ??=
      Number(this.#lastTile.get(first, end)!.last ?? first - 1) + 1;
    if (known.nextTile >= end) {
      throw fullError(`of tiles of the layer ${layer}`);
    }
    const key = known.nextTile++;
    execute(this.#addTile, key, id, tx, ty);
    this.#keep(id, tx, ty, key);
    return key;
  }

  /** Returns the number of a zone; undefined if it has no history. */
  zone(name: string): number | undefined {
    return this.#zone(name)?.id;
  }

  /** Returns the number of a zone, which may be new or have another layer. */
  ensureZone(name: string, layer: string): number {
    const known = this.#zone(name);
    if (known?.layer === layer) return known.id;
    this.#putZone.run(name, layer);
    this.#zones.delete(name);
    return this.#zone(name)!.id;
  }

  #layer(name: string): KnownLayer | undefined {
    const known = this.#layers.get(name);
    if (known !== undefined) return known;
    const row = this.#findLayer.get(name);
    if (row === undefined) return undefined;
    const layer = { id: Number(row.id) };
    this.#layers.set(name, layer);
    return layer;
  }

  #tile(layer: number, tx: number, ty: number): number | undefined {
    const at = this.#tiles.find(layer, tx, ty);
    if (at >= 0) return layer * TILES_OF_LAYER + this.#numbers[at]!;
    const row = this.#findTile.get(layer, tx, ty);
    if (row === undefined) return undefined;
    const key = Number(row.id);
    this.#keep(layer, tx, ty, key);
    return key;
  }

  #newLayer(name: string): KnownLayer {
    this.#addLayer.run(name);
    const layer = this.#layer(name)!;
    if (layer.id > MAX_LAYERS) throw fullError("of layers");
    return layer;
  }

  #zone(name: string): { id: number; layer: string } | undefined {
    const known = this.#zones.get(name);
    if (known !== undefined) return known;
    const row = this.#findZone.get(name);
    if (row === undefined) return undefined;
    const zone = { id: Number(row.id), layer: String(row.layer) };
    this.#zones.set(name, zone);
    return zone;
  }

  #keep(layer: number, tx: number, ty: number, key: number): void {
    if (this.#tiles.length >= MAX_CACHED_TILES) this.#tiles.clear();
    const at = this.#tiles.insert(layer, tx, ty);
    if (at >= this.#numbers.length) {
      const numbers = new Int32Array(Math.max(64, 2 * this.#numbers.length));
      numbers.set(this.#numbers);
      this.#numbers = numbers;
    }
    this.#numbers[at] = key % TILES_OF_LAYER;
  }
}

function fullError(what: string): StoreError {
  return new StoreError(`The history has the highest number ${what}`, {
    hint: "Delete layers that are not used, with their history.",
  });
}
