/// <reference lib="dom" />
/**
 * Saves the zones of a session, and follows what other people save.
 *
 * @module
 */

import { messageOf } from "../../../common/errors.ts";
import type { ZoneStore } from "../zone_store.ts";
import { askConflicts } from "./dialogs.ts";
import { titleOf } from "./draft.ts";
import type { EditorSession } from "./editor_session.ts";

/** Zones whose titles are in a message. */
const MAX_TITLES = 3;

/** Dependencies of {@linkcode ZoneSaving}. */
export interface ZoneSavingOptions {
  readonly session: EditorSession;
  readonly store: ZoneStore;
  /** Why the zones cannot be edited; undefined if they can. */
  readOnly(): string | undefined;
  /** Whether the editor was closed meanwhile. */
  isClosed(): boolean;
  /** Shows the session. */
  update(): void;
  /** Says something to the person. */
  say(text: string): void;
  /** Shows the first zone that is not valid. */
  showProblem(): void;
}

/** Saves, with the questions that this needs. */
export class ZoneSaving {
  readonly #options: ZoneSavingOptions;

  constructor(options: ZoneSavingOptions) {
    this.#options = options;
  }

  /** Saves all changes, after questions if necessary. */
  async save(): Promise<void> {
    const { session, store, readOnly, update, say, showProblem } =
      this.#options;
    const reason = readOnly();
    if (reason !== undefined) return say(reason);
    try {
      const saving = session.save();
      update();
      const outcome = await saving;
      if (outcome === "problems") return showProblem();
      if (outcome === "conflicts") return await this.#askConflicts();
      if (outcome === "saved") void store.reload();
      say(outcome === "saved" ? "Saved." : "There are no changes to save.");
    } catch (error) {
      say(messageOf(error));
    }
  }

  /** Shows what others have saved. */
  async pull(): Promise<void> {
    const { session, store, isClosed, say } = this.#options;
    const { etag } = store.definitions;
    if (session.isSaving || etag === session.etag || isClosed()) return;
    try {
      // False if the store was only slower than this session.
      if (!await session.pull() && session.conflicts.length === 0) return;
    } catch {
      return; // again with the next change, or when this person saves
    }
    if (isClosed()) return;
    const titles = session.conflicts.slice(0, MAX_TITLES)
      .map(({ mine, theirs }) => titleOf((mine ?? theirs)!));
    say(
      titles.length === 0
        ? "Someone else has saved zones; they are shown here."
        : `Someone else has changed ${
          titles.join(", ")
        } too. Save shows both versions.`,
    );
  }

  async #askConflicts(): Promise<void> {
    const { session, update, say } = this.#options;
    update();
    const choices = await askConflicts(session.conflicts);
    if (choices === undefined) {
      return say("Nothing was saved. Save asks again.");
    }
    session.resolve(choices);
    await this.save();
  }
}
