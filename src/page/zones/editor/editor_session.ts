/**
 * What is edited, and against which saved zones: undo, changes, problems, save,
 * and the merge with what others have saved meanwhile. Without a page.
 *
 * @module
 */

import {
  changesOf,
  type Draft,
  type DraftChanges,
  findZone,
  isSameDraft,
  type ZoneDraft,
} from "./draft.ts";
import { type Choice, type Conflict, mergeDrafts } from "./merge.ts";
import { problemsOfAll, type ZoneProblem } from "./problems.ts";
import { type CornerPath, positionOf } from "./shapes.ts";
import { UndoStack } from "./undo_stack.ts";
import type { SavedZones } from "./zones_api.ts";

/** Other people may save again while changes are merged. */
const MAX_ATTEMPTS = 5;

/** Where zones are loaded from and saved to. */
export interface ZonesApi {
  /** See {@linkcode loadZones}. */
  load(): Promise<SavedZones>;
  /** See {@linkcode saveZones}. */
  save(
    draft: Draft,
    etag: string,
  ): Promise<{ readonly etag: string } | "changed">;
}

/** How an attempt to save ended. */
export type SaveOutcome =
  | "saved"
  /** There is nothing to save. */
  | "nothing"
  /** Zones are not valid. */
  | "problems"
  /** Others have changed the same zones: {@linkcode EditorSession.conflicts}. */
  | "conflicts";

/** A draft, and what was selected. */
interface EditState {
  readonly draft: Draft;
  readonly selected: string | undefined;
}

/** One session of editing. */
export class EditorSession {
  readonly #api: ZonesApi;
  readonly #stack: UndoStack<EditState>;
  #saved: SavedZones;
  #selected: string | undefined;
  #corner: CornerPath | undefined;
  /** What others have saved, if it conflicts with the draft. */
  #theirs: SavedZones | undefined;
  #conflicts: readonly Conflict[] = [];
  #saving: Promise<SaveOutcome> | undefined;
  #changes: { readonly of: Draft; readonly changes: DraftChanges } | undefined;
  #problems:
    | {
      readonly of: Draft;
      readonly problems: ReadonlyMap<string, readonly ZoneProblem[]>;
    }
    | undefined;

