import { ProtocolError } from "./errors.ts";
import { encodeText, quote } from "./text.ts";

/** The layer that a reading or a request without a layer means. */
export const DEFAULT_LAYER = "default";

/** The prefix of all topics unless another is chosen. */
export const DEFAULT_PREFIX = "occupancy";

/** The most bytes (UTF-8) of a prefix, of a layer name and of a reply name. */
export const MAX_NAME_BYTES = 200;

/**
 * What MQTT 3.1.1 (1.5.3, 4.7) forbids in a topic name or lets a receiver hang
 * up for: control characters and noncharacters. Lone surrogates are tested apart.
 */
const FORBIDDEN = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;

/**
 * The topic names and filters of one server, under its prefix.
 *
 * @example
 * ```ts
 * import { Topics } from "./topics.ts";
 *
 * const topics = new Topics("campus");
 * console.log(topics.data("hall/l2")); // campus/data/hall/l2
 * console.log(topics.layerOf("campus/data")); // default
 * ```
 */
export class Topics {
  /** What every topic starts with, without a slash at its end. */
  readonly prefix: string;
  /** Where requests are published. */
  readonly request: string;
  /** Where replies go that were not asked for elsewhere. */
  readonly response: string;
  /** Where the server says whether it is there (retained; its will too). */
  readonly state: string;
  /** Where refused payloads are reported. */
  readonly errors: string;
  /** The filter of all readings: it matches the parent level too (MQTT 3.1.1, 4.7.1.2). */
  readonly dataFilter: string;

  readonly #data: string;
  readonly #changes: string;
  // One topic is usually followed by itself: remember the last answer.
  #lastTopic = "";
  #lastLayer: string | undefined;

  /**
   * @param prefix One or more topic levels, e.g. `site/occupancy`
   * @throws {ProtocolError} "bad-prefix"
   */
  constructor(prefix: string = DEFAULT_PREFIX) {
    const problem = prefix.startsWith("$")
      ? "starts with $, which brokers keep for themselves"
      : nameProblem(prefix);
    if (problem !== undefined) {
      throw new ProtocolError(
        "bad-prefix",
        `the topic prefix ${quote(prefix)} ${problem}`,
      );
    }
    this.prefix = prefix;
    this.request = `${prefix}/request`;
    this.response = `${prefix}/response`;
    this.state = `${prefix}/server/state`;
    this.errors = `${prefix}/errors`;
    this.#data = `${prefix}/data`;
    this.#changes = `${prefix}/changes`;
    this.dataFilter = `${this.#data}/#`;
  }

  /**
   * Where the readings of a layer are published.
   *
   * @param layer The layer's name
   * @throws {ProtocolError} "bad-layer"
   */
  data(layer: string = DEFAULT_LAYER): string {
    return ofLayer(this.#data, layer);
  }

  /**
   * Where the changes of a layer are published.
   *
   * @param layer The layer's name
   * @throws {ProtocolError} "bad-layer"
   */
  changes(layer: string = DEFAULT_LAYER): string {
    return ofLayer(this.#changes, layer);
  }

  /**
   * A reply topic of one's own, to be asked for in a request.
   *
   * @param name One or more topic levels, unique among the clients
   * @throws {ProtocolError} "bad-reply-topic"
   */
  responseFor(name: string): string {
    const topic = `${this.response}/${name}`;
    this.assertReplyTopic(topic);
    return topic;
  }

  /**
   * The layer whose readings a topic carries, or undefined if the topic
   * carries no readings or names no valid layer (`occupancy/data/`).
   */
  layerOf(topic: string): string | undefined {
    if (topic !== this.#lastTopic) {
      this.#lastTopic = topic;
      this.#lastLayer = this.#findLayer(topic);
    }
    return this.#lastLayer;
  }

  #findLayer(topic: string): string | undefined {
    if (topic === this.#data) return DEFAULT_LAYER;
    if (!topic.startsWith(this.#data + "/")) return undefined;
    const layer = topic.slice(this.#data.length + 1);
    return nameProblem(layer) === undefined ? layer : undefined;
  }

  /**
   * Checks that a reply may go to a topic: `<prefix>/response` or below it.
   * The server never publishes where a stranger points it.
   *
   * @throws {ProtocolError} "bad-reply-topic"
   */
  assertReplyTopic(topic: string): void {
    if (topic === this.response) return;
    const problem = topic.startsWith(this.response + "/")
      ? nameProblem(topic.slice(this.response.length + 1))
      : `is not ${this.response} or below it`;
    if (problem === undefined) return;
    throw new ProtocolError(
      "bad-reply-topic",
      `the reply topic ${quote(topic)} ${problem}`,
      { hint: `Ask for a reply on ${this.response}/<a name of your own>.` },
    );
  }
}

/**
 * Checks a layer's name: one or more topic levels, at most 200 bytes.
 *
 * @throws {ProtocolError} "bad-layer"
 */
export function assertLayer(layer: string): void {
  const problem = nameProblem(layer);
  if (problem !== undefined) {
    throw new ProtocolError(
      "bad-layer",
      `the layer name ${quote(layer)} ${problem}`,
    );
  }
}

function ofLayer(root: string, layer: string): string {
  if (layer === DEFAULT_LAYER) return root;
  assertLayer(layer);
  return `${root}/${layer}`;
}

/** What is wrong with topic levels from a stranger, to follow their quotation. */
function nameProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.includes("+") || name.includes("#")) return "has a wildcard";
  if (!name.isWellFormed()) return "has half of a surrogate pair";
  if (FORBIDDEN.test(name)) return "has a control character";
  if (name.startsWith("/") || name.endsWith("/") || name.includes("//")) {
    return "has an empty level";
  }
  // A code unit is at most three bytes: most names need no encoding to be short.
  if (name.length * 3 > MAX_NAME_BYTES) {
    const { length } = encodeText(name.slice(0, MAX_NAME_BYTES + 1));
    if (length > MAX_NAME_BYTES) return `is over ${MAX_NAME_BYTES} bytes`;
  }
  return undefined;
}
