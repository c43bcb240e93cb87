/**
 * The requests that wait for their replies, by reply topic.
 *
 * @module
 */

/** Maximum number of requests that wait. */
export const MAX_WAITING_REQUESTS = 10_000;
/** Maximum memory of waiting requests, mostly Correlation Data. */
export const MAX_WAITING_BYTES: number = 16 * 1024 * 1024;
/** Additional room for the first request of each topic. */
export const RESERVED_REQUESTS = 2000;
const RESERVED_BYTES = 4 * 1024 * 1024;

/** A request that waits. */
export interface QueuedRequest {
  /** The topic of the reply. */
  readonly topic: string;
  /**
   * Equal for requests whose replies are equal byte for byte, on one topic;
   * undefined if there is no such request.
   */
  readonly identity: string | undefined;
  /** Memory of the request, in bytes. */
  readonly bytes: number;
}

/** The requests of one topic. */
interface TopicQueue<T> {
  readonly requests: T[];
  /** Those that are not begun, by identity. */
  readonly waiting: Map<string, T>;
  bytes: number;
  /** True if the first request is begun. */
  isBegun: boolean;
}

/**
 * The requests of each topic, in order of arrival. A topic may have as many
 * requests as there is room left for all topics: so a single topic gets at most
 * half of the room. The first request of a topic has a reserve, so that a few
 * topics cannot take all room.
 */
export class RequestQueue<T extends QueuedRequest> {
  readonly #topics = new Map<string, TopicQueue<T>>();
  #size = 0;
  #bytes = 0;

  /** Number of requests. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a request.
   *
   * @returns false if its topic has too many
   */
  add(request: T): boolean {
    const { topic, identity, bytes } = request;
    let queue = this.#topics.get(topic);
    const length = queue?.requests.length ?? 0;
    const own = queue?.bytes ?? 0;
    const room = MAX_WAITING_REQUESTS - this.#size;
    const bytesRoom = MAX_WAITING_BYTES - this.#bytes - bytes;
    const isAccepted = length === 0
      ? room > -RESERVED_REQUESTS && bytesRoom >= -RESERVED_BYTES
      : length < room && own <= bytesRoom;
    if (!isAccepted) return false;
    if (queue === undefined) {
      queue = { requests: [], waiting: new Map(), bytes: 0, isBegun: false };
      this.#topics.set(topic, queue);
    }
    queue.requests.push(request);
    if (identity !== undefined) queue.waiting.set(identity, request);
    queue.bytes += bytes;
    this.#size++;
    this.#bytes += bytes;
    return true;
  }

  /** Returns the request with the same reply that waits. */
  find(topic: string, identity: string): T | undefined {
    return this.#topics.get(topic)?.waiting.get(identity);
  }

  /**
   * The cells of the first request of a topic are being read: they are too old
   * for a later request. {@linkcode RequestQueue.find} ignores it.
   */
  begin(topic: string): void {
    const queue = this.#topics.get(topic);
    const identity = queue?.requests[0]?.identity;
    if (queue === undefined || queue.isBegun) return;
    queue.isBegun = true;
    if (identity !== undefined) queue.waiting.delete(identity);
  }

  /** Returns the first request of a topic. */
  first(topic: string): T | undefined {
    return this.#topics.get(topic)?.requests[0];
  }

  /** Removes the first request of a topic. */
  shift(topic: string): void {
    const queue = this.#topics.get(topic);
    if (queue === undefined) return;
    const { isBegun } = queue;
    const request = queue.requests.shift()!;
    queue.isBegun = false;
    queue.bytes -= request.bytes;
    this.#size--;
    this.#bytes -= request.bytes;
    const { identity } = request;
    if (identity !== undefined && !isBegun) queue.waiting.delete(identity);
    if (queue.requests.length === 0) this.#topics.delete(topic);
  }

  /** Removes all requests. */
  clear(): void {
    this.#topics.clear();
    this.#size = this.#bytes = 0;
  }
}
