/**
 * The topic names of a server, and the rules for names in topics.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { sourceLevel } from "./sources.ts";
import { encodeText, quote } from "./text.ts";

/** The layer of readings and requests without a layer name. */
export const DEFAULT_LAYER = "default";

/** The default prefix of all topics. */
export const DEFAULT_PREFIX = "occupancy";

/** Maximum bytes (UTF-8) of a prefix, a layer name and a reply name. */
export const MAX_NAME_BYTES = 200;

/**
 * Characters that MQTT 3.1.1 (1.5.3, 4.7) forbids in a topic name, or for which
 * a receiver may disconnect. Lone surrogates are tested separately.
 */
const FORBIDDEN = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;

/** Topics whose layer is remembered. */
const MAX_CACHED_LAYERS = 1000;

/** What decoders put in place of bytes that are not UTF-8. */
const REPLACEMENT_CHARACTER = "\ufffd";

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
  /** The start of every topic, without a slash at the end. */
  readonly prefix: string;
  /** The topic of requests. */
  readonly request: string;
  /** The default topic of replies. */
  readonly response: string;
  /** The topic of the server's state (retained; also the topic of its will). */
  readonly state: string;
  /** The topic of reports about refused payloads. */
  readonly errors: string;
  /** The filter of all readings; `#` includes its parent (3.1.1, 4.7.1.2). */
  readonly dataFilter: string;
  /** The filter of the states of all zones. */
  readonly zoneFilter: string;
  /** The filter of the events of all zones. */
  readonly zoneEventFilter: string;
  /** The filter of the events of all sources. */
  readonly sourceEventFilter: string;
  /** Filters of the topics that only the server may publish to. */
  readonly serverOnlyFilters: readonly string[];
  /** Filters of the topics that a client reads: what the server publishes. */
  readonly clientFilters: readonly string[];

  readonly #data: string;
  readonly #changes: string;
  readonly #zones: string;
  readonly #sources: string;
  // Consecutive messages usually have the same topic, or one of a few.
  #lastTopic = "";
  #lastLayer: string | undefined;
  readonly #layers = new Map<string, string>();

  /**
   * Makes the topics of a prefix.
   *
   * @param prefix one or more topic levels, such as `site/occupancy`
   * @throws {ProtocolError} "bad-prefix"
   */
  constructor(prefix: string = DEFAULT_PREFIX) {
    const problem = prefix.startsWith("$")
      ? "starts with $, which is reserved for brokers"
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
    this.#zones = `${prefix}/zone`;
    this.#sources = `${prefix}/source`;
    this.dataFilter = `${this.#data}/#`;
    this.zoneFilter = `${this.#zones}/+`;
    this.zoneEventFilter = `${this.#zones}/+/event`;
    this.sourceEventFilter = `${this.#sources}/+/event`;
    const published = [
      ...[`${this.#changes}/#`, `${this.response}/#`, `${this.#zones}/#`],
      ...[`${this.#sources}/#`, this.errors],
    ];
    this.serverOnlyFilters = [`${prefix}/server/#`, ...published];
    this.clientFilters = [this.state, `${this.state}/+`, ...published];
  }

  /**
   * Returns the topic of a layer's readings.
   *
   * @param layer the name of the layer
   * @throws {ProtocolError} "bad-layer"
   */
  data(layer: string = DEFAULT_LAYER): string {
    return ofLayer(this.#data, layer);
  }

  /**
   * Returns the topic of a layer's deltas.
   *
   * @param layer the name of the layer
   * @throws {ProtocolError} "bad-layer"
   */
  changes(layer: string = DEFAULT_LAYER): string {
    return ofLayer(this.#changes, layer);
  }

  /**
   * Returns the topic of a zone's state (retained).
   *
   * @param name the name of the zone
   * @throws {ProtocolError} "bad-zone"
   */
  zone(name: string): string {
    assertZoneName(name);
    return `${this.#zones}/${name}`;
  }

  /**
   * Returns the topic of a zone's events.
   *
   * @param name the name of the zone
   * @throws {ProtocolError} "bad-zone"
   */
  zoneEvent(name: string): string {
    return `${this.zone(name)}/event`;
  }

  /**
   * Returns what the topic of a zone's state or event is of; undefined for other
   * topics.
   *
   * @param topic any topic
   */
  zoneOf(topic: string): { zone: string; isEvent: boolean } | undefined {
    if (!topic.startsWith(this.#zones + "/")) return undefined;
    const [zone = "", last, ...rest] = topic.slice(this.#zones.length + 1)
      .split("/");
    const isEvent = last === "event";
    if ((last !== undefined && !isEvent) || rest.length > 0) return undefined;
    return zone === "" ? undefined : { zone, isEvent };
  }

  /**
   * Returns the topic of the events of a source. Its level for the source is
   * percent-encoded where necessary, see {@linkcode sourceLevel}.
   *
   * @param name the name of the source, not empty
   */
  sourceEvent(name: string): string {
    return `${this.#sources}/${sourceLevel(name)}/event`;
  }

  /**
   * Returns the topic on which a server publishes markers to itself.
   *
   * @param name the server's MQTT client id
   */
  marker(name: string): string {
    return `${this.prefix}/server/barrier/${name}`;
  }

  /**
   * Returns the topic on which the doctor checks whether a server may publish
   * and subscribe.
   *
   * @param id one topic level, unique among the clients
   */
  serverCheck(id: string): string {
    return `${this.prefix}/server/${id}`;
  }

  /**
   * Returns the topic on which the doctor checks whether the embedded broker
   * stores messages for a client.
   *
   * @param id one topic level, unique among the clients
   */
  clientCheck(id: string): string {
    return `${this.prefix}/check/${id}`;
  }

  /**
   * Returns the filters that a server subscribes to at QoS 1.
   *
   * @param name the server's MQTT client id
   */
  serverSubscriptions(name: string): string[] {
    return [this.dataFilter, this.request, this.marker(name)];
  }

  /** Returns the filters of a server at QoS 0 (not in its session). */
  serverLiveSubscriptions(): string[] {
    return [this.state];
  }

  /**
   * Returns a reply topic for one client, for use in requests.
   *
   * @param name one or more topic levels, unique among the clients
   * @throws {ProtocolError} "bad-reply-topic"
   */
  responseFor(name: string): string {
    const topic = `${this.response}/${name}`;
    this.assertReplyTopic(topic);
    return topic;
  }

  /**
   * Returns the layer of a topic with readings; undefined for other topics, and
   * for topics without a valid layer (`occupancy/data/`).
   *
   * @param topic any topic
   */
  layerOf(topic: string): string | undefined {
    if (topic !== this.#lastTopic) {
      this.#lastTopic = topic;
      this.#lastLayer = this.#layers.get(topic) ?? this.#addLayer(topic);
    }
    return this.#lastLayer;
  }

  #addLayer(topic: string): string | undefined {
    const layer = this.#findLayer(topic);
    if (this.#layers.size >= MAX_CACHED_LAYERS) this.#layers.clear();
    if (layer !== undefined) this.#layers.set(topic, layer);
    return layer;
  }

  #findLayer(topic: string): string | undefined {
    if (topic === this.#data) return DEFAULT_LAYER;
    if (!topic.startsWith(this.#data + "/")) return undefined;
    const layer = topic.slice(this.#data.length + 1);
    return nameProblem(layer) === undefined ? layer : undefined;
  }

  /**
   * Checks that a topic is allowed for replies: `<prefix>/response` or below
   * it. A request cannot make the server publish elsewhere.
   *
   * @param topic the requested topic
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
      { hint: `Use ${this.response}/ and a name of your choice.` },
    );
  }
}

/**
 * Checks the name of a layer: one or more topic levels, at most 200 bytes.
 *
 * @param layer the name
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

/**
 * Checks the name of a zone: one topic level, at most 200 bytes, not blank.
 *
 * @param name the name
 * @throws {ProtocolError} "bad-zone"
 */
export function assertZoneName(name: string): void {
  const problem = levelProblem(name);
  if (problem !== undefined) {
    throw new ProtocolError(
      "bad-zone",
      `the zone name ${quote(name)} ${problem}`,
    );
  }
}

/**
 * Returns what is wrong with a name that is one topic level; undefined if it is
 * valid: at most 200 bytes, not blank.
 *
 * @param name any text
 */
export function levelProblem(name: string): string | undefined {
  return name !== "" && name.trim() === ""
    ? "is blank"
    : name.includes("/")
    ? "has a slash"
    : nameProblem(name);
}

/**
 * Returns what is wrong with a text that is published for people, such as a
 * title; undefined if it is valid: at most 200 bytes, no control characters.
 *
 * @param text any text
 */
export function textProblem(text: string): string | undefined {
  return characterProblem(text) ?? lengthProblem(text);
}

function ofLayer(root: string, layer: string): string {
  if (layer === DEFAULT_LAYER) return root;
  assertLayer(layer);
  return `${root}/${layer}`;
}

/** Returns what is wrong with a name; undefined if it is valid. */
function nameProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.includes("+") || name.includes("#")) return "has a wildcard";
  const problem = characterProblem(name);
  if (problem !== undefined) return problem;
  if (name.startsWith("/") || name.endsWith("/") || name.includes("//")) {
    return "has an empty level";
  }
  return lengthProblem(name);
}

function characterProblem(text: string): string | undefined {
  if (!text.isWellFormed()) return "has half of a surrogate pair";
  // Different names would be the same one: B\xfcro and B\xe4ro.
  if (text.includes(REPLACEMENT_CHARACTER)) return "is not valid UTF-8";
  return FORBIDDEN.test(text) ? "has a control character" : undefined;
}

function lengthProblem(text: string): string | undefined {
  // A UTF-16 code unit takes at most three bytes: encode only long names.
  if (text.length * 3 <= MAX_NAME_BYTES) return undefined;
  const { length } = encodeText(text.slice(0, MAX_NAME_BYTES + 1));
  return length > MAX_NAME_BYTES
    ? `is over ${MAX_NAME_BYTES} bytes`
    : undefined;
}
