import type { Rows } from "../../../client/mod.ts";
import { CliError } from "../../exit.ts";
import { printError } from "../../terminal/output.ts";
import { plural } from "../../terminal/render.ts";

/** Bad rows that are named; more are counted. */
const MAX_NAMED = 20;

/** What a file is called when a person is told of it. */
export function nameOf(file: string): string {
  return file === "-" ? "standard input" : file;
}

/** Tells a person of the rows that could not be used. */
export class BadRows {
  /** How many there were. */
  count = 0;
  readonly #file: string;
  #named = 0;

  constructor(file: string) {
    this.#file = nameOf(file);
  }

  /**
   * Names the bad ones among the rows.
   *
   * @throws {CliError} if there is one and `strict` is set
   */
  note(rows: Rows, strict: boolean): void {
    this.count += rows.skipped;
    for (const { line, message } of rows.bad) {
      const where = line === undefined ? "" : ` row ${line}`;
      if (strict) {
        throw new CliError(`Stopped at ${this.#file}${where}: ${message}`, {
          hint:
            "The rows before it have been sent. Without --strict it is skipped.",
        });
      }
      if (this.#named++ < MAX_NAMED) {
        printError(`Skipped ${this.#file}${where}: ${message}`);
      }
    }
  }

  /** Says how many there were, if not all were named. */
  summarise(): void {
    if (this.count > Math.min(this.#named, MAX_NAMED)) {
      printError(
        `Skipped ${plural(this.count, "row")} of ${this.#file} in all`,
      );
    }
  }
}
