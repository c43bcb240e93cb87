/**
 * Undo and redo: a bounded stack of states that are never changed.
 *
 * @module
 */

/** Steps that can be undone. */
const MAX_STEPS = 100;

/** A state, and the command that led to it. */
interface Step<State> {
  readonly state: State;
  /** Such as `Move corner`; empty for the first. */
  readonly label: string;
  /** See {@linkcode UndoStack.push}. */
  readonly mergeKey: string | undefined;
}

/** The states before and after the present one. */
export class UndoStack<State> {
  readonly #maxSteps: number;
  #steps: Step<State>[];
  #at = 0;

  /**
   * @param state the first
   * @param maxSteps that can be undone; the oldest are forgotten
   */
  constructor(state: State, maxSteps = MAX_STEPS) {
    this.#maxSteps = maxSteps;
    this.#steps = [{ state, label: "", mergeKey: undefined }];
  }

  get state(): State {
    return this.#steps[this.#at]!.state;
  }

  /** What {@linkcode undo} would undo; undefined for nothing. */
  get undoLabel(): string | undefined {
    return this.#at > 0 ? this.#steps[this.#at]!.label : undefined;
  }

  /** What {@linkcode redo} would do again; undefined for nothing. */
  get redoLabel(): string | undefined {
    return this.#steps[this.#at + 1]?.label;
  }

  /**
   * Adds a state. What was undone before cannot be done again.
   *
   * @param label of the command
   * @param mergeKey steps with the same key that follow each other are one, as
   * the letters of a text
   */
  push(state: State, label: string, mergeKey?: string): void {
    this.#steps.length = this.#at + 1;
    const isSame = mergeKey !== undefined && this.#at > 0 &&
      this.#steps[this.#at]!.mergeKey === mergeKey;
    if (isSame) this.#steps.pop();
    this.#steps.push({ state, label, mergeKey });
    if (this.#steps.length > this.#maxSteps + 1) this.#steps.shift();
    this.#at = this.#steps.length - 1;
  }

  /** The next state is a step of its own, also with the same merge key. */
  seal(): void {
    const step = this.#steps[this.#at]!;
    this.#steps[this.#at] = { ...step, mergeKey: undefined };
  }

  /** @returns the label of what was undone; undefined if there was nothing */
  undo(): string | undefined {
    const label = this.undoLabel;
    if (label !== undefined) this.#at--;
    this.seal();
    return label;
  }

  /** @returns the label of what was done again; undefined if nothing was */
  redo(): string | undefined {
    const label = this.redoLabel;
    if (label !== undefined) this.#at++;
    return label;
  }

  /** Changes all states, as after another person has saved. */
  map(change: (state: State) => State): void {
    this.#steps = this.#steps.map((step) => ({
      ...step,
      state: change(step.state),
    }));
  }
}
