/**
 * Reports refused input, at a limited rate.
 *
 * @module
 */
import {
  encodeReport,
  excerpt,
  type ReadingBatch,
  type Refusals,
  type Report,
} from "../protocol/mod.ts";
import { publishOrWarn, type ServerContext } from "./context.ts";

/** Maximum number of reports in a second, besides the kept ones. */
const MAX_REPORTS_PER_SECOND = 10;
/** Above this rate, the latest report of this number of senders is kept. */
const MAX_KEPT_REPORTS = 100;
const FLUSH_INTERVAL_MS = 1000;
/** Long enough for every valid topic. */
const MAX_SHOWN_TOPIC_LENGTH = 450;

/** The messages for readings that the map refuses because of their time. */
const DROPPED_MESSAGES = {
  late: "observed before the present value of the cell",
  future: "observed in the future: check the sender's clock",
} as const;

/** The code of readings that would create more cells than the map may have. */
export const TOO_MANY_CELLS = "too-many-cells";

/** Input that was refused for one reason. */
export type RefusedInput = Omit<Report, "suppressed" | "time">;

/** Refused readings, or a payload of readings. */
export interface RefusedReadings extends RefusedInput {
  /** How many of them are of each source; "" for those of no known source. */
  readonly sources: ReadonlyMap<string, number>;
}

/** Returns the refusal of a payload as a whole. */
export function refusedPayload(
  topic: string,
  { code, message }: Pick<RefusedInput, "code" | "message">,
  source?: string,
): RefusedReadings {
  const sources = new Map([[source ?? "", 1]]);
  return { topic, code, message, source, count: 1, sources };
}

/**
 * Adds a reading that the map dropped to the refusals of its payload.
 *
 * @param batch contains the reading
 * @param index index of the reading
 * @param start index of the first reading of the payload
 */
export function addDropped(
  refusals: Refusals,
  batch: ReadingBatch,
  index: number,
  start: number,
  code: "late" | "future",
): void {
  addRefused(refusals, batch, index, start, code, DROPPED_MESSAGES[code]);
}

/**
 * Adds a valid reading to the refusals of its payload.
 *
 * @param batch contains the reading
 * @param index index of the reading
 * @param start index of the first reading of the payload
 * @param code why it is refused
 * @param message the same, for people
 */
export function addRefused(
  refusals: Refusals,
  batch: ReadingBatch,
  index: number,
  start: number,
  code: string,
  message: string,
): void {
  const line = batch.lineOf(index, start);
  const source = batch.sources[batch.sourceIndex[index]!];
  refusals.add(code, () => message, line, source);
}

/** Returns the refused readings of a payload, one item per reason. */
export function refusedInputs(
  refusals: Refusals,
  topic: string,
): RefusedReadings[] {
  return [...refusals.byCode].map(([code, count]) => {
    const first = refusals.kept.find((refusal) => refusal.code === code);
    return {
      topic,
      code,
      message: first?.message ?? code,
      line: first?.line,
      source: first?.source,
      count,
      sources: refusals.sourcesOf(code),
    };
  });
}

/**
 * Counts refused input, and reports it on the errors topic and in the log: there
 * at most one line a reason and minute.
 *
 * Above ten reports a second, the latest one of each topic and source is kept
 * and published within a second, or before the next reply. So a sender that
 * requests the map has received a report if its readings were refused, however
 * many reports there are about other senders. All other reports are dropped;
 * the next one counts them.
 */
export class Reports {
  readonly #context: ServerContext;
  #windowStart = -Infinity;
  #sentInWindow = 0;
  /** By topic and source. */
  readonly #kept = new Map<string, RefusedInput>();
  /** Number of dropped reports that no report has counted yet. */
  #suppressed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Counts refused readings, also by source, and reports them. */
  addReadings({ sources, ...refused }: RefusedReadings): void {
    const { registry, clock } = this.#context;
    const now = clock.now();
    for (const [source, count] of sources) {
      registry.refuse(source, count, refused.code, now);
    }
    this.add(refused);
  }

  /** Counts refused input, and reports it now or later. */
  add(refused: RefusedInput): void {
    const { clock, telemetry, log } = this.#context;
    telemetry.countRefused(refused.code, refused.count);
    log.warnLimited(
      `refused-${refused.code}`,
      () => describeRefused(refused),
    );
    const now = clock.now();
    if (Math.abs(now - this.#windowStart) >= 1000) {
      this.#windowStart = now;
      this.#sentInWindow = 0;
    }
    if (this.#sentInWindow < MAX_REPORTS_PER_SECOND) {
      this.#sentInWindow++;
      if (this.#kept.delete(keyOf(refused))) this.#suppressed++;
      this.#publish(refused, now);
      return;
    }
    this.#keep(refused);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_INTERVAL_MS);
  }

  /** Publishes the kept reports. */
  publishKept(): void {
    if (this.#kept.size === 0) return;
    const now = this.#context.clock.now();
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    for (const refused of kept) this.#publish(refused, now);
  }

  /** Publishes the kept reports, and stops the timer. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.publishKept();
  }

  /** Drops the kept reports and stops the timer. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#kept.clear();
  }

  /** Keeps a report instead of an earlier one about the same sender. */
  #keep(refused: RefusedInput): void {
    const key = keyOf(refused);
    const isKnown = this.#kept.has(key);
    if (isKnown || this.#kept.size >= MAX_KEPT_REPORTS) this.#suppressed++;
    if (isKnown || this.#kept.size < MAX_KEPT_REPORTS) {
      this.#kept.set(key, refused);
    }
  }

  #publish(refused: RefusedInput, time: number): void {
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    const payload = encodeReport({ ...refused, suppressed, time });
    void publishOrWarn(this.#context, this.#context.topics.errors, payload);
  }
}

function keyOf({ topic, source = "" }: RefusedInput): string {
  return `${topic}\0${source}`;
}

/** Describes refused input in one line for people. */
export function describeRefused(
  { topic, code, message, line, source, count }: RefusedInput,
): string {
  const where = excerpt(topic, MAX_SHOWN_TOPIC_LENGTH) +
    (line === undefined ? "" : `, row ${line}`) +
    (source === undefined ? "" : `, of "${excerpt(source)}"`);
  const times = count > 1 ? ` (${count} times)` : "";
  return `Refused on ${where}: ${message} [${code}]${times}`;
}
