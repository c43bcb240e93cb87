/**
 * Watches zones: their states, then every change, and their events.
 *
 * @module
 */
import type { Incoming, Link } from "../mqtt/link.ts";
import { ProtocolError, type Topics } from "../protocol/mod.ts";
import { parseJson } from "../protocol/text.ts";
import { readZoneEvent, readZoneState } from "../zones/state_json.ts";
import type { ZoneEvent } from "../zones/zone_events.ts";
import { differs, type ZoneState } from "../zones/zone_state.ts";
import { RefusedError } from "./errors.ts";
import type { ZonesView } from "./zones_request.ts";
import {
  ServerWatch,
  type ServerWatchOptions,
  type WatchRequest,
} from "./server_watch.ts";
import { ZoneBuffer } from "./zone_buffer.ts";

/** A reply with all zones may have megabytes. */
const DEFAULT_CHECK_AFTER_MS = 30_000;
/** Longer messages are not states or events. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** Zones beyond those of the last reply, from which the next one is needed. */
const MAX_NEW_ZONES = 20_000;

/** An event of a watch of zones. */
export type ZoneWatchEvent =
  /** The first event: all watched zones. */
  | {
    readonly kind: "snapshot";
    /** The revision of the map that the states are of. */
    readonly revision: number;
    /** The server's time when it read the states, ms since 1970. */
    readonly time: number;
    readonly zones: readonly ZoneState[];
  }
  /** Zones with a new state, and the names of zones that were removed. */
  | {
    readonly kind: "changes";
    readonly zones: readonly ZoneState[];
    readonly removed: readonly string[];
  }
  /** What happened in a zone. Follows the state that it belongs to. */
  | {
    readonly kind: "event";
    readonly event: ZoneEvent;
    /** Events before it that were dropped, because the consumer was slow. */
    readonly dropped: number;
  };

/** Options of {@linkcode ZoneWatcher}. */
export interface ZoneWatcherOptions extends ServerWatchOptions {
  /** The names of the zones. Default: all, also those that are added later. */
  readonly names?: readonly string[] | undefined;
  /**
   * Time after which the watcher requests all states, in ms, in case it missed
   * one. Default 30,000.
   */
  readonly checkAfter?: number;
}

/**
 * Follows zones. Messages that the broker has retained are ignored: they may be
 * of any age. A reply to a request shows instead what changed, after each
 * reconnect too.
 */
export class ZoneWatcher extends ServerWatch<ZoneWatchEvent, ZonesView> {
  protected readonly followed: readonly string[];
  readonly #topics: Topics;
  readonly #names: ReadonlySet<string> | undefined;
  readonly #buffer = new ZoneBuffer();
  /** The states that the consumer has, by name. */
  #copy: Map<string, ZoneState> | undefined;
  /** Number of zones of the last reply. */
  #replied = 0;
  /** True if a watched zone was removed: requests may not name it. */
  #isRemoved = false;

  /**
   * @throws {ProtocolError} "bad-zone", or "bad-reply-topic" for the name of the
   * client
   */
  constructor(options: ZoneWatcherOptions) {
    super(options, DEFAULT_CHECK_AFTER_MS);
    const { topics, names } = options;
    this.#topics = topics;
    this.#names = names && new Set(names);
    this.followed = names === undefined
      ? [topics.zoneFilter, topics.zoneEventFilter]
      : [...this.#names!].flatMap((name) => [
        topics.zone(name),
        topics.zoneEvent(name),
      ]);
  }

  protected get hasCopy(): boolean {
    return this.#copy !== undefined;
  }

  protected get isEmpty(): boolean {
    return this.#buffer.isEmpty;
  }

  protected receive({ topic, payload, retain }: Incoming): boolean {
    const of = this.#topics.zoneOf(topic);
    if (of === undefined) return false;
    if (retain || !this.#buffer.isOpen || !this.#isWatched(of.zone)) {
      return true;
    }
    try {
      this.#store(of.zone, of.isEvent, payload);
    } catch (error) {
      // From another sender: the states of the server come with a reply.
      if (!(error instanceof ProtocolError)) throw error;
    }
    // Too many for the buffer: a request costs less.
    if (!this.#buffer.isOpen) this.mustRequest = true;
    return true;
  }

  protected open(): void {
    this.#buffer.open();
  }

  protected async request(
    link: Link,
    options: WatchRequest,
  ): Promise<ZonesView> {
    const names = this.#names;
    if (names !== undefined && !this.#isRemoved) {
      try {
        return await this.requester.requestZones(link, {
          ...options,
          names: [...names],
        });
      } catch (error) {
        const isUnknown = error instanceof RefusedError &&
          error.code === "no-zone";
        if (!isUnknown || !this.hasCopy) throw error;
        this.#isRemoved = true;
      }
    }
    const view = await this.requester.requestZones(link, options);
    const zones = view.zones.filter(({ zone }) => this.#isWatched(zone));
    this.#isRemoved = names !== undefined && zones.length < names.size;
    return { ...view, zones };
  }

  protected applyReply(view: ZonesView): ZoneWatchEvent | undefined {
    const { revision, time, zones } = view;
    const before = this.#copy;
    const now = new Map(zones.map((state) => [state.zone, state]));
    this.#copy = now;
    this.#replied = now.size;
    this.mustRequest = !this.#buffer.isOpen;
    // A zone was deleted, but is in the reply: it was perhaps made again.
    const isClear = this.#buffer.dropOlder(view, now, before === undefined);
    if (!isClear) this.mustRequest = true;
    this.markCurrent();
    if (before === undefined) {
      return { kind: "snapshot", revision, time, zones };
    }
    const changed = zones.filter((state) =>
      isNew(before.get(state.zone), state)
    );
    const removed = [...before.keys()].filter((zone) => !now.has(zone));
    return changesOf(changed, removed);
  }

  protected next(): ZoneWatchEvent | undefined {
    const waiting = this.#buffer.takeStates();
    if (waiting === undefined) {
      return { kind: "event", ...this.#buffer.takeEvent()! };
    }
    const copy = this.#copy!;
    const changed: ZoneState[] = [];
    const removed: string[] = [];
    for (const [zone, state] of waiting) {
      if (state === null) {
        if (copy.delete(zone)) removed.push(zone);
      } else {
        if (isNew(copy.get(zone), state)) changed.push(state);
        copy.set(zone, state);
      }
    }
    if (copy.size > this.#replied + MAX_NEW_ZONES) this.mustRequest = true;
    return changesOf(changed, removed);
  }

  protected discard(): void {
    this.#buffer.close();
    this.#copy = undefined;
  }

  #isWatched(zone: string): boolean {
    return this.#names?.has(zone) ?? true;
  }

  /** @throws {ProtocolError} if the payload is not valid */
  #store(zone: string, isEvent: boolean, payload: Uint8Array): void {
    if (payload.length > MAX_MESSAGE_BYTES) return;
    if (isEvent) {
      const event = readZoneEvent(parseJson(payload));
      if (event.zone === zone) this.#buffer.addEvent(event);
    } else if (payload.length === 0) this.#buffer.setState(zone, null);
    else {
      const state = readZoneState(parseJson(payload));
      if (state.zone === zone) this.#buffer.setState(zone, state);
    }
  }
}

function changesOf(
  zones: readonly ZoneState[],
  removed: readonly string[],
): ZoneWatchEvent | undefined {
  if (zones.length === 0 && removed.length === 0) return undefined;
  return { kind: "changes", zones, removed };
}

/** Returns true if a state differs in more than its time and revision. */
function isNew(known: ZoneState | undefined, state: ZoneState): boolean {
  return known === undefined || differs(known, state);
}
