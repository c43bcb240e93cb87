/// <reference lib="dom" />
/**
 * The commands of the editor: each changes the draft in one step that can be
 * undone, and says so to screen readers.
 *
 * @module
 */

import { plural } from "../../../common/plural.ts";
import type { Polygon, Position, Ring, Zone } from "../../../zones/zone.ts";
import { announce } from "../../elements/dom.ts";
import {
  type Draft,
  findZone,
  newDraft,
  replaceZone,
  titleOf,
  withNewId,
  type ZoneDraft,
  type ZoneFields,
} from "./draft.ts";
import type { EditorSession } from "./editor_session.ts";
import { importZones } from "./import_zones.ts";
import {
  addCorner,
  addHole,
  boxOf,
  type CornerPath,
  cornersOf,
  moveCorner,
  positionOf,
  removeCorner,
  removeRing,
  translate,
} from "./shapes.ts";
import { cornerTitle } from "./zone_form.ts";
import { freeName, slugOf } from "./zone_names.ts";

/** What the commands need. */
export interface CommandContext {
  readonly session: EditorSession;
  /** The name of the layer that the map shows. */
  layer(): string;
  /** Called after a change of the draft or of what is selected. */
  onChange(): void;
}

/** The title of zones that are drawn, with a number. */
const NEW_TITLE = "Zone";
/** How far a copy is moved, in cells. */
const COPY_OFFSET = 1;

/** The commands. */
export class EditorCommands {
  readonly #context: CommandContext;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** Selects a zone, and one of its corners; undefined for none. */
  select(key: string | undefined, corner?: CornerPath): void {
    const { session } = this.#context;
    session.select(key, corner);
    this.#context.onChange();
    this.#announceSelection();
  }

  /** Adds a zone with an outline. */
  add(ring: Ring): void {
    const { session } = this.#context;
    const { draft } = session;
    const titles = new Set(draft.map(titleOf));
    const title = freeName(`${NEW_TITLE} 1`, (one) => titles.has(one), " ");
    const zone = newDraft({
      name: this.#freeName(slugOf(title)),
      title,
      layer: this.#context.layer(),
      polygons: [[ring]],
    });
    this.#addZone(zone, "Draw zone");
    announce(`${title} added: ${placeOf(zone)}. Type its title in the form.`);
  }

  /**
   * Cuts a hole into the selected zone.
   *
   * @returns why it cannot be cut; undefined if it was
   */
  addHole(ring: Ring): string | undefined {
    const { zone } = this.#context.session;
    if (zone === undefined) return "Select a zone first, then draw its hole.";
    const polygons = addHole(zone.polygons, ring);
    if (polygons === undefined) {
      return `The hole was not cut: it must be inside of ${titleOf(zone)}.`;
    }
    this.reshape(polygons, "Cut hole", undefined);
    return undefined;
  }

  /** Changes the outline of the selected zone. */
  reshape(
    polygons: readonly Polygon[],
    label: string,
    corner: CornerPath | undefined,
  ): void {
    const { session } = this.#context;
    const { zone } = session;
    if (zone === undefined) return;
    session.commit(
      replaceZone(session.draft, { ...zone, polygons }),
      label,
    );
    session.select(zone.key, corner);
    this.#context.onChange();
    if (corner) this.#announceSelection();
    else {
      const { zone: after } = session;
      announce(`${label}: ${titleOf(after!)}, ${placeOf(after!)}`);
    }
  }

