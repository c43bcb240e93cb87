/**
 * Which members of a group are connected to which broker.
 *
 * @module
 */
import type { Incoming, Link } from "../../mqtt/link.ts";
import {
  encodeState,
  type GroupTopics,
  parseState,
  ProtocolError,
  type ServerState,
} from "../../protocol/mod.ts";
import { publishOrWarn, type ServerContext } from "../context.ts";

/** Any client with the right to publish states can make up members. */
const MAX_MEMBERS = 100;

/**
 * How long a request waits for the messages of a member that has gone: until it
 * is back, or another one has taken them.
 */
const AWAITED_MS = 15_000;

/** What is known of a member on one broker. */
interface Member {
  readonly isOnline: boolean;
  /** True if the state may be outdated: the broker had stored it. */
  readonly isRetained: boolean;
  /** When the state was received, ms since 1970. */
  readonly at: number;
  /**
   * When the server was last in the store's list, or else the state was received,
   * in ms of the clock that never jumps.
   */
  aliveAt: number;
  readonly state: ServerState;
}

/** A member that is not connected to a broker. */
export interface OfflineMember {
  readonly name: string;
  /**
   * When it was connected at the latest, ms since 1970; undefined if that is not
   * known.
   */
  readonly since: number | undefined;
}

/** Called by {@linkcode GroupMembers}. */
export interface MemberEvents {
  /** A member is not connected to a broker, or that is not certain. */
  onOffline(link: Link): void;
  /** Another member has taken the messages of one that is away. */
  onSucceeded(link: Link, name: string): void;
  /** A member has just said that it is online; its store does not fail. */
  onWorks(link: Link, name: string): void;
  /** A state says that this server is offline: it must publish its own. */
  onReplaced(): void;
}

/**
 * The members of the group of this server.
 *
 * Each publishes its state, retained, on a topic of its own. Its will is on the
 * topic that all servers share: when a member dies, the others say so on the
 * topic of its state.
 */
export class GroupMembers {
  readonly #context: ServerContext;
  readonly #topics: GroupTopics;
  readonly #events: MemberEvents;
  readonly #members = new Map<Link, Map<string, Member>>();

  constructor(
    context: ServerContext,
    topics: GroupTopics,
    events: MemberEvents,
  ) {
    this.#context = context;
    this.#topics = topics;
    this.#events = events;
  }

  /**
   * Returns the names of the members that are connected to a broker, this server
   * included.
   */
  online(link: Link): Set<string> {
    const { store, name } = this.#context;
    const alive = store.shared?.leases.members ?? [];
    const names = new Set([name]);
    for (const [name, { isOnline, isRetained }] of this.#on(link)) {
      if (isOnline && (!isRetained || alive.includes(name))) names.add(name);
    }
    return names;
  }

  /**
   * Returns the names of the members that may have readings of a broker: those
   * that are connected, and those that have gone a short time ago.
   */
  involved(link: Link): Set<string> {
    const since = this.#context.clock.now() - AWAITED_MS;
    const names = this.online(link);
    for (const [name, { isOnline, state, at }] of this.#on(link)) {
      const waits = !isOnline && state.successor === undefined;
      if (waits && at > since) names.add(name);
    }
    return names;
  }

  /**
   * Returns the members that may take the messages of others: those that are
   * connected to a broker, and whose stores work.
   */
  working(link: Link): Set<string> {
    const { name, status } = this.#context;
    const names = this.online(link);
    for (const [name, { state }] of this.#on(link)) {
      if (state.problem !== undefined) names.delete(name);
    }
    if (status.storeProblem !== undefined) names.delete(name);
    return names;
  }

