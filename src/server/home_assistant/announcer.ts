/**
 * Announces the zones of a server to Home Assistant.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { plural } from "../../common/plural.ts";
import {
  Discovery,
  MAX_ANNOUNCED_ZONES,
  revivalPayload,
} from "../../home_assistant/mod.ts";
import {
  type Incoming,
  LinkError,
  type PublishOptions,
} from "../../mqtt/link.ts";
import { PEOPLE } from "../../protocol/display.ts";
import { encodeText } from "../../protocol/text.ts";
import type { Zone } from "../../zones/mod.ts";
import type { ServerContext } from "../context.ts";
import type { ServerZones } from "../zones/server_zones.ts";
import { AnnouncedZones } from "./announced_zones.ts";

/** Messages that are published before their acknowledgements are awaited. */
const BATCH_MESSAGES = 64;
/**
 * After a start of Home Assistant, the zones are announced within this time:
 * random, as its documentation recommends, so that not all devices do it at the
 * same time.
 */
const MAX_RETURN_DELAY_MS = 1000;
/** Any client can publish that Home Assistant has started. */
const MIN_RETURN_INTERVAL_MS = 5000;

/** The pause before the messages that the broker refused are published again. */
const RETRY_INTERVAL_MS = 30_000;

const RETAINED = { qos: 1, retain: true } as const;
const NOT_RETAINED = { qos: 1 } as const;
/** Those of Home Assistant are `online` and `offline`. */
const MAX_STATUS_BYTES = 16;
const decoder = new TextDecoder();

/** What an announcer needs of its server. */
type Context = Pick<
  ServerContext,
  | "leadership"
  | "link"
  | "log"
  | "status"
  | "store"
  | "telemetry"
  | "topics"
  | "version"
>;

/** The zones of a server, as the announcer uses them. */
type AnnouncerZones = Pick<
  ServerZones,
  "definitions" | "observe" | "republish"
>;

/**
 * Publishes a discovery message for each zone, retained: when the server has
 * connected, when the zones have changed, and when Home Assistant has started.
 * Without a prefix it removes those that the server has published before.
 *
 * If a message vanishes while Home Assistant is not connected, it keeps the
 * entities. So a removed zone is remembered until the next start of Home
 * Assistant: then it is announced and removed once more.
 *
 * Of the servers of a shared store, only the leader announces.
 */
export class Announcer {
  /** Topics whose messages {@linkcode Announcer.handle} handles. */
  readonly topics: ReadonlySet<string>;

  readonly #context: Context;
  readonly #zones: AnnouncerZones;
  readonly #announced: AnnouncedZones;
  /** Undefined: no zones are announced. */
  readonly #discovery: Discovery | undefined;
  readonly #displayOf: ServerContext["displayOf"];
  /** The payloads that the broker has of this connection, by topic. */
  readonly #sent = new Map<string, string>();
  readonly #stopObserving: () => void;
  /** Counts connections. */
  #connection = 0;
  /** False if Home Assistant has stopped since its last start. */
  #isOnline = false;
  /** True if Home Assistant has started since the last announcement. */
  #hasReturned = false;
  #returnedAt = -Infinity;
  #returnTimer: ReturnType<typeof setTimeout> | undefined;
  /** Runs after the broker has refused a message. */
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Zones that are too many. */
  #excess = 0;
  /** True if there is something to announce after the present announcement. */
  #isDue = false;
  #isBusy = false;
  #hasLogged = false;
  #isLoaded = false;
  #stopped = false;

