/**
 * Decides when the states of zones are brought up to date.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { TurnTask, type Work } from "../../common/turns.ts";
import type { ZoneTracker, ZoneUpdate } from "../../zones/mod.ts";
import type { ServerContext } from "../context.ts";
import type { Pipeline } from "../pipeline.ts";

/** Minimum time between two updates. */
const MIN_INTERVAL_MS = 50;
/**
 * The pause after an update, as a multiple of its duration. Garbage
 * collection and commits take about half as long as what is measured.
 */
const PAUSE_FACTOR = 14;
/** The longest pause: enough for 10,000 zones that change in each update. */
const MAX_PAUSE_MS = 3000;
/** `setTimeout` with more than 2^31 - 1 ms would not wait at all. */
const MAX_WAIT_MS = 2 ** 31 - 1;

/** Called by {@linkcode ZoneUpdates}. */
export interface ZoneUpdateEvents {
  /** Stores an update. */
  remember(update: ZoneUpdate): Work<void>;
  /** Publishes it after the commit. Resolves when the next one may begin. */
  publish(update: ZoneUpdate): Promise<void>;
  /** Returns the time that the messages of zones have taken, in ms. */
  cost(): number;
}

/**
 * Runs the updates of a tracker when the map has changed or a time has come, one
 * at a time: at most every 50 ms, and for at most a fifteenth of the time, so
 * that readings are processed nearly as fast as without zones.
 */
export class ZoneUpdates {
  readonly #context: ServerContext;
  readonly #pipeline: Pick<Pipeline, "refresh">;
  readonly #tracker: ZoneTracker;
  readonly #events: ZoneUpdateEvents;
  #task: TurnTask<ZoneUpdate | undefined> | undefined;
  /** True while an update runs or is stored. */
  #isBusy = false;
  /** No update begins before this time; this and the next are monotonic, ms. */
  #pausedUntil = -Infinity;
  #timerAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The time that the present update has taken, in ms. */
  #cost = 0;
  #messagesCost = 0;
  /** Called after the present update, and after the next one. */
  #waiting: (() => void)[] = [];
  #waitingForNext: (() => void)[] = [];
  /** Called after the present update, before the next one. */
  #between: (() => void)[] = [];
  #stopped = false;

  constructor(
    context: ServerContext,
    pipeline: Pick<Pipeline, "refresh">,
    tracker: ZoneTracker,
    events: ZoneUpdateEvents,
  ) {
    this.#context = context;
    this.#pipeline = pipeline;
    this.#tracker = tracker;
    this.#events = events;
  }

  /** Call when the map may have changed. Cheap. */
  notify(): void {
    if (!this.#isBusy && this.#hasZones) this.#schedule(0);
  }

  /** See `ZoneService.updated`. */
  updated(): Promise<void> {
    const { clock, status } = this.#context;
    if (this.#stopped || status.storeProblem !== undefined) {
      return Promise.resolve();
    }
    const isDue = this.#tracker.isDue(clock.now());
    if (!this.#isBusy && !isDue) return Promise.resolve();
    return new Promise((resolve) => {
      // A running update has perhaps counted a cell before it changed.
      this.#waitingForNext.push(resolve);
      if (!this.#isBusy) this.#schedule(0);
    });
  }

  /** Calls back when no update runs: at once, or after the present one. */
  between(callback: () => void): void {
    if (this.#isBusy) this.#between.push(callback);
    else callback();
  }

  /** Call when the store fails: then no states are brought up to date. */
  storeFails(): void {
    this.#release();
  }

  /** Completes the present update, does a last one, and stops. */
  stop(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#task?.finish();
    const now = this.#context.clock.now();
    if (!this.#isBusy && this.#tracker.isDue(now)) {
      this.#begin(now);
      this.#task?.finish();
    }
    clearTimeout(this.#timer);
    this.#stopped = true;
    this.#release();
  }

  get #hasZones(): boolean {
    return this.#tracker.size > 0 || this.#tracker.isReplaced;
  }

  /** @param delayMs from now; not before the end of the pause after an update */
  #schedule(delayMs: number): void {
    if (this.#stopped || this.#isBusy) return;
    const now = performance.now();
    const due = now + Math.min(delayMs, MAX_WAIT_MS);
    // Edits are rare, and their authors wait for them.
    const at = this.#tracker.isReplaced
      ? due
      : Math.max(due, this.#pausedUntil);
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.#update();
    }, at - now);
  }

  #update(): void {
    // Cells that become stale now are a change, which schedules an update.
    const now = this.#pipeline.refresh();
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
    // While the store fails, nothing changes.
    if (now === undefined) return this.#release();
    if (this.#tracker.isDue(now)) this.#begin(now);
    else {
      this.#release();
      this.#wait(now);
    }
  }

  #begin(now: number): void {
    this.#isBusy = true;
    this.#waiting = this.#waitingForNext;
    this.#waitingForNext = [];
    this.#cost = 0;
    this.#task = new TurnTask(
      this.#measured(this.#updateAndRemember(now)),
      (update) => {
        this.#task = undefined;
        const published = update && this.#events.publish(update);
        void Promise.resolve(published).then(() => this.#end(now));
      },
    );
    this.#task.run();
  }

  *#updateAndRemember(now: number): Work<ZoneUpdate> {
    const update = yield* this.#tracker.update(now);
    yield* this.#events.remember(update);
    return update;
  }

  /** Adds up what the steps cost. Returns undefined if one fails. */
  *#measured(work: Work<ZoneUpdate>): Work<ZoneUpdate | undefined> {
    for (;;) {
      const start = performance.now();
      try {
        const { done, value } = work.next();
        if (done) return value;
      } catch (error) {
        this.#context.log.warnLimited(
          "zones",
          `Cannot update the zones, the last states stay: ${messageOf(error)}`,
        );
        return undefined;
      } finally {
        this.#cost += performance.now() - start;
      }
      yield;
    }
  }

  #end(now: number): void {
    this.#isBusy = false;
    for (const callback of this.#between.splice(0)) callback();
    const messagesCost = this.#events.cost();
    const cost = this.#cost + messagesCost - this.#messagesCost;
    this.#messagesCost = messagesCost;
    const pause = Math.min(PAUSE_FACTOR * cost, MAX_PAUSE_MS);
    this.#pausedUntil = performance.now() + Math.max(pause, MIN_INTERVAL_MS);
    for (const resolve of this.#waiting.splice(0)) resolve();
    if (this.#waitingForNext.length > 0 || this.#tracker.isDue(now)) {
      this.#schedule(0);
    } else this.#wait(now);
  }

  /** Waits until a state changes although the map does not. */
  #wait(now: number): void {
    const due = this.#tracker.nextDue;
    if (due < Infinity) this.#schedule(due - now);
  }

  #release(): void {
    const waiting = [...this.#waiting, ...this.#waitingForNext];
    this.#waiting = [];
    this.#waitingForNext = [];
    for (const resolve of waiting) resolve();
  }
}
