/** A map file, or what it names, that cannot be used; in words for people. */
export class PlanError extends Error {
  override readonly name = "PlanError";
  /** What to do about it. */
  readonly hint: string;

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }
}
