/**
 * Which sessions receive the messages of a topic.
 *
 * @module
 */
import { countLevels, isShared, topicPart } from "../codec/topic_names.ts";
import { MatchCache } from "../topics/match_cache.ts";
import { TopicTrie } from "../topics/topic_trie.ts";
import type { DeliveryRules } from "./receive_rights.ts";
import type { Session } from "./session.ts";
import { ShareGroup } from "./share_group.ts";
import {
  Overlap,
  type Recipient,
  Subscription,
  type SubscriptionOptions,
} from "./subscription.ts";

/** The receivers of the messages of a topic. It does not change. */
export interface Match {
  /** Connected sessions, each once. */
  readonly connected: readonly Recipient[];
  /** Disconnected sessions that keep messages at QoS 1 and 2, each once. */
  readonly away: readonly Recipient[];
  /** The number of disconnected sessions that drop them: they are full. */
  readonly full: number;
  /** Each receives a message once, whatever its members receive besides. */
  readonly groups: readonly ShareGroup[];
  /** False if there is no subscription that matches. */
  readonly hasSubscription: boolean;
}

/** Of a subscription: its objects. */
const SUBSCRIPTION_BYTES = 400;
/** Of a level of a filter. */
const LEVEL_BYTES = 250;

const NO_MATCH: Match = {
  connected: [],
  away: [],
  full: 0,
  groups: [],
  hasSubscription: false,
};

/**
 * The subscriptions of all sessions. The receivers of recent topics are
 * remembered: publishing to them again costs one access to a map.
 */
export class SubscriptionIndex {
  readonly #rules: DeliveryRules | undefined;
  readonly #trie = new TopicTrie<Subscription | ShareGroup>();
  readonly #groups = new Map<string, ShareGroup>();
  readonly #cache = new MatchCache<Match>((match) =>
    match.connected.length + match.away.length + match.groups.length
  );
  #rulesVersion = 0;
  #stamp = 0;
  #size = 0;
  /** Of the subscriptions, without the levels of their filters. */
  #bytes = 0;

  /** @param rules who may receive what; undefined: all may receive all */
  constructor(rules: DeliveryRules | undefined) {
    this.#rules = rules;
    this.#rulesVersion = rules?.version ?? 0;
  }

  /** The number of subscriptions. */
  get size(): number {
    return this.#size;
  }

  /** The memory of all subscriptions, approximately, in bytes. */
  get bytes(): number {
    return this.#bytes + LEVEL_BYTES * this.#trie.levels;
  }

  /** Returns the memory that a subscription needs at most, in bytes. */
  static bytesFor(filter: string): number {
    return objectBytes(filter) + LEVEL_BYTES * countLevels(filter);
  }

  /** Returns the subscription of a session with a filter. */
  get(session: Session, filter: string): Subscription | undefined {
    // Only this class adds to the map.
    return session.subscriptions.get(filter) as Subscription | undefined;
  }

  /**
   * Adds a subscription, or replaces the one with the same filter (3.8.4).
   *
   * @param options with a valid filter
   * @returns the subscription; the present one if it is equal
   */
  add(session: Session, options: SubscriptionOptions): Subscription {
    const before = this.get(session, options.filter);
    if (before !== undefined) {
      if (before.equals(options)) return before;
      this.#detach(before);
    }
    const subscription = new Subscription(session, options);
    session.subscriptions.set(options.filter, subscription);
    this.#size++;
    this.#bytes += objectBytes(options.filter);
    session.subscriptionBytes += SubscriptionIndex.bytesFor(options.filter);
    if (isShared(options.filter)) {
      this.#groupOf(options.filter).add(subscription);
    } else this.#trie.add(options.filter, subscription);
    this.#cache.invalidate(topicPart(options.filter));
    return subscription;
  }

  /** Removes a subscription of a session. */
  remove(subscription: Subscription): void {
    this.#detach(subscription);
    subscription.session.subscriptions.delete(subscription.options.filter);
    const group = this.#groups.get(subscription.options.filter);
    if (group === undefined || group.members.length > 0) return;
    this.#groups.delete(group.filter);
    this.#trie.remove(topicPart(group.filter), group);
  }

  /** Removes all subscriptions of a session. */
  removeAll(session: Session): void {
    for (const filter of [...session.subscriptions.keys()]) {
      this.remove(this.get(session, filter)!);
    }
  }

  /** Returns the group of a shared subscription; undefined: it has ended. */
  group(filter: string): ShareGroup | undefined {
    return this.#groups.get(filter);
  }

  /** Returns who receives the messages of a topic. */
  match(topic: string): Match {
    const version = this.#rules?.version ?? 0;
    if (version !== this.#rulesVersion) {
      this.#rulesVersion = version;
      this.#cache.clear();
    }
    let match = this.#cache.get(topic);
    if (match === undefined) {
      match = this.#search(topic);
      this.#cache.set(topic, match);
    }
    return match;
  }

  /**
   * Called when a session starts or stops receiving messages.
   *
   * @param filters of its subscriptions
   */
  refresh(filters: Iterable<string>): void {
    if (this.#cache.size === 0) return;
    for (const filter of filters) this.#cache.invalidate(topicPart(filter));
  }

  /** Called when a client has other rights than before. */
  rightsChanged(): void {
    if (this.#rules !== undefined) this.#cache.clear();
  }

  #search(topic: string): Match {
    const found: (Subscription | ShareGroup)[] = [];
    this.#trie.match(topic, found);
    if (found.length === 0) return NO_MATCH;
    const recipients: Recipient[] = [];
    const groups: ShareGroup[] = [];
    let full = 0;
    const stamp = ++this.#stamp;
    for (const one of found) {
      if (one instanceof ShareGroup) {
        if (one.hasReceiver) groups.push(one);
        else full++;
        continue;
      }
      const { session } = one;
      if (session.matchStamp !== stamp) {
        session.matchStamp = stamp;
        if (this.#rules?.mayReceive(session.identity, topic) === false) {
          session.matchIndex = -1;
          continue;
        }
        session.matchIndex = recipients.length;
        recipients.push(one);
      } else if (session.matchIndex >= 0) {
        const before = recipients[session.matchIndex]!;
        const overlap = before instanceof Overlap
          ? before
          : new Overlap(before);
        overlap.add(one);
        recipients[session.matchIndex] = overlap;
      }
    }
    const connected: Recipient[] = [];
    const away: Recipient[] = [];
    for (const recipient of recipients) {
      const { session, qos } = recipient;
      if (session.outlet !== undefined) connected.push(recipient);
      // At QoS 0, nothing is kept for a disconnected client.
      else if (qos === 0) continue;
      else if (session.queue.isBlocked) full++;
      else away.push(recipient);
    }
    return { connected, away, full, groups, hasSubscription: true };
  }

  #groupOf(filter: string): ShareGroup {
    let group = this.#groups.get(filter);
    if (group === undefined) {
      this.#groups.set(filter, group = new ShareGroup(filter));
      this.#trie.add(topicPart(filter), group);
    }
    return group;
  }

  #detach(subscription: Subscription): void {
    const { options, session } = subscription;
    this.#size--;
    this.#bytes -= objectBytes(options.filter);
    session.subscriptionBytes -= SubscriptionIndex.bytesFor(options.filter);
    const group = this.#groups.get(options.filter);
    if (group !== undefined) group.remove(subscription);
    else this.#trie.remove(options.filter, subscription);
    this.#cache.invalidate(topicPart(options.filter));
  }
}

function objectBytes(filter: string): number {
  return SUBSCRIPTION_BYTES + 2 * filter.length;
}