  /** Changes properties of the selected zone. Letters in a row are one step. */
  change(fields: Partial<ZoneFields>, label: string): void {
    const { session } = this.#context;
    const { zone } = session;
    if (zone === undefined) return;
    const { title } = fields;
    const follows = title !== undefined && this.#isNamedByTitle(zone);
    const name = follows ? { name: this.#freeName(slugOf(title), zone) } : {};
    session.commit(
      replaceZone(session.draft, {
        ...zone,
        fields: { ...zone.fields, ...fields, ...name },
      }),
      label,
      `${label} ${zone.key}`,
    );
    this.#context.onChange();
  }

  /**
   * Moves the selected corner, or else the selected zone, by cells.
   *
   * @returns false if nothing is selected
   */
  moveBy(dx: number, dy: number): boolean {
    const { session } = this.#context;
    const { zone, corner } = session;
    if (zone === undefined) return false;
    const at = corner && positionOf(zone.polygons, corner);
    const polygons = corner && at
      ? moveCorner(zone.polygons, corner, [at[0] + dx, at[1] + dy])
      : translate(zone.polygons, dx, dy);
    const label = corner ? "Move corner" : "Move zone";
    session.commit(
      replaceZone(session.draft, { ...zone, polygons }),
      label,
      `${label} ${zone.key} ${corner ? Object.values(corner).join() : ""}`,
    );
    this.#context.onChange();
    this.#announceSelection();
    return true;
  }

  /** Moves the selected corner to a position. */
  moveCornerTo(to: Position): void {
    const { zone, corner } = this.#context.session;
    if (zone === undefined || corner === undefined) return;
    const polygons = moveCorner(zone.polygons, corner, to);
    this.reshape(polygons, "Move corner", corner);
  }

  /** Selects the next or previous corner. @returns false after the last one */
  stepCorner(step: 1 | -1): boolean {
    const { zone, corner } = this.#context.session;
    if (zone === undefined) return false;
    const all = cornersOf(zone.polygons);
    const from = corner === undefined
      ? step === 1 ? -1 : all.length
      : all.findIndex((one) => isSamePath(one, corner));
    const next = all[from + step];
    // The focus then leaves the map, as it does without a selected zone.
    this.select(zone.key, next);
    return next !== undefined;
  }

  /** Selects the next or previous of some zones. */
  stepZone(zones: readonly ZoneDraft[], step: 1 | -1): ZoneDraft | undefined {
    const { zone } = this.#context.session;
    const from = zones.findIndex(({ key }) => key === zone?.key);
    const first = step === 1 ? 0 : zones.length - 1;
    const next = from < 0
      ? zones[first]
      : zones[(from + step + zones.length) % zones.length];
    if (next) this.select(next.key);
    return next;
  }

  /** Adds a corner after the selected one. @returns false without one */
  addCorner(): boolean {
    const { zone, corner } = this.#context.session;
    if (zone === undefined || corner === undefined) return false;
    const next = { ...corner, corner: corner.corner + 1 };
    this.reshape(addCorner(zone.polygons, corner), "Add corner", next);
    return true;
  }

  /** Removes the selected corner. @returns false without one */
  removeCorner(): boolean {
    const { zone, corner } = this.#context.session;
    if (zone === undefined || corner === undefined) return false;
    const polygons = removeCorner(zone.polygons, corner);
    if (polygons === undefined) {
      announce("A zone needs at least three corners.");
      return true;
    }
    const before = cornersOf(polygons).findLast((one) =>
      one.polygon === corner.polygon && one.ring === corner.ring &&
      one.corner < Math.max(1, corner.corner)
    );
    this.reshape(polygons, "Remove corner", before);
    return true;
  }

  /** Removes the hole of the selected corner. */
  removeHole(): void {
    const { zone, corner } = this.#context.session;
    if (zone === undefined || corner === undefined || corner.ring === 0) return;
    this.reshape(removeRing(zone.polygons, corner)!, "Remove hole", undefined);
  }

  /** Copies the selected zone beside itself. @returns false without one */
  copy(): boolean {
    const { session } = this.#context;
    const { zone } = session;
    if (zone === undefined) return false;
    const titles = new Set(session.draft.map(titleOf));
    const title = freeName(titleOf(zone), (one) => titles.has(one), " ");
    const { x0, x1 } = boxOf(zone.polygons);
    const copy = withNewId({
      ...zone,
      fields: {
        ...zone.fields,
        title: zone.fields.title === "" ? "" : title,
        name: this.#freeName(zone.fields.name),
      },
      polygons: translate(zone.polygons, Math.ceil(x1 - x0) + COPY_OFFSET, 0),
    });
    this.#addZone(copy, "Copy zone");
    announce(`${titleOf(copy)} added: ${placeOf(copy)}`);
    return true;
  }

  /** Deletes the selected zone. @returns false without one */
  removeZone(): boolean {
    const { session } = this.#context;
    const { zone } = session;
    if (zone === undefined) return false;
    session.commit(
      session.draft.filter(({ key }) => key !== zone.key),
      "Delete zone",
    );
    session.select(undefined);
    this.#context.onChange();
    announce(`${titleOf(zone)} deleted. Undo brings it back.`);
    return true;
  }

  /** Adds the zones of a file. @returns what was done, for people */
  import(zones: readonly Zone[]): string {
    const { session } = this.#context;
    const result = importZones(session.draft, zones);
    session.commit(result.draft, "Import zones");
    const here = result.keys.find((key) =>
      findZone(result.draft, key)?.fields.layer === this.#context.layer()
    );
    session.select(here);
    this.#context.onChange();
    const layers = new Set(zones.map(({ layer }) => layer));
    layers.delete(this.#context.layer());
    const elsewhere = layers.size === 0
      ? ""
      : ` Some are in other layers: ${[...layers].slice(0, 5).join(", ")}.`;
    return `${
      plural(zones.length, "zone")
    } imported: ${result.added} new, ${result.replaced} replaced.${elsewhere} Save keeps them.`;
  }

  /** @returns false if there was nothing to undo */
  undo(): boolean {
    const label = this.#context.session.undo();
    return this.#afterUndo(label && `Undone: ${label.toLowerCase()}`);
  }

  /** @returns false if there was nothing to do again */
  redo(): boolean {
    const label = this.#context.session.redo();
    return this.#afterUndo(label && `Done again: ${label.toLowerCase()}`);
  }

  #afterUndo(text: string | undefined): boolean {
    announce(text ?? "Nothing to undo or redo");
    if (text !== undefined) this.#context.onChange();
    return text !== undefined;
  }

  #addZone(zone: ZoneDraft, label: string): void {
    const { session } = this.#context;
    session.select(zone.key);
    session.commit([...session.draft, zone], label);
    this.#context.onChange();
  }

