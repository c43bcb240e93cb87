/**
 * Reports the rows that the client skipped and the readings that the server
 * refused.
 */
import type { Rows } from "../../../client/mod.ts";
import { AppError } from "../../../common/errors.ts";
import type { Incoming } from "../../../mqtt/link.ts";
import {
  parseReport,
  ProtocolError,
  type Report,
} from "../../../protocol/mod.ts";
import { printError } from "../../terminal/output.ts";
import { plural } from "../../terminal/render.ts";

/** Bad rows that are printed; more are counted. */
const MAX_PRINTED_ROWS = 20;
/** Reports that are printed; more are counted. */
const MAX_PRINTED_REPORTS = 5;

/** A file's name in messages. */
export function displayName(file: string): string {
  return file === "-" ? "standard input" : file;
}

/** Prints and counts the bad rows of a file. */
export class BadRows {
  /** Number of bad rows so far. */
  count = 0;
  readonly #file: string;
  #printed = 0;

  /** @param file as after `--file` */
  constructor(file: string) {
    this.#file = displayName(file);
  }

  /**
   * Prints the bad rows among these.
   *
   * @throws {AppError} for the first one if `strict`
   */
  add(rows: Rows, strict: boolean): void {
    this.count += rows.skipped;
    for (const { line, message } of rows.bad) {
      const where = line === undefined ? "" : ` row ${line}`;
      if (strict) {
        throw new AppError(
          "bad-row",
          `Stopped at ${this.#file}${where}: ${message}`,
          {
            hint:
              "The rows before it have been sent. Without --strict, bad rows are skipped.",
          },
        );
      }
      if (this.#printed++ < MAX_PRINTED_ROWS) {
        printError(`Skipped ${this.#file}${where}: ${message}`);
      }
    }
  }

  /** Prints the count if not every bad row was printed. */
  printSummary(): void {
    if (this.count > Math.min(this.#printed, MAX_PRINTED_ROWS)) {
      printError(
        `Skipped ${plural(this.count, "row")} of ${this.#file} in total`,
      );
    }
  }
}

/** Options of {@linkcode RefusalReports}. */
export interface RefusalReportsOptions {
  /** Where the server publishes reports (docs/PROTOCOL.md, Reports). */
  readonly errorsTopic: string;
  /** Where the readings are sent. */
  readonly dataTopic: string;
  /** The source of the readings, if all have one. */
  readonly source?: string | undefined;
}

/**
 * Collects the server's reports about refused readings while the client sends.
 *
 * The list can be incomplete, because reports are sent at QoS 0 with a rate
 * limit. A report without a source can be about another client on the same
 * topic.
 */
export class RefusalReports {
  /** Number of refused readings in the reports so far. */
  count = 0;
  readonly #options: RefusalReportsOptions;
  readonly #printable: Report[] = [];
  #reports = 0;

  constructor(options: RefusalReportsOptions) {
    this.#options = options;
  }

  /** Handles a message. @returns true if its topic is that of reports */
  handle({ topic, payload, retain }: Incoming): boolean {
    if (topic !== this.#options.errorsTopic) return false;
    try {
      const report = parseReport(payload);
      if (!retain && this.#mayBeOurs(report)) {
        this.count += report.count;
        if (this.#reports++ < MAX_PRINTED_REPORTS) this.#printable.push(report);
      }
    } catch (error) {
      // Other programs may publish anything there.
      if (!(error instanceof ProtocolError)) throw error;
    }
    return true;
  }

  /** Prints the reports, if there were any. */
  printSummary(): void {
    if (this.count === 0) return;
    const { dataTopic, source } = this.#options;
    const certain = source !== undefined &&
      this.#printable.every((report) => report.source === source);
    const whose = certain
      ? ` of ${source}`
      : ", sent by this client or by another one";
    printError(
      `Warning: the server reports ${
        plural(this.count, "refused reading")
      } on ${dataTopic}${whose}; there may be more:`,
    );
    for (const { code, message, count } of this.#printable) {
      const readings = count > 1 ? `, ${count} readings` : "";
      printError(`  ${message} [${code}]${readings}`);
    }
    const more = this.#reports - this.#printable.length;
    if (more > 0) printError(`  and ${plural(more, "more report")}`);
  }

  #mayBeOurs({ topic, source }: Report): boolean {
    const { dataTopic, source: ours = source } = this.#options;
    return topic === dataTopic && (source === undefined || source === ours);
  }
}
