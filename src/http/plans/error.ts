import { AppError } from "../../common/errors.ts";

/** A map file, or a file that it names, cannot be used. */
export class PlanError extends AppError {
  override readonly name = "PlanError";
  declare readonly hint: string;

  /**
   * @param message what is wrong, for people
   * @param hint what to do about it
   * @param cause the error that caused this one
   */
  constructor(message: string, hint: string, cause?: unknown) {
    super("bad-plan", message, { hint, cause });
  }
}