  /** Whether the name of a new zone is still the one made of its title. */
  #isNamedByTitle(zone: ZoneDraft): boolean {
    const { session } = this.#context;
    return session.changes.added.has(zone.key) &&
      zone.fields.name === this.#freeName(slugOf(zone.fields.title), zone);
  }

  /** @param except whose own name is free */
  #freeName(wanted: string, except?: ZoneDraft): string {
    const draft: Draft = this.#context.session.draft;
    const names = new Set(
      draft.filter(({ key }) => key !== except?.key)
        .map(({ fields }) => fields.name),
    );
    return freeName(wanted, (name) => names.has(name));
  }

  #announceSelection(): void {
    const { zone, corner, problems } = this.#context.session;
    if (zone === undefined) return announce("No zone selected");
    const all = problems.get(zone.key) ?? [];
    const problem = all.length === 0 ? "" : `. Not valid: ${all[0]!.text}`;
    if (corner === undefined) {
      return announce(`${titleOf(zone)}, ${placeOf(zone)}${problem}`);
    }
    const [x, y] = positionOf(zone.polygons, corner)!;
    const title = cornerTitle(zone.polygons, corner);
    announce(`${title}: x ${x}, y ${y}${problem}`);
  }
}

/** Where a zone is, in words. */
function placeOf({ polygons }: ZoneDraft): string {
  const { x0, y0, x1, y1 } = boxOf(polygons);
  return `x ${x0} to ${x1}, y ${y0} to ${y1}`;
}

function isSamePath(a: CornerPath, b: CornerPath): boolean {
  return a.polygon === b.polygon && a.ring === b.ring && a.corner === b.corner;
}
