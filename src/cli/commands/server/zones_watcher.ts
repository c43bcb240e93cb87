/**
 * Reloads the zones of `occupancy server --zones FILE` when the file changes.
 */
import { basename, dirname } from "node:path";
import { doneWithin } from "../../../common/async.ts";
import { AppError } from "../../../common/errors.ts";
import type { Server } from "../../../server/mod.ts";
import { plural } from "../../../common/plural.ts";
import {
  type Zone,
  type ZoneEditResult,
  ZoneError,
} from "../../../zones/mod.ts";
import { describeError } from "../../errors.ts";
import { reloadFailure } from "./reload.ts";
import type { ServerLog } from "./server_log.ts";
import {
  changingError,
  type ContentId,
  type FileContent,
  fileVersion,
  readContent,
  readWhole,
  type ZonesContent,
  zonesOf,
} from "./zones_file.ts";

/** Times of a {@linkcode ZonesWatcher}, in ms. */
export interface ZonesWatcherTimes {
  /**
   * Between two looks at the file. Default 2 s. A change that the system reports
   * is noticed at once; network file systems report none.
   */
  readonly pollMs: number;
  /** From a reported change to the look at the file. Default 100 ms. */
  readonly debounceMs: number;
  /** How long a fault must last: a file may be half written. Default 500 ms. */
  readonly settleMs: number;
  /** The same for a file that changes all the time. Default 30 s. */
  readonly changingMs: number;
}

/** Options of {@linkcode ZonesWatcher}. */
export interface ZonesWatcherOptions {
  readonly path: string;
  /** Its content with the zones that are in force. */
  readonly content: ContentId;
  /**
   * Receives changed zones, and returns what has changed. If it rejects, they
   * are not in force, and it is called again later.
   */
  readonly onZones: (
    zones: readonly Zone[],
  ) => Promise<Omit<ZoneEditResult, "version"> | undefined>;
  readonly log: Pick<ServerLog, "debug" | "info" | "error">;
  readonly times?: Partial<ZonesWatcherTimes>;
}

/** What is wrong with the file. */
interface Fault {
  /** Equal for the same fault of the same content. */
  readonly key: string;
  /** Since when, as `performance.now()`. */
  readonly since: number;
}

const DEFAULT_TIMES: ZonesWatcherTimes = {
  pollMs: 2000,
  debounceMs: 100,
  settleMs: 500,
  changingMs: 30_000,
};
/** The longest pause after a file that changes while it is read. */
const MAX_PAUSE_MS = 5000;
/** A file system that does not answer must not delay the end of the server. */
const CLOSE_TIMEOUT_MS = 500;
/**
 * Reported changes of other files between two looks, above which polling alone
 * is cheaper: a report takes 80 µs, and a store in the folder has thousands a
 * second.
 */
const MAX_FOREIGN_EVENTS = 100;
/** Kubernetes replaces a mounted file by renaming this link to its folder. */
const KUBERNETES_LINK = "..data";

/**
 * Reloads the zones when their file changes, is replaced, or comes back. A file
 * that is faulty or not whole changes nothing: if it stays so, this is logged
 * once.
 */
export class ZonesWatcher implements AsyncDisposable {
  readonly #options: ZonesWatcherOptions;
  readonly #times: ZonesWatcherTimes;
  /** Of the content with the zones in force. */
  #digest: string;
  /** The content that needs no other look, and the key of its fault. */
  #settled:
    | { readonly version: string; readonly fault: string | undefined }
    | undefined;
  #fault: Fault | undefined;
  /** Since when it has one or the other, as `performance.now()`. */
  #faultySince: number | undefined;
  /** The key of the fault that is in the log. */
  #loggedFault: string | undefined;
  /** Before the look after a change. */
  #pauseMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires, as `performance.now()`. */
  #due = Infinity;
  /** One look at a time. */
  #queue: Promise<unknown> = Promise.resolve();
  #events: Deno.FsWatcher | undefined;
  /** Reports of changes of other files since the last look. */
  #foreignEvents = 0;
  readonly #watching: Promise<void>;
  #isClosed = false;

  /** Begins to watch. */
  constructor(options: ZonesWatcherOptions) {
    this.#options = options;
    this.#times = { ...DEFAULT_TIMES, ...options.times };
    this.#pauseMs = this.#times.debounceMs;
    this.#digest = options.content.digest;
    this.#settle(options.content, undefined);
    this.#events = this.#openEvents();
    this.#watching = this.#watch();
    // It may have changed since it was read.
    this.#schedule(this.#times.debounceMs);
  }

