/**
 * Finds out whether a message would have a receiver.
 *
 * @module
 */
import type { Aedes } from "aedes";
import { matchesFilter } from "./topic_set.ts";

/**
 * With more filters with wildcards, every topic may have a receiver: the search
 * would take longer than a message costs.
 */
const MAX_SEARCHED_FILTERS = 256;

/** A subscription of a SUBSCRIBE. */
export interface StoredSubscription {
  readonly topic: string;
  readonly qos: number;
}

/**
 * The filters of kept sessions at QoS 1 and 2: a message to one of them is
 * stored while the client is disconnected (MQTT 3.1.1, 4.1).
 */
export class KeptSubscriptions {
  /** The filters by client. */
  readonly #byClient = new Map<string, Set<string>>();
  /** How many clients have a filter. */
  readonly #names = new Map<string, number>();
  readonly #wildcards = new Map<string, number>();

  /** Adds subscriptions of a client. At QoS 0 they are removed instead. */
  add(clientId: string, subscriptions: readonly StoredSubscription[]): void {
    for (const { topic, qos } of subscriptions) {
      this.remove(clientId, [topic]);
      if (qos === 0) continue;
      let filters = this.#byClient.get(clientId);
      if (filters === undefined) {
        this.#byClient.set(clientId, filters = new Set());
      }
      filters.add(topic);
      const counts = this.#countsOf(topic);
      counts.set(topic, (counts.get(topic) ?? 0) + 1);
    }
  }

  /** Removes subscriptions of a client. */
  remove(clientId: string, filters: Iterable<string>): void {
    const own = this.#byClient.get(clientId);
    for (const filter of filters) {
      if (!own?.delete(filter)) continue;
      const counts = this.#countsOf(filter);
      const count = counts.get(filter)! - 1;
      if (count > 0) counts.set(filter, count);
      else counts.delete(filter);
    }
    if (own?.size === 0) this.#byClient.delete(clientId);
  }

  /** Removes all subscriptions of a client. */
  clear(clientId: string): void {
    this.remove(clientId, [...this.#byClient.get(clientId) ?? []]);
  }

  /** Returns true if a message to a topic may be stored for a client. */
  matches(topic: string): boolean {
    if (this.#names.has(topic)) return true;
    if (this.#wildcards.size > MAX_SEARCHED_FILTERS) return true;
    for (const filter of this.#wildcards.keys()) {
      if (matchesFilter(topic, filter)) return true;
    }
    return false;
  }

  #countsOf(filter: string): Map<string, number> {
    return /[+#]/.test(filter) ? this.#wildcards : this.#names;
  }
}

/** Parts of aedes 1.2.0 that its types omit. */
interface AedesInternals {
  mq: { _matcher: { match(topic: string): readonly unknown[] } };
  persistence: {
    addSubscriptions(
      client: { readonly id: string },
      subscriptions: readonly StoredSubscription[],
    ): Promise<void>;
    removeSubscriptions(
      client: { readonly id: string },
      filters: readonly string[],
    ): Promise<void>;
    cleanSubscriptions(client: { readonly id: string }): Promise<unknown>;
  };
}

/**
 * Observes the subscriptions of a broker. Call it before the first connection.
 *
 * @returns returns true if a message to a topic may have a receiver: a connected
 * client, or a kept session that stores it
 */
export function observeSubscribers(aedes: Aedes): (topic: string) => boolean {
  const { mq, persistence } = aedes as unknown as AedesInternals;
  const kept = new KeptSubscriptions();
  const add = persistence.addSubscriptions.bind(persistence);
  const remove = persistence.removeSubscriptions.bind(persistence);
  const clean = persistence.cleanSubscriptions.bind(persistence);
  persistence.addSubscriptions = (client, subscriptions) => {
    kept.add(client.id, subscriptions);
    return add(client, subscriptions);
  };
  persistence.removeSubscriptions = (client, filters) => {
    kept.remove(client.id, filters);
    return remove(client, filters);
  };
  persistence.cleanSubscriptions = (client) => {
    kept.clear(client.id);
    return clean(client);
  };
  return (topic) => mq._matcher.match(topic).length > 0 || kept.matches(topic);
}
