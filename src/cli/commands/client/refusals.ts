import type { Incoming } from "../../../mqtt/link.ts";
import {
  parseReport,
  ProtocolError,
  type Report,
} from "../../../protocol/mod.ts";
import { printError } from "../../terminal/output.ts";
import { plural } from "../../terminal/render.ts";

/** Reports that are shown; more are counted. */
const MAX_SHOWN = 5;

/** Whose readings are listened for. */
export interface RefusalsOptions {
  /** Where the server reports (docs/PROTOCOL.md, Reports). */
  readonly errorsTopic: string;
  /** Where the readings are sent. */
  readonly dataTopic: string;
  /** Who sends them, if all of the readings say so. */
  readonly source?: string | undefined;
}

/**
 * Listens for what the server says that it has refused while we send.
 *
 * What it hears is not all there is to know: reports are at QoS 0 and their rate
 * is limited, so refusals may go unheard; and where a report names no source,
 * another client that sends to the same topic may be meant.
 */
export class HeardRefusals {
  /** Readings that were refused, as far as was heard. */
  count = 0;
  readonly #options: RefusalsOptions;
  readonly #shown: Report[] = [];
  #reports = 0;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** Takes a message in, if it is a report. @returns whether it came on that topic */
  hear({ topic, payload, retain }: Incoming): boolean {
    if (topic !== this.#options.errorsTopic) return false;
    try {
      const report = parseReport(payload);
      if (!retain && this.#isOurs(report)) {
        this.count += report.count;
        if (this.#reports++ < MAX_SHOWN) this.#shown.push(report);
      }
    } catch (error) {
      // Whatever else somebody publishes there is not for us.
      if (!(error instanceof ProtocolError)) throw error;
    }
    return true;
  }

  /** Says what was heard, if anything was. */
  summarise(): void {
    if (this.count === 0) return;
    const { dataTopic, source } = this.#options;
    const sure = source !== undefined &&
      this.#shown.every((report) => report.source === source);
    const whose = sure
      ? ` of ${source}`
      : ", from here or from another client that sends there";
    printError(
      `Warning: the server reports ${
        plural(this.count, "refused reading")
      } on ${dataTopic}${whose}; there may be more:`,
    );
    for (const { code, message, count } of this.#shown) {
      const times = count > 1 ? `, ${count} readings` : "";
      printError(`  ${message} [${code}]${times}`);
    }
    const more = this.#reports - this.#shown.length;
    if (more > 0) printError(`  and ${plural(more, "more report")}`);
  }

  /** False only if it is sure to be about others. */
  #isOurs({ topic, source }: Report): boolean {
    const { dataTopic, source: ours = source } = this.#options;
    return topic === dataTopic && (source === undefined || source === ours);
  }
}