  /**
   * @param prefix the discovery prefix of Home Assistant; undefined: no zones
   * are announced
   */
  constructor(
    context: Context & Pick<ServerContext, "displayOf">,
    zones: AnnouncerZones,
    prefix: string | undefined,
  ) {
    const { topics, version } = context;
    this.#context = context;
    this.#displayOf = context.displayOf;
    this.#zones = zones;
    this.#announced = new AnnouncedZones(
      context.store.records,
      (topic) => {
        this.#sent.delete(topic);
        context.telemetry.stats.limited.add("home-assistant-zones");
      },
    );
    this.#discovery = prefix === undefined
      ? undefined
      : new Discovery({ prefix, topics, version });
    this.topics = new Set(this.#discovery?.statusTopics);
    this.#stopObserving = zones.observe({
      onDefinitions: () => {
        // At once, since a name could be that of another zone after two edits.
        if (this.#isLoaded) this.#assign();
        this.#schedule();
      },
    });
    context.leadership.observe({
      onElected: () => this.#read(),
      onDeposed: () => this.#isLoaded = false,
    });
  }

  /**
   * Reads what was announced before. Call it once, after the zones were loaded.
   * A leader of several servers reads it when it begins to lead.
   *
   * @throws {StoreError} if it cannot be read
   */
  load(): void {
    if (this.#context.store.shared === undefined) this.#read();
  }

  #read(): void {
    if (this.#stopped) return;
    const unusable = this.#announced.load();
    this.#isLoaded = true;
    this.#sent.clear();
    this.#assign();
    this.#schedule();
    if (unusable === 0) return;
    this.#context.log.warn(
      `Forgot ${
        plural(unusable, "zone")
      } of Home Assistant: another version of occupancy has stored them. Delete in Home Assistant what is unavailable`,
    );
  }

  /** Call after each connect. */
  connected(): void {
    this.#connection++;
    this.#sent.clear();
    this.#schedule();
  }

  /** Call when the unit of a layer may have changed. */
  displayChanged(): void {
    this.#schedule();
  }

  /** Handles a message on one of {@linkcode Announcer.topics}. */
  handle(message: Incoming): void {
    const { payload } = message;
    const status = payload.length > MAX_STATUS_BYTES
      ? undefined
      : decoder.decode(payload);
    this.#context.link.acknowledge([message]);
    if (status === "offline") this.#wentOffline();
    if (status === "online") this.#returned();
  }

  #wentOffline(): void {
    clearTimeout(this.#returnTimer);
    this.#returnTimer = undefined;
    this.#hasReturned = false;
    this.#isOnline = false;
  }

  #returned(): void {
    this.#isOnline = true;
    const now = performance.now();
    const delay = Math.max(
      Math.random() * MAX_RETURN_DELAY_MS,
      this.#returnedAt + MIN_RETURN_INTERVAL_MS - now,
    );
    this.#returnTimer ??= setTimeout(() => {
      this.#returnTimer = undefined;
      this.#returnedAt = performance.now();
      this.#hasReturned = true;
      this.#schedule();
    }, delay);
  }

  /** Publishes nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#stopObserving();
    clearTimeout(this.#returnTimer);
    clearTimeout(this.#retryTimer);
  }

  #schedule(): void {
    this.#isDue = true;
    if (!this.#isBusy && this.#canPublish) void this.#run();
  }

  get #canPublish(): boolean {
    const { status, leadership } = this.#context;
    return !this.#stopped && this.#isLoaded && status.loaded &&
      status.link.up && leadership.isLeader;
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    while (this.#isDue && this.#canPublish) {
      this.#isDue = false;
      await this.#announce();
    }
    this.#isBusy = false;
  }

  async #announce(): Promise<void> {
    const connection = this.#connection;
    // Otherwise a crash could make it forget what it has published.
    if (!await this.#announced.committed()) return;
    const hasReturned = this.#hasReturned;
    this.#hasReturned = false;
    if (hasReturned) this.#sent.clear();
    for (const batch of batches(this.#messages(hasReturned))) {
      if (this.#connection !== connection || !this.#canPublish) {
        this.#hasReturned ||= hasReturned;
        return;
      }
      await Promise.all(batch.map((message) => this.#publish(message)));
    }
    this.#logOnce();
    const isCertain = hasReturned && this.#isOnline;
    if (isCertain || this.#discovery === undefined) this.#forgetRemoved();
    if (!hasReturned) return;
    for (const name of this.#announced.zones.keys()) {
      this.#zones.republish(name);
    }
  }

  /** Gives the present zones their keys. */
  #assign(): void {
    const discovery = this.#discovery;
    if (discovery === undefined) return this.#announced.removeAll();
    const excess = this.#announced.assign(
      this.#zones.definitions,
      (key) => discovery.topic(key),
    );
    if (excess > this.#excess) {
      const { log, telemetry } = this.#context;
      telemetry.stats.limited.add(
        "home-assistant-zones",
        excess - this.#excess,
      );
      log.warnLimited(
        "home-assistant-zones",
        `Home Assistant gets ${MAX_ANNOUNCED_ZONES} zones, and not the other ${excess}: delete zones, or use a server with another --prefix for them`,
      );
    }
    this.#excess = excess;
  }

  /** What the broker does not have, made as it is published. */
  *#messages(hasReturned: boolean): Generator<Message> {
    for (const topic of [...this.#announced.removed]) {
      if (hasReturned) {
        const payload = revivalPayload(topic);
        yield { topic, payload, options: NOT_RETAINED };
      }
      if (this.#sent.get(topic) !== "") {
        yield { topic, payload: "", options: RETAINED };
      }
    }
    for (const { name, key, topic } of [...this.#announced.zones.values()]) {
      const zone = this.#zones.definitions.get(name);
      // Deleted meanwhile: there will be another announcement.
      if (zone === undefined) continue;
      const payload = this.#payload(zone, key);
      if (this.#sent.get(topic) !== payload) {
        yield { topic, payload, options: RETAINED };
      }
    }
  }

  #payload(zone: Zone, key: string): string {
    const unit = this.#displayOf?.(zone.layer)?.unit ?? PEOPLE;
    return this.#discovery!.payload(zone, key, unit);
  }

  async #publish({ topic, payload, options }: Message): Promise<void> {
    const { link, log } = this.#context;
    const connection = this.#connection;
    try {
      await link.publish(topic, encodeText(payload), options);
      if (connection !== this.#connection) return;
      if (options === RETAINED) this.#sent.set(topic, payload);
    } catch (error) {
      if (error instanceof LinkError && error.code === "closed") return;
      log.warnLimited(
        "home-assistant",
        `Cannot publish on ${topic}: ${
          messageOf(error)
        }. Zones are missing in Home Assistant; allow the server to publish there (docs/HOME-ASSISTANT.md)`,
      );
      this.#retryLater();
    }
  }

  /** What was not sent is due then, without another change. */
  #retryLater(): void {
    if (this.#stopped) return;
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#schedule();
    }, RETRY_INTERVAL_MS);
  }

  /** Forgets the removed zones whose removal was published. */
  #forgetRemoved(): void {
    for (const topic of [...this.#announced.removed]) {
      if (this.#sent.get(topic) === "") {
        this.#announced.forget(topic);
        this.#sent.delete(topic);
      }
    }
  }

  #logOnce(): void {
    if (this.#hasLogged) return;
    const { log } = this.#context;
    if (this.#discovery === undefined) {
      if (this.#sent.size === 0) return;
      log.info(
        `Removed ${
          plural(this.#sent.size, "zone")
        } from Home Assistant, because --home-assistant is not set`,
      );
    } else {
      const { size } = this.#announced.zones;
      log.info(
        size === 0
          ? "Home Assistant: no zones to announce yet (draw some in the dashboard, or use --zones)"
          : `Home Assistant: announced ${plural(size, "zone")}`,
      );
    }
    this.#hasLogged = true;
  }
}

/** A message to publish. */
interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly options: PublishOptions;
}

function* batches(messages: Iterable<Message>): Generator<Message[]> {
  let batch: Message[] = [];
  for (const message of messages) {
    batch.push(message);
    if (batch.length < BATCH_MESSAGES) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
