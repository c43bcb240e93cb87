/**
 * Reports refused input, at a limited rate.
 *
 * @module
 */
import { encodeReport, type Refusals, type Report } from "../protocol/mod.ts";
import { publishOrWarn, type ServerContext } from "./context.ts";

/** Maximum number of reports in a second. */
const MAX_REPORTS_PER_SECOND = 10;

/** The messages for readings that the map refuses because of their time. */
export const LATE_MESSAGE = "observed before the present value of the cell";
export const FUTURE_MESSAGE =
  "observed in the future: check the sender's clock";

/** Input that was refused for one reason. */
export type RefusedInput = Omit<Report, "suppressed" | "time">;

/** Returns the refused readings of a payload, one item per reason. */
export function refusedInputs(
  refusals: Refusals,
  topic: string,
): RefusedInput[] {
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

/**
 * Counts refused input, and reports it on the errors topic and in the log.
 * Above ten reports a second, reports are suppressed; the next one counts them.
 */
export class Reports {
  readonly #context: ServerContext;
  #windowStart = -Infinity;
  #sentInWindow = 0;
  #suppressed = 0;
  /** The latest suppressed input. */
  #lastSuppressed: RefusedInput | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Counts refused input, and reports it now or suppresses the report. */
  add(refused: RefusedInput): void {
    const { clock, telemetry } = this.#context;
    telemetry.countRefused(refused.code, refused.count);
    const now = clock.now();
    if (Math.abs(now - this.#windowStart) >= 1000) {
      this.#windowStart = now;
      this.#sentInWindow = 0;
    }
    if (this.#sentInWindow < MAX_REPORTS_PER_SECOND) {
      this.#send(refused, now);
      return;
    }
    this.#suppressed += refused.count;
    this.#lastSuppressed = refused;
    this.#timer ??= setTimeout(() => this.flush(), 1000);
  }

  /** Reports the last suppressed input with the count of all others. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lastSuppressed !== undefined) {
      this.#suppressed -= this.#lastSuppressed.count;
      this.#send(this.#lastSuppressed, this.#context.clock.now());
    }
  }

  /** Drops the suppressed reports and stops the timer. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lastSuppressed = undefined;
  }

  #send(refused: RefusedInput, time: number): void {
    const { topics, log } = this.#context;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#lastSuppressed = undefined;
    this.#sentInWindow++;
    log.warn(describeRefused(refused, suppressed));
    const payload = encodeReport({ ...refused, suppressed, time });
    void publishOrWarn(this.#context, topics.errors, payload);
  }
}

/** Describes refused input in one line for people. */
export function describeRefused(
  { topic, code, message, line, count }: RefusedInput,
  suppressed: number,
): string {
  const where = line === undefined ? "" : `, row ${line}`;
  const times = count > 1 ? ` (${count} times)` : "";
  const more = suppressed > 0 ? `; ${suppressed} more not shown` : "";
  return `Refused on ${topic}${where}: ${message} [${code}]${times}${more}`;
}