  constructor(saved: SavedZones, api: ZonesApi) {
    this.#saved = saved;
    this.#api = api;
    this.#stack = new UndoStack<EditState>({
      draft: saved.draft,
      selected: undefined,
    });
  }

  get draft(): Draft {
    return this.#stack.state.draft;
  }

  /** The zones as they are saved. */
  get saved(): Draft {
    return this.#saved.draft;
  }

  /** Of the saved zones. */
  get etag(): string {
    return this.#saved.etag;
  }

  /** The selected zone. */
  get zone(): ZoneDraft | undefined {
    return findZone(this.draft, this.#selected);
  }

  /** The selected corner of the selected zone. */
  get corner(): CornerPath | undefined {
    const { zone } = this;
    return zone && this.#corner && positionOf(zone.polygons, this.#corner)
      ? this.#corner
      : undefined;
  }

  /** How the draft differs from what is saved. */
  get changes(): DraftChanges {
    if (this.#changes?.of !== this.draft) {
      const changes = changesOf(this.#saved.draft, this.draft);
      this.#changes = { of: this.draft, changes };
    }
    return this.#changes.changes;
  }

  /** The problems of zones, by key. Zones that are not edited have none. */
  get problems(): ReadonlyMap<string, readonly ZoneProblem[]> {
    if (this.#problems?.of !== this.draft) {
      this.#problems = { of: this.draft, problems: problemsOfAll(this.draft) };
    }
    return this.#problems.problems;
  }

  /** Zones that others have changed too; empty if there are none. */
  get conflicts(): readonly Conflict[] {
    return this.#conflicts;
  }

  get undoLabel(): string | undefined {
    return this.#stack.undoLabel;
  }

  get redoLabel(): string | undefined {
    return this.#stack.redoLabel;
  }

  /** Selects a zone and one of its corners; undefined for none. */
  select(key: string | undefined, corner?: CornerPath): void {
    if (key !== this.#selected) this.#stack.seal();
    this.#selected = key;
    this.#corner = corner;
  }

  /**
   * Changes the draft: a step that can be undone.
   *
   * @param label of the step, such as `Move corner`
   * @param mergeKey see {@linkcode UndoStack.push}
   */
  commit(draft: Draft, label: string, mergeKey?: string): void {
    this.#stack.push({ draft, selected: this.#selected }, label, mergeKey);
  }

  /** The next change is a step of its own. */
  seal(): void {
    this.#stack.seal();
  }

  /** @returns the label of what was undone; undefined if there was nothing */
  undo(): string | undefined {
    const { selected } = this.#stack.state;
    const label = this.#stack.undo();
    if (label !== undefined) this.#reselect(selected);
    return label;
  }

  /** @returns the label of what was done again; undefined if nothing was */
  redo(): string | undefined {
    const label = this.#stack.redo();
    if (label !== undefined) this.#reselect(this.#stack.state.selected);
    return label;
  }

  /**
   * Saves all changes, or none. Changes of others in other zones are merged.
   *
   * @throws {ZonesApiError} rejects with it if the server refuses them or does
   * not answer
   */
  save(): Promise<SaveOutcome> {
    this.#saving ??= this.#save().finally(() => this.#saving = undefined);
    return this.#saving;
  }

  /** Whether changes are being saved. */
  get isSaving(): boolean {
    return this.#saving !== undefined;
  }

  /**
   * Loads what others have saved, and merges it unless there are conflicts.
   *
   * @returns whether the draft has changed
   */
  async pull(): Promise<boolean> {
    const theirs = await this.#api.load();
    if (theirs.etag === this.#saved.etag) return false;
    const before = this.draft;
    const { conflicts } = mergeDrafts(this.saved, this.draft, theirs.draft);
    this.#conflicts = conflicts;
    this.#theirs = conflicts.length > 0 ? theirs : undefined;
    if (conflicts.length === 0) this.#rebase(theirs, new Map());
    return this.draft !== before;
  }

  /**
   * Merges what others have saved.
   *
   * @param choices whose version is kept, by key; mine for those without
   */
  resolve(choices: ReadonlyMap<string, Choice>): void {
    const theirs = this.#theirs;
    this.#theirs = undefined;
    this.#conflicts = [];
    if (theirs) this.#rebase(theirs, choices);
  }

  async #save(): Promise<SaveOutcome> {
    for (let attempt = 1;; attempt++) {
      if (this.changes.count === 0) return "nothing";
      if (this.problems.size > 0) return "problems";
      const { draft } = this;
      const result = await this.#api.save(draft, this.#saved.etag);
      if (result !== "changed") {
        this.#saved = { draft, etag: result.etag };
        this.#changes = undefined;
        this.#stack.seal();
        return "saved";
      }
      await this.pull();
      if (this.#conflicts.length > 0 || attempt === MAX_ATTEMPTS) {
        return "conflicts";
      }
    }
  }

  /**
   * Makes the zones of others the saved ones, in all steps: an undo takes back
   * what this person did, not what the others did.
   */
  #rebase(theirs: SavedZones, choices: ReadonlyMap<string, Choice>): void {
    const base = this.saved;
    this.#stack.map((state) => {
      const old = new Map(state.draft.map((zone) => [zone.key, zone]));
      const { draft } = mergeDrafts(base, state.draft, theirs.draft, choices);
      // Zones that are the same keep their identity.
      const keep = (zone: ZoneDraft) => {
        const before = old.get(zone.key);
        return isSameDraft(before, zone) ? before! : zone;
      };
      return { ...state, draft: draft.map(keep) };
    });
    this.#saved = theirs;
    this.#changes = this.#problems = undefined;
    if (this.zone === undefined) this.select(undefined);
  }

  #reselect(key: string | undefined): void {
    if (key !== this.#selected) this.#corner = undefined;
    const { selected } = this.#stack.state;
    this.#selected = [key, selected, this.#selected]
      .find((one) => findZone(this.draft, one) !== undefined);
  }
}
