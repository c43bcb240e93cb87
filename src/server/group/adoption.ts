/**
 * Takes the messages that wait for a member of the group that is away.
 *
 * @module
 */
import type { Incoming, Link } from "../../mqtt/link.ts";
import type { GroupTopics } from "../../protocol/mod.ts";
import type { ServerContext } from "../context.ts";
import type { GroupMembers, OfflineMember } from "./members.ts";
import type { AdoptedLink, SessionSource } from "./sessions.ts";

/** A member that is started again, or connects again, is back by then. */
const ADOPTION_DELAY_MS = 3000;
/**
 * How long to wait until all messages of a session are stored. Then the session
 * is opened again: the broker delivers what was not acknowledged.
 */
const DRAIN_TIMEOUT_MS = 60_000;
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
 * they wait in its session. So after 3 s, the first of the members that are
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

  /** Takes the sessions of all members that are away, one after the other. */
  #check(link: Link): void {
    const { members } = this.#parts;
    const [first] = [...members.online(link)].sort();
    if (this.#stopped || first !== this.#context.name) return;
    const isBusy = [...this.#open].some((session) => session.base === link);
    const [member] = members.offline(link);
    if (isBusy || member === undefined) return;
    void this.#adopt(link, member);
  }

  async #adopt(base: Link, member: OfflineMember): Promise<void> {
    const { name, since } = member;
    const { clock, log, topics } = this.#context;
    const session = new AdoptedSession({
      base,
      link: this.#sessions.open(base, name),
      markerTopic: topics.marker(name),
      shared: this.#topics.shared,
      own: this.#topics.subscriptions(name).filter((filter) =>
        filter !== topics.marker(name)
      ),
      dispatch: this.#parts.dispatch,
    });
    const earliest = since ?? clock.now() - this.#sessions.expiryMs;
    clock.markDisconnected(earliest - NOTICE_MS, session);
    this.#open.add(session);
    const count = await session.drain();
    this.#open.delete(session);
    clock.forget(session);
    if (this.#stopped) return;
    if (count !== undefined) {
      this.#parts.members.publishSuccessor(base, name);
      if (count > 0) {
        log.info(
          `Took ${count} messages that waited for the server ${name} on ${base.description}`,
        );
      }
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
  /** The filters of its share. */
  readonly shared: readonly string[];
  /** Filters for what only the member itself can use. */
  readonly own: readonly string[];
  readonly dispatch: (message: Incoming) => void;
}

/** The session of a member that is away. */
class AdoptedSession implements Pick<Link, "acknowledge"> {
  readonly #options: SessionOptions;
  /** Messages that were dispatched and are not acknowledged. */
  readonly #outstanding = new Set<unknown>();
  readonly #marker = crypto.randomUUID();
  #hasMarker = false;
  #count = 0;
  readonly #end = Promise.withResolvers<boolean>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get base(): Link {
    return this.#options.base;
  }

  acknowledge(messages: readonly Incoming[]): void {
    this.#options.link.acknowledge(messages);
    for (const { payload } of messages) this.#outstanding.delete(payload);
    this.#endIfDone();
  }

  /**
   * Handles all that waits in the session.
   *
   * @returns the number of messages; undefined if the member is back, or the
   * broker cannot be reached
   */
  async drain(): Promise<number | undefined> {
    const { link, shared, own, markerTopic } = this.#options;
    const fail = () => this.#end.resolve(false);
    try {
      await link.open({
        message: (message) => this.#receive(message),
        down: fail,
        failed: fail,
      });
      if (link.sessionPresent === true) {
        await link.unsubscribe([...shared, ...own]);
        const payload = encoder.encode(this.#marker);
        await link.publish(markerTopic, payload, { qos: 1 });
        const timer = setTimeout(fail, DRAIN_TIMEOUT_MS);
        const isDone = await this.#end.promise;
        clearTimeout(timer);
        if (!isDone) return undefined;
      }
      return this.#count;
    } catch {
      return undefined; // tried again
    } finally {
      await link.close();
    }
  }

  /** Ends {@linkcode drain}. */
  async close(): Promise<void> {
    this.#end.resolve(false);
    await this.#options.link.close();
  }

  #receive(message: Incoming): void {
    const { link, base, dispatch, markerTopic, own } = this.#options;
    if (message.topic === markerTopic) {
      link.acknowledge([message]);
      this.#hasMarker ||= decoder.decode(message.payload) === this.#marker;
      this.#endIfDone();
    } else if (own.some((filter) => covers(filter, message.topic))) {
      link.acknowledge([message]);
    } else {
      this.#count++;
      if (message.qos > 0) this.#outstanding.add(message.payload);
      dispatch({ ...message, link: base, session: this });
    }
  }

  #endIfDone(): void {
    if (this.#hasMarker && this.#outstanding.size === 0) {
      this.#end.resolve(true);
    }
  }
}

/** Of filters without wildcards, or with `+` as their last level. */
function covers(filter: string, topic: string): boolean {
  return filter.endsWith("/+")
    ? topic.startsWith(filter.slice(0, -1))
    : topic === filter;
}
