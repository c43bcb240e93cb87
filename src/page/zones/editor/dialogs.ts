/// <reference lib="dom" />
/**
 * The dialogs of the editor: zones that two people have changed, changes that
 * would be lost, and the keys.
 *
 * @module
 */

import { el } from "../../elements/dom.ts";
import { ICONS } from "../../elements/icons.ts";
import { titleOf } from "./draft.ts";
import { createButton, Segments } from "./fields.ts";
import { type Choice, type Conflict, differencesOf } from "./merge.ts";

/**
 * Asks whose version of each zone is kept.
 *
 * @returns the choices by key; undefined if the person wants to look first
 */
export function askConflicts(
  conflicts: readonly Conflict[],
): Promise<ReadonlyMap<string, Choice> | undefined> {
  const choices = new Map<string, Choice>(
    conflicts.map(({ key }) => [key, "mine"]),
  );
  const items = conflicts.map((conflict, index) => {
    const { key, base, mine, theirs } = conflict;
    const name = titleOf((mine ?? theirs ?? base)!);
    const options = new Segments<Choice>(
      `conflict-${index}`,
      `Which version of ${name} to keep`,
      [["mine", "Keep mine"], ["theirs", "Take theirs"]],
      (choice) => choices.set(key, choice),
    );
    options.value = "mine";
    return el(
      "li",
      {},
      el("strong", {}, name),
      el("p", {}, `Mine: ${describe(base, mine)}.`),
      el("p", {}, `Theirs: ${describe(base, theirs)}.`),
      options.element,
    );
  });
  const count = conflicts.length === 1
    ? "a zone that you have changed too"
    : `${conflicts.length} zones that you have changed too`;
  return ask({
    id: "conflict-title",
    title: "Changed by someone else",
    content: [
      el(
        "p",
        {},
        `While you were editing, someone else saved ${count}. Nothing of yours was saved yet. Choose which version to keep:`,
      ),
      el("ul", { class: "conflicts" }, ...items),
    ],
    yes: "Save",
    no: "Not now",
  }).then((yes) => yes ? choices : undefined);
}

/** Says what a side did to a zone. */
function describe(
  base: Conflict["base"],
  side: Conflict["base"],
): string {
  if (side === undefined) return "deleted";
  if (base === undefined) return "added";
  return `changed ${differencesOf(base, side).join(", ")}`;
}

/** Asks whether changes that are not saved may be lost. */
export function askDiscard(count: number): Promise<boolean> {
  const changes = count === 1 ? "1 change is" : `${count} changes are`;
  return ask({
    id: "discard-title",
    title: "Close without saving?",
    content: [el("p", {}, `${changes} not saved and would be lost.`)],
    yes: "Discard changes",
    no: "Keep editing",
    isDanger: true,
  });
}

const KEYS: readonly (readonly [keys: readonly string[], string])[] = [
  [["v"], "Select, move and reshape zones"],
  [["r"], "Draw a rectangle: on the map, or by numbers in the form"],
  [["p"], "Draw a polygon"],
  [["h"], "Cut a hole into the selected zone"],
  [["s"], "Turn snapping on or off"],
  [["Page ↓", "Page ↑"], "Select the next or previous zone"],
  [["Tab", "Shift Tab"], "Select the next or previous corner"],
  [["←", "↑", "→", "↓"], "Move the corner, or the zone, by a cell"],
  [["Shift", "arrows"], "Move it by ten cells"],
  [["Insert"], "Add a corner after the selected one"],
  [["Delete"], "Remove the corner, or the zone"],
  [["Enter"], "Finish a polygon; edit the selected zone in the form"],
  [["Backspace"], "While drawing: remove the last corner"],
  [
    ["Esc"],
    "End drawing, deselect corner, deselect zone; from a form: back to the map",
  ],
  [["Ctrl D"], "Copy the zone"],
  [["Ctrl Z", "Ctrl Y"], "Undo, redo"],
  [["Ctrl S"], "Save"],
];

/** Shows the keys of the editor. */
export function showKeys(): void {
  void ask({
    id: "zone-keys-title",
    title: "Keys of the zone editor",
    content: [
      el(
        "p",
        {},
        "They work while the map has the focus; those with Ctrl everywhere.",
      ),
      el(
        "dl",
        {},
        ...KEYS.flatMap(([keys, action]) => [
          el("dt", {}, ...keys.flatMap((key) => [el("kbd", {}, key), " "])),
          el("dd", {}, action),
        ]),
      ),
    ],
    no: "Close",
  });
}

interface Question {
  readonly id: string;
  readonly title: string;
  readonly content: readonly Node[];
  /** Undefined for a dialog that only says something. */
  readonly yes?: string;
  readonly no: string;
  readonly isDanger?: boolean;
}

/** Shows a dialog. @returns whether the answer is yes */
function ask(question: Question): Promise<boolean> {
  const { id, title, content, yes, no, isDanger = false } = question;
  const before = document.activeElement;
  const close = el("button", {
    type: "button",
    class: "quiet",
    "aria-label": "Close",
  }, ICONS.close());
  const dialog = el(
    "dialog",
    { class: "help zone-dialog", "aria-labelledby": id },
    el("header", {}, el("h2", { id }, title), close),
    ...content,
  );
  return new Promise((resolve) => {
    let answer = false;
    close.addEventListener("click", () => dialog.close());
    const buttons = [
      ...(yes === undefined ? [] : [
        createButton(yes, undefined, () => {
          answer = true;
          dialog.close();
        }, { class: `edit-button ${isDanger ? "danger" : "main"}` }),
      ]),
      createButton(no, undefined, () => dialog.close()),
    ];
    dialog.append(el("div", { class: "buttons" }, ...buttons));
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
    buttons.at(-1)!.focus();
  });
}
