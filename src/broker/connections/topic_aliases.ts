/**
 * The topic aliases of one client (MQTT 5, 3.3.2.3.4).
 *
 * @module
 */
import { MalformedPacket, protocolError } from "../codec/malformed.ts";
import type { PublishPacket } from "../codec/packets.ts";
import { ReasonCode } from "../codec/reason_codes.ts";

/**
 * Topic Alias Maximum of the broker (MQTT 5, 3.2.2.3.8): a client makes it
 * remember as many topics.
 */
export const TOPIC_ALIAS_MAXIMUM = 16;
/** The UTF-16 code units of all of them: a topic may have 65,535. */
const MAX_LENGTH = 16 * 1024;

/** The topic of each alias. */
export class TopicAliases {
  readonly #topics: (string | undefined)[] = [];
  #length = 0;

  /**
   * Returns the topic of a PUBLISH with an alias, and remembers it.
   *
   * @throws {MalformedPacket} if the alias is unknown or too large (0x94), or if
   * the topics are too long together (0x97)
   */
  resolve({ topic, topicAlias }: PublishPacket): string {
    if (topicAlias > TOPIC_ALIAS_MAXIMUM) {
      throw new MalformedPacket(
        "a topic alias is above the maximum",
        ReasonCode.TopicAliasInvalid,
      );
    }
    const known = this.#topics[topicAlias];
    if (topic === "") {
      if (known === undefined) throw protocolError("a topic alias is unknown");
      return known;
    }
    this.#length += topic.length - (known?.length ?? 0);
    if (this.#length > MAX_LENGTH) {
      throw new MalformedPacket(
        "the topics of its topic aliases are too long",
        ReasonCode.QuotaExceeded,
      );
    }
    return this.#topics[topicAlias] = topic;
  }
}
