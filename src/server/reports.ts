import { encodeReport, type Refusals } from "../protocol/mod.ts";

/** Something that was refused, and why. */
export interface Complaint {
  /** The topic it came on. */
  readonly topic: string;
  /** The reason, as in the table of error codes. */
  readonly code: string;
  /** The reason in words. */
  readonly message: string;
  /** Line or element, from 1, where there is one. */
  readonly line?: number | undefined;
  /** Who sent it, where the payload says so. */
  readonly source?: string | undefined;
  /** How many readings it stands for. */
  readonly count: number;
}

/** What is said of readings that the map does not take because of their time. */
export const LATE = "observed before what is already known of the cell";
export const FUTURE = "observed in the future: check the sender's clock";

/** One complaint for each reason for which readings of a payload were refused. */
export function complaintsOf(refusals: Refusals, topic: string): Complaint[] {
  return [...refusals.byCode].map(([code, count]) => {
    const first = refusals.kept.find((refusal) => refusal.code === code);
    return {
      topic,
      code,
      message: first?.message ?? code,
      line: first?.line,
      count,
    };
  });
}

/** What {@linkcode Reports} needs from the outside. */
export interface ReportsOptions {
  /** Sends one report. */
  readonly publish: (payload: Uint8Array) => void;
  /** Tells the person at the server's terminal. */
  readonly log: (complaint: Complaint, suppressed: number) => void;
  /** ms since 1970. */
  readonly clock: () => number;
  /** Reports a second at most. Default 10. */
  readonly perSecond?: number;
}

/**
 * Says what was refused on the errors topic, at a bounded rate: a client that
 * sends nothing but nonsense costs ten messages a second, not one each. What a
 * second's limit holds back is counted in the next report.
 */
export class Reports {
  readonly #options: ReportsOptions;
  readonly #perSecond: number;
  #windowStart = -Infinity;
  #sent = 0;
  #suppressed = 0;
  #last: Complaint | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ReportsOptions) {
    this.#options = options;
    this.#perSecond = options.perSecond ?? 10;
  }

  /** Reports it, now or in the sum at the end of the second. */
  add(complaint: Complaint): void {
    const now = this.#options.clock();
    if (Math.abs(now - this.#windowStart) >= 1000) {
      this.#windowStart = now;
      this.#sent = 0;
    }
    if (this.#sent < this.#perSecond) {
      this.#send(complaint, now);
      return;
    }
    this.#suppressed += complaint.count;
    this.#last = complaint;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, 1000);
  }

  /** Reports the last of what was held back, with the count of all of it. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#last !== undefined) {
      this.#suppressed -= this.#last.count;
      this.#send(this.#last, this.#options.clock());
    }
  }

  /** Ends it; what is still held back is not reported any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = undefined;
  }

  #send(complaint: Complaint, time: number): void {
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#last = undefined;
    this.#sent++;
    this.#options.log(complaint, suppressed);
    this.#options.publish(encodeReport({ ...complaint, suppressed, time }));
  }
}

/** A complaint in one line for people. */
export function describeComplaint(
  { topic, code, message, line, count }: Complaint,
  suppressed: number,
): string {
  const where = line === undefined ? "" : `, row ${line}`;
  const times = count > 1 ? ` (${count} times)` : "";
  const more = suppressed > 0 ? `; ${suppressed} more not shown` : "";
  return `Refused on ${topic}${where}: ${message} [${code}]${times}${more}`;
}
