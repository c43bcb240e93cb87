/**
 * Takes the messages that wait for a member of the group that is away.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { plural } from "../../common/plural.ts";
import { quoteName } from "../../common/printable.ts";
import type { Incoming, Link, OtherSession } from "../../mqtt/link.ts";
import type { GroupTopics } from "../../protocol/mod.ts";
import type { ServerContext } from "../context.ts";
import type { GroupMembers, OfflineMember } from "./members.ts";
import type { AdoptedLink, SessionSource } from "./sessions.ts";

/**
 * How long a member is waited for: one that connects again is back by then.
 * Meanwhile requests wait.
 */
const ADOPTION_DELAY_MS = 2000;
/**
 * How long to wait until all messages of a session are stored. Then the session
 * is opened again: the broker delivers what was not acknowledged.
 */
const DRAIN_TIMEOUT_MS = 60_000;
/** The pause before a session is tried again, in ms. */
const RETRY_MS = 20_000;
/** How long before its broker noticed it a member may have been away. */
const NOTICE_MS = 10_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The parts of a server that adoption needs. */
export interface AdoptionParts {
  readonly members: GroupMembers;
  readonly dispatch: (message: Incoming) => void;
}

/**
 * Takes the sessions of members that are away.
 *
 * A broker goes on to give a member its share of the messages after it has died:
 * they wait in its session. So after 2 s, the first of the members that are
 * connected to the broker connects with the client id of the dead one, ends its
 * share, and handles what has waited. When the member comes back it takes its
 * session over, with what is left.
 */
export class Adoption {
  readonly #context: ServerContext;
  readonly #topics: GroupTopics;
  readonly #sessions: SessionSource;
  readonly #parts: AdoptionParts;
  readonly #timers = new Map<Link, ReturnType<typeof setTimeout>>();
  readonly #open = new Set<AdoptedSession>();
  /**
   * Of sessions that could not be taken: when to try again, in ms. Only of
   * members that are away: a name that any client made up is forgotten with it.
   */
  readonly #retryAt = new Map<Link, Map<string, number>>();
  #stopped = false;

  constructor(
    context: ServerContext,
    topics: GroupTopics,
    sessions: SessionSource,
    parts: AdoptionParts,
  ) {
    this.#context = context;
    this.#topics = topics;
    this.#sessions = sessions;
    this.#parts = parts;
  }

  /**
   * Number of sessions that could not be taken and are tried again: at most that
   * of the members of {@linkcode GroupMembers}, 100 for each broker.
   */
  get waiting(): number {
    let size = 0;
    for (const times of this.#retryAt.values()) size += times.size;
    return size;
  }

  /** Call when a member is not connected to a broker. */
  schedule(link: Link): void {
    if (this.#stopped || this.#timers.has(link)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(link);
      this.#check(link);
    }, ADOPTION_DELAY_MS);
    this.#timers.set(link, timer);
  }

  /** Gives the sessions back, with what was not acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all([...this.#open].map((session) => session.close()));
  }

  /**
   * Takes the sessions of all members that are away, one after the other; looks
   * again while there may be one. Not while the store fails: what is taken could
   * not be stored.
   */
  #check(link: Link): void {
    const { members } = this.#parts;
    const away = members.offline(link);
    const retryAt = this.#retriesOf(link, away);
    if (away.length === 0 && !members.isUncertain(link)) return;
    this.schedule(link);
    const [first] = [...members.working(link)].sort();
    if (first !== this.#context.name) return;
    if ([...this.#open].some((session) => session.base === link)) return;
    const now = this.#context.monotonic();
    const member = away.find(({ name }) => !(now < (retryAt.get(name) ?? 0)));
    if (member !== undefined) void this.#adopt(link, member);
  }

  /** Returns the times of a broker, only those of members that are away. */
  #retriesOf(
    link: Link,
    away: readonly OfflineMember[],
  ): Map<string, number> {
    const before = this.#retryAt.get(link);
    const times = new Map<string, number>();
    for (const { name } of away) {
      const time = before?.get(name);
      if (time !== undefined) times.set(name, time);
    }
    this.#retryAt.set(link, times);
    return times;
  }

  async #adopt(base: Link, member: OfflineMember): Promise<void> {
    const { name, since } = member;
    const { clock, log, topics } = this.#context;
    const session = new AdoptedSession({
      base,
      link: this.#sessions.open(base, name),
      markerTopic: topics.marker(name),
      requestTopic: topics.request,
      shared: this.#topics.shared,
      own: this.#topics.subscriptions(name).filter((filter) =>
        filter !== topics.marker(name)
      ),
      dispatch: this.#parts.dispatch,
    });
    // Older ones have expired.
    const earliest = Math.max(
      since ?? -Infinity,
      clock.now() - this.#sessions.expiryMs,
    );
    clock.markDisconnected(earliest - NOTICE_MS, session);
    this.#open.add(session);
    const retryAt = this.#context.monotonic() + RETRY_MS;
    this.#retryAt.get(base)?.set(name, retryAt);
    const error = await session.drain(() => {
      if (this.#stopped) return;
      this.#retryAt.get(base)?.delete(name);
      this.#parts.members.publishSuccessor(base, name);
    });
    this.#open.delete(session);
    clock.forget(session);
    if (this.#stopped) return;
    if (error !== undefined) {
      log.warnLimited(
        "adoption",
        `Cannot take the messages that wait for the server ${
          quoteName(name)
        } on ${base.description}: ${messageOf(error)}. Tried again each ${
          RETRY_MS / 1000
        } s. Each server of a group must be allowed to connect with the client ids of the others (docs/SECURITY.md)`,
      );
    } else if (session.isStored && session.count > 0) {
      log.info(
        `Took ${plural(session.count, "message")} that waited for the server ${
          quoteName(name)
        } on ${base.description}`,
      );
    }
    // The next one, or this one again if it is still away.
    this.schedule(base);
  }
}

/** Options of {@linkcode AdoptedSession}. */
interface SessionOptions {
  /** The connection of this server to the broker. */
  readonly base: Link;
  readonly link: AdoptedLink;
  /** The session is subscribed to it, and nothing else is published there. */
  readonly markerTopic: string;
  readonly requestTopic: string;
  /** The filters of its share. */
  readonly shared: readonly string[];
  /** Filters for what only the member itself can use. */
  readonly own: readonly string[];
  readonly dispatch: (message: Incoming) => void;
}

/** The session of a member that is away. */
class AdoptedSession implements OtherSession {
  readonly #options: SessionOptions;
  /** Payloads of messages that were dispatched and are not acknowledged. */
  readonly #readings = new Set<Uint8Array>();
  /** The same of requests: they are answered after the readings of all. */
  readonly #requests = new Set<Uint8Array>();
  readonly #marker = crypto.randomUUID();
  #hasMarker = false;
  #isStored = false;
  #isLost = false;
  #hasTimedOut = false;
  readonly #stored = Promise.withResolvers<void>();
  readonly #answered = Promise.withResolvers<void>();
  /** The number of messages so far. */
  count = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#stored.promise.catch(() => {});
    this.#answered.promise.catch(() => {});
  }

