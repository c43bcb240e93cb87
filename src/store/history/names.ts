/**
 * The numbers of layers, tiles and zones in the tables of the history.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreError } from "../store_error.ts";
import { MAX_LAYERS, MAX_TILES, TILES_OF_LAYER } from "./schema.ts";

/** More known tiles than this are forgotten and looked up again: 16 MB. */
const MAX_CACHED_TILES = 200_000;
/** Tile coordinates have 27 bits: `tx` and `ty` are unique as one number. */
const TX_FACTOR = 2 ** 27;

/** The known tiles of a layer. */
interface LayerTiles {
  readonly id: number;
  /** Keys of tiles by coordinates. */
  readonly keys: Map<number, number>;
  /** The key of the next new tile; undefined if it is not known. */
  next?: number;
}

/** Looks up numbers and makes new ones. What it remembers can be dropped. */
export class HistoryNames {
  readonly #layers = new Map<string, LayerTiles>();
  readonly #zones = new Map<string, { id: number; layer: string }>();
  #cachedTiles = 0;
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
    this.#cachedTiles = 0;
  }

  /** Returns the number of a layer; undefined if it has no history. */
  layer(name: string): number | undefined {
    return this.#layer(name)?.id;
  }

  /** Returns the key of a tile; undefined if it has no history. */
  tile(layer: string, tx: number, ty: number): number | undefined {
    const tiles = this.#layer(layer);
    if (tiles === undefined) return undefined;
    const at = tx * TX_FACTOR + ty;
    const known = tiles.keys.get(at);
    if (known !== undefined) return known;
    const row = this.#findTile.get(tiles.id, tx, ty);
    return row && this.#keep(tiles, at, Number(row.id));
  }

  /** Returns the key of a tile, which may be new. */
  ensureTile(layer: string, tx: number, ty: number): number {
    const known = this.tile(layer, tx, ty);
    if (known !== undefined) return known;
    const tiles = this.#layer(layer) ?? this.#newLayer(layer);
    const first = tiles.id * TILES_OF_LAYER;
    const end = first + MAX_TILES;
    tiles.next ??= Number(this.#lastTile.get(first, end)!.last ?? first - 1) +
      1;
    if (tiles.next >= end) throw fullError(`of tiles of the layer ${layer}`);
    const key = tiles.next++;
    this.#addTile.run(key, tiles.id, tx, ty);
    return this.#keep(tiles, tx * TX_FACTOR + ty, key);
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

  #layer(name: string): LayerTiles | undefined {
    const known = this.#layers.get(name);
    if (known !== undefined) return known;
    const row = this.#findLayer.get(name);
    return row && this.#keepLayer(name, Number(row.id));
  }

  #newLayer(name: string): LayerTiles {
    this.#addLayer.run(name);
    const tiles = this.#layer(name)!;
    if (tiles.id > MAX_LAYERS) throw fullError("of layers");
    return tiles;
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

  #keepLayer(name: string, id: number): LayerTiles {
    const tiles: LayerTiles = { id, keys: new Map() };
    this.#layers.set(name, tiles);
    return tiles;
  }

  #keep(tiles: LayerTiles, at: number, key: number): number {
    if (this.#cachedTiles >= MAX_CACHED_TILES) {
      for (const { keys } of this.#layers.values()) keys.clear();
      this.#cachedTiles = 0;
    }
    tiles.keys.set(at, key);
    this.#cachedTiles++;
    return key;
  }
}

function fullError(what: string): StoreError {
  return new StoreError(`The history has the highest number ${what}`, {
    hint: "Delete layers that are not used, with their history.",
  });
}