  /**
   * Returns the members that are not connected to a broker, and whose messages no
   * other member has taken. A broker that was restarted may still say of a server
   * that ended meanwhile that it is online: it counts after 15 s in which it was
   * not in the store's list, if this is called every few seconds.
   */
  offline(link: Link): OfflineMember[] {
    const { store, monotonic } = this.#context;
    const alive = store.shared?.leases.members ?? [];
    const now = monotonic();
    return [...this.#on(link)].flatMap(([name, member]) => {
      const { isOnline, isRetained, at, state } = member;
      if (alive.includes(name)) member.aliveAt = now;
      const isGone = isRetained && member.aliveAt <= now - AWAITED_MS;
      if (isOnline && !isGone || state.successor !== undefined) return [];
      return { name, since: isRetained ? state.since : at };
    });
  }

  /**
   * Returns true while only a stored state says of a member that it is online:
   * the broker need not notice its end.
   */
  isUncertain(link: Link): boolean {
    return [...this.#on(link).values()].some(({ isOnline, isRetained }) =>
      isOnline && isRetained
    );
  }

  /** Publishes that this server has taken the messages of a member. */
  publishSuccessor(link: Link, name: string): void {
    const { name: successor, version, log, clock } = this.#context;
    const payload = encodeState({
      state: "offline",
      name,
      version,
      since: clock.now(),
      group: this.#topics.group,
      successor,
    });
    const topic = this.#topics.state(name);
    void publishOrWarn({ link, log }, topic, payload, { qos: 1, retain: true });
  }

  /**
   * Handles a message on the state topic of one server.
   *
   * @returns false for other topics
   */
  handle(message: Incoming): boolean {
    const name = this.#topics.serverOf(message.topic);
    if (name === undefined) return false;
    const { link } = this.#context;
    link.acknowledge([message]);
    const state = parseOwn(message.payload);
    if (state?.name === name && this.isMember(state)) {
      this.#note(message.link ?? link, name, state, message.retain);
    }
    return true;
  }

  /** Returns true for the state of a member of this group. */
  isMember({ group }: ServerState): boolean {
    return group === this.#topics.group;
  }

  /**
   * Handles the state of a member on the topic that all servers share. The will
   * of a member that died is there.
   */
  handleShared(state: ServerState, message: Incoming): void {
    const { name } = state;
    if (name === undefined || message.retain) return;
    const topic = this.#topics.state(name);
    if (this.#topics.serverOf(topic) !== name) return; // no member has this name
    const link = message.link ?? this.#context.link;
    this.#note(link, name, state, false);
    if (state.state === "online" || name === this.#context.name) return;
    link.publish(topic, message.payload, { qos: 1, retain: true })
      .catch(() => {}); // another member, or the next connection, says so
  }

  #note(
    link: Link,
    name: string,
    state: ServerState,
    isRetained: boolean,
  ): void {
    const isOnline = state.state === "online";
    if (name === this.#context.name) {
      if (!isOnline && !isRetained) this.#events.onReplaced();
      return;
    }
    const members = this.#on(link);
    if (!members.has(name) && !makeRoom(members)) {
      this.#context.telemetry.stats.limited.add("group-members");
      return;
    }
    const { clock, monotonic } = this.#context;
    const at = clock.now();
    const aliveAt = monotonic();
    members.set(name, { isOnline, isRetained, at, aliveAt, state });
    if (isOnline && isRetained) this.#events.onOffline(link); // perhaps
    else if (isOnline) {
      if (state.problem === undefined) this.#events.onWorks(link, name);
    } else if (state.successor !== undefined) {
      this.#events.onSucceeded(link, name);
    } else this.#events.onOffline(link);
  }

  #on(link: Link): Map<string, Member> {
    let members = this.#members.get(link);
    if (members === undefined) this.#members.set(link, members = new Map());
    return members;
  }
}

/**
 * Forgets a member that is away and has a successor, if there are too many: the
 * names of servers may change with each start.
 *
 * @returns false if there is no room for another one
 */
function makeRoom(members: Map<string, Member>): boolean {
  if (members.size < MAX_MEMBERS) return true;
  for (const [name, { isOnline, state }] of members) {
    if (isOnline || state.successor === undefined) continue;
    return members.delete(name);
  }
  return false;
}

/** Returns undefined if the payload is no state. */
function parseOwn(payload: Uint8Array): ServerState | undefined {
  try {
    return parseState(payload);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
