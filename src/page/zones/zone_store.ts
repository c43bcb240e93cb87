/// <reference lib="dom" />
/**
 * The zones as the page knows them: their definitions, requested whenever their
 * version changes, and their states from the live feed.
 *
 * @module
 */

import { Backoff } from "../../common/backoff.ts";
import { messageOf } from "../../common/errors.ts";
import type { ZonesMessage } from "../../feed/zone_messages.ts";
import type { ZoneState } from "../../zones/zone_state.ts";
import {
  fetchDefinitions,
  NO_DEFINITIONS,
  type ZoneDefinitions,
} from "./zone_definitions.ts";

/** Minimum time between two requests, unless the page itself has edited, ms. */
const MIN_INTERVAL_MS = 1000;
/** The first delay before a failed request is repeated, and the longest. */
const MIN_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

/** Receives what changes. */
export interface ZoneStoreObserver {
  /** Called after other definitions were loaded, or could not be loaded. */
  onDefinitions?(): void;
  /**
   * Called after states have changed, or `file` and `version`.
   *
   * @param names of the zones that have another state, or none any more;
   * undefined: all states were replaced
   */
  onStates?(names: ReadonlySet<string> | undefined): void;
}

/** The zones of the server, of all layers. */
export class ZoneStore {
  readonly #fetch: () => Promise<ZoneDefinitions>;
  readonly #observers = new Set<ZoneStoreObserver>();
  readonly #states = new Map<string, ZoneState>();
  #definitions = NO_DEFINITIONS;
  #version: string | undefined;
  #file: string | null | undefined;
  #problem: string | undefined;
  /** The running requests; undefined if none is running. */
  #loading: Promise<void> | undefined;
  /** Whether another request must follow the running one. */
  #isOutdated = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the last request began, as `performance.now()`. */
  #requestedAt = -Infinity;
  readonly #backoff = new Backoff(MIN_RETRY_MS, MAX_RETRY_MS);

  /** @param fetch requests the definitions */
  constructor(fetch: () => Promise<ZoneDefinitions> = fetchDefinitions) {
    this.#fetch = fetch;
  }

  /** The version in force on the server; undefined before the first message. */
  get version(): string | undefined {
    return this.#version;
  }

  /**
   * The file on the server that defines the zones: they cannot be edited here.
   * Null: they can be edited. Undefined before the first message.
   */
  get file(): string | null | undefined {
    return this.#file;
  }

  /** The definitions that were loaded last. */
  get definitions(): ZoneDefinitions {
    return this.#definitions;
  }

  /** Whether definitions and states were received. */
  get isLoaded(): boolean {
    return this.#version !== undefined && this.#definitions !== NO_DEFINITIONS;
  }

  /** Why the present definitions could not be loaded; undefined if they are. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The states by name, of the zones of all layers. */
  get states(): ReadonlyMap<string, ZoneState> {
    return this.#states;
  }

  /** Adds an observer. @returns removes it; safe to call twice */
  observe(observer: ZoneStoreObserver): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** Handles a message of the live feed. */
  onZones({ version, file, whole, states, removed }: ZonesMessage): void {
    if (whole) this.#states.clear();
    const names = new Set(removed);
    for (const name of removed) this.#states.delete(name);
    for (const state of states) {
      names.add(state.zone);
      this.#states.set(state.zone, state);
    }
    this.#file = file;
    const isNew = version !== this.#version;
    this.#version = version;
    // After a reconnect the server can answer again.
    if (isNew || whole && this.#problem !== undefined) this.#scheduleReload();
    for (const observer of this.#observers) {
      observer.onStates?.(whole ? undefined : names);
    }
  }

  /**
   * Requests the definitions again, as after an edit. After a failure they are
   * requested again later.
   *
   * @returns resolves when they are loaded, or when that has failed
   */
  reload(): Promise<void> {
    this.#isOutdated = true;
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Stops requests. */
  close(): void {
    clearTimeout(this.#timer);
    this.#isOutdated = false;
  }

  #scheduleReload(): void {
    clearTimeout(this.#timer);
    const due = this.#requestedAt + MIN_INTERVAL_MS;
    const delay = Math.max(0, due - performance.now());
    this.#timer = setTimeout(() => {
      const isLoaded = this.#definitions.etag === `"${this.#version}"`;
      if (!isLoaded || this.#problem !== undefined) void this.reload();
    }, delay);
  }

  async #load(): Promise<void> {
    while (this.#isOutdated) {
      this.#isOutdated = false;
      clearTimeout(this.#timer);
      this.#requestedAt = performance.now();
      try {
        this.#definitions = await this.#fetch();
        this.#problem = undefined;
        this.#backoff.reset();
      } catch (error) {
        this.#problem = messageOf(error);
        this.#retryLater();
      }
      for (const observer of this.#observers) observer.onDefinitions?.();
    }
    this.#loading = undefined;
  }

  #retryLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.reload(), this.#backoff.next());
  }
}
