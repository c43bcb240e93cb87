/**
 * Reports the rows that the client skipped and the readings that the server
 * refused.
 */
import type { Rows } from "../../../client/mod.ts";
import { AppError } from "../../../common/errors.ts";
import { excerpt } from "../../../common/printable.ts";
import type { Incoming } from "../../../mqtt/link.ts";
import {
  parseReport,
  ProtocolError,
  type Report,
} from "../../../protocol/mod.ts";
import { printError } from "../../terminal/output.ts";
import { plural } from "../../../common/plural.ts";

/** Bad rows that are printed; more are counted. */
const MAX_PRINTED_ROWS = 20;
/** Reports that are printed; more are counted. */
const MAX_PRINTED_REPORTS = 5;
/** Of a report, in UTF-16 code units; a longer one is cut. */
const MAX_MESSAGE_LENGTH = 500;

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

  /** @param file the file's name in messages */
  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Prints the bad rows among these.
   *
   * @param hasSent true if readings before them were sent
   * @throws {AppError} for the first one if `strict`
   */
  add(rows: Rows, strict: boolean, hasSent: boolean): void {
    this.count += rows.skipped;
    for (const { line, message } of rows.bad) {
      const where = line === undefined ? "" : ` row ${line}`;
      if (strict) {
        throw new AppError(
          "bad-row",
          `Stopped at ${this.#file}${where}: ${message}`,
          {
            hint: `${
              hasSent ? "The rows before it have been sent" : "Nothing was sent"
            }. Without --strict, bad rows are skipped.`,
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

/**
 * Codes of reports that are never about readings of this client: its payloads
 * have the form of readings.
 */
const MALFORMED = new Set([
  ...["empty", "bad-utf8", "bad-json", "bad-form", "bad-layer"],
  ...["bad-header", "bad-content-type"],
  ...["bad-element", "bad-fields", "line-too-long"],
]);
/** Above this number, a report may be about a reading of any source. */
const MAX_SOURCES = 10_000;

/**
 * Collects the server's reports about refused readings while the client sends.
 *
 * The server reports a reading with its topic and its source. Another client
 * may send readings with the same ones, for example without a source.
 */
export class RefusalReports {
  /** Number of refused readings in the reports so far. */
  count = 0;
  /** False if the client cannot receive reports. */
  isAvailable = true;
  readonly #topic: string;
  /** What the client has sent, by topic; the source "" means none. */
  readonly #sources = new Map<string, Set<string>>();
  readonly #printable: Report[] = [];
  #reports = 0;

  /** @param topic where the server publishes reports */
  constructor(topic: string) {
    this.#topic = topic;
  }

  /** Records what the client sends: other reports are not about it. */
  noteSent(topic: string, source: string): void {
    let sources = this.#sources.get(topic);
    if (sources === undefined) {
      sources = new Set();
      this.#sources.set(topic, sources);
    }
    if (sources.size < MAX_SOURCES) sources.add(source);
  }

  /** Handles a message. @returns true if its topic is that of reports */
  handle({ topic, payload, retain }: Incoming): boolean {
    if (topic !== this.#topic) return false;
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
    const topics = [...new Set(this.#printable.map(({ topic }) => topic))];
    const sources = new Set(this.#printable.map(({ source }) => source));
    const [source] = sources;
    const whose = sources.size === 1 && source !== undefined
      ? ` of ${source}`
      : ", sent by this client or by another one";
    printError(
      `Warning: the server reports ${
        plural(this.count, "refused reading")
      } on ${topics.join(", ")}${whose}; there may be more:`,
    );
    for (const { code, message, count } of this.#printable) {
      const readings = count > 1 ? `, ${count} readings` : "";
      // Any client may have the right to publish reports.
      const what = excerpt(message, MAX_MESSAGE_LENGTH);
      printError(`  ${what} [${excerpt(code)}]${readings}`);
    }
    const more = this.#reports - this.#printable.length;
    if (more > 0) printError(`  and ${plural(more, "more report")}`);
  }

  #mayBeOurs({ topic, code, line, source }: Report): boolean {
    const sources = this.#sources.get(topic);
    if (sources === undefined || MALFORMED.has(code)) return false;
    // A payload that the server did not parse has no line and no source.
    if (line === undefined && source === undefined) return true;
    return sources.size >= MAX_SOURCES || sources.has(source ?? "");
  }
}