  /**
   * Reads the file now.
   *
   * @throws {AppError} if it is faulty; the old zones stay in force
   */
  reload(): Promise<void> {
    return this.#inTurn(async () => {
      const { path } = this.#options;
      let content: FileContent | undefined;
      try {
        content = await readWhole(path);
        await this.#use(content);
      } catch (error) {
        this.#loggedFault = keyOf(error, content); // the caller logs it
        throw error;
      }
    });
  }

  /** Ends the watch. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#closeEvents();
    await this.#watching;
    await doneWithin(this.#queue, CLOSE_TIMEOUT_MS);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  /** Plans a look at the file, unless an earlier one is planned. */
  #schedule(ms: number): void {
    const due = performance.now() + ms;
    if (due >= this.#due || this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#due = Infinity;
      this.#foreignEvents = 0;
      void this.#inTurn(async () => {
        await this.#look();
        this.#schedule(this.#times.pollMs);
      });
    }, ms);
  }

  /** Uses the file if it has changed. Never rejects. */
  async #look(): Promise<void> {
    const { path } = this.#options;
    const { debounceMs, settleMs, changingMs } = this.#times;
    let content: FileContent | undefined;
    try {
      const version = await fileVersion(path);
      if (
        version === this.#settled?.version &&
        this.#settled.fault === this.#loggedFault
      ) {
        this.#fault = this.#faultySince = undefined;
        return;
      }
      content = await readContent(path);
      if (content === undefined) {
        this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
        this.#schedule(this.#pauseMs);
        this.#addFault(changingError(path), undefined, changingMs);
        return;
      }
      this.#pauseMs = debounceMs;
      const line = await this.#use(content);
      if (line !== undefined) this.#options.log.info(line);
    } catch (error) {
      this.#addFault(error, content, settleMs);
    }
  }

  /**
   * @returns a line for the log, if there is something new
   * @throws {AppError} if the content is faulty, or cannot be used now
   */
  async #use(content: FileContent): Promise<string | undefined> {
    const { path, onZones } = this.#options;
    let line: string | undefined;
    if (content.digest !== this.#digest) {
      const zones = await zonesOf(path, content.bytes);
      const result = await onZones(zones);
      this.#digest = content.digest;
      if (result !== undefined) {
        const { added, changed, deleted } = result;
        const count = plural(zones.length, "zone");
        line =
          `Reloaded the zones file from ${path}: ${count}, ${added} added, ${changed} changed, ${deleted} deleted`;
      }
    } else if (this.#loggedFault !== undefined) {
      line = `The zones file ${path} is valid again, and was not changed`;
    }
    this.#fault = this.#faultySince = this.#loggedFault = undefined;
    this.#settle(content, undefined);
    return line;
  }

  /** Logs a fault once, if it lasts. */
  #addFault(
    error: unknown,
    content: FileContent | undefined,
    settleMs: number,
  ): void {
    const key = keyOf(error, content);
    const now = performance.now();
    if (this.#fault?.key !== key) this.#fault = { key, since: now };
    this.#faultySince ??= now;
    if (key !== this.#loggedFault) {
      const end = Math.min(
        this.#fault.since + settleMs,
        this.#faultySince + this.#times.changingMs,
      );
      if (now < end) {
        this.#schedule(Math.max(end - now, this.#pauseMs));
        return;
      }
      this.#loggedFault = key;
      this.#options.log.error(reloadFailure("zones file", error));
    }
    this.#faultySince = undefined;
    // Other faults can end without a change of the file.
    const isInvalid = error instanceof AppError &&
      error.cause instanceof ZoneError;
    if (content !== undefined && isInvalid) this.#settle(content, key);
  }

  /** Looks at this content again only if the file changes. */
  #settle({ version, isNew }: ContentId, fault: string | undefined): void {
    this.#settled = isNew ? undefined : { version, fault };
  }

  /** Returns undefined if the system or a permission does not allow it. */
  #openEvents(): Deno.FsWatcher | undefined {
    const { path, log } = this.#options;
    try {
      // Editors replace the file: a watch of the file itself would end.
      return Deno.watchFs(dirname(path), { recursive: false });
    } catch (error) {
      const { message } = describeError(error);
      log.debug(`Changes of ${path} are noticed later: ${message}`);
      return undefined;
    }
  }

  #closeEvents(): void {
    this.#events?.close();
    this.#events = undefined;
  }

  async #watch(): Promise<void> {
    const names = [basename(this.#options.path), KUBERNETES_LINK];
    const isOurs = (path: string) => names.includes(basename(path));
    try {
      for await (const { kind, paths } of this.#events ?? []) {
        if (kind === "access") continue; // also our own
        if (paths.length === 0 || paths.some(isOurs)) {
          this.#schedule(this.#pauseMs);
        } else if (++this.#foreignEvents > MAX_FOREIGN_EVENTS) {
          this.#closeEvents();
          const { path, log } = this.#options;
          const folder = dirname(path);
          log.debug(`Changes of ${path} are noticed later: ${folder} is busy`);
        }
      }
    } catch (error) {
      const { message } = describeError(error);
      this.#options.log.debug(`Cannot watch the zones file: ${message}`);
    }
  }
}

/**
 * Keeps the zones of a server those of a file.
 *
 * @param server has started with these zones
 */
export function watchZones(
  server: Pick<Server, "zones">,
  { file: path, content }: ZonesContent,
  log: ServerLog,
): ZonesWatcher {
  const onZones = async (changed: readonly Zone[]) => {
    const result = await server.zones.setFileZones(changed);
    if (typeof result !== "string") return result;
    if (result === "stopping") return undefined;
    throw new AppError(
      "zones-not-in-force",
      `the server cannot use other zones now: ${result}`,
      { hint: "It tries again." },
    );
  };
  return new ZonesWatcher({ path, content, onZones, log });
}

function keyOf(error: unknown, content: FileContent | undefined): string {
  return `${content?.digest ?? ""} ${describeError(error).message}`;
}