  get base(): Link {
    return this.#options.base;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** True when all readings are stored that waited. */
  get isStored(): boolean {
    return this.#isStored;
  }

  acknowledge(messages: readonly Incoming[]): void {
    this.#options.link.acknowledge(messages);
    for (const { payload } of messages) {
      this.#readings.delete(payload);
      this.#requests.delete(payload);
    }
    this.#check();
  }

  acknowledgeLater(message: Incoming): void {
    this.#options.link.acknowledgeLater?.(message);
  }

  /**
   * Handles all that waits in the session. Ends early if the member is back, or
   * the broker cannot be reached.
   *
   * @param onStored called when all readings are stored
   * @returns why that failed; undefined if it did not, or the session was lost
   */
  async drain(onStored: () => void): Promise<unknown> {
    const { link, shared, own, markerTopic } = this.#options;
    const timer = setTimeout(() => {
      this.#hasTimedOut = true;
      this.#fail(
        `not all of them were received and stored within ${
          DRAIN_TIMEOUT_MS / 1000
        } s`,
      );
    }, DRAIN_TIMEOUT_MS);
    try {
      await link.open({
        message: (message) => this.#receive(message),
        down: () => this.#fail(),
        failed: () => this.#fail(),
      });
      if (link.sessionPresent === true) {
        await link.unsubscribe([...shared, ...own]);
        const payload = encoder.encode(this.#marker);
        await link.publish(markerTopic, payload, { qos: 1 });
        await this.#stored.promise;
      }
      this.#isStored = true;
      onStored();
      this.#check(); // there may be no requests
      await this.#answered.promise;
      return undefined;
    } catch (error) {
      return this.#isLost && !this.#hasTimedOut ? undefined : error;
    } finally {
      clearTimeout(timer);
      await link.close();
    }
  }

  /** Ends {@linkcode drain}. */
  async close(): Promise<void> {
    this.#fail();
    await this.#options.link.close();
  }

  #fail(problem = "the session was lost"): void {
    this.#isLost = true;
    const error = new Error(problem);
    this.#stored.reject(error);
    this.#answered.reject(error);
  }

  #receive(message: Incoming): void {
    const { link, base, dispatch, own } = this.#options;
    const { markerTopic, requestTopic } = this.#options;
    if (message.topic === markerTopic) {
      link.acknowledge([message]);
      this.#hasMarker ||= decoder.decode(message.payload) === this.#marker;
      this.#check();
    } else if (own.some((filter) => covers(filter, message.topic))) {
      link.acknowledge([message]);
    } else {
      this.count++;
      const kind = message.topic === requestTopic
        ? this.#requests
        : this.#readings;
      if (message.qos > 0) kind.add(message.payload);
      dispatch({ ...message, link: base, session: this });
    }
  }

  #check(): void {
    if (this.#hasMarker && this.#readings.size === 0) this.#stored.resolve();
    if (this.#isStored && this.#requests.size === 0) this.#answered.resolve();
  }
}

/** Of filters without wildcards, or with `+` as their last level. */
function covers(filter: string, topic: string): boolean {
  return filter.endsWith("/+")
    ? topic.startsWith(filter.slice(0, -1))
    : topic === filter;
}
