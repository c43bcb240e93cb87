/**
 * The rules for topic names and topic filters (MQTT 5, 4.7 and 4.8.2).
 *
 * @module
 */
import { isLongerThan } from "../../common/bytes.ts";

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;
/** Names and filters are at most this long (MQTT 5, 4.7.3-3). */
const MAX_TOPIC_BYTES = 65_535;
const SHARE_PREFIX = "$share/";

/** Returns true if bytes `from` to `to` (exclusive) contain `+` or `#`. */
export function hasWildcard(
  bytes: Uint8Array,
  from: number,
  to: number,
): boolean {
  for (let at = from; at < to; at++) {
    if (bytes[at] === PLUS || bytes[at] === HASH) return true;
  }
  return false;
}

/**
 * Returns true if a message can be published to a topic: it has at least one
 * character (MQTT 5, 4.7.3-1), no wildcards (MQTT 5, 3.3.2-2), no NUL (MQTT 5,
 * 4.7.3-2), no lone surrogates, and at most 65,535 bytes.
 */
export function isTopicName(topic: string): boolean {
  return !/[+#\0]/.test(topic) && hasTopicLength(topic);
}

/**
 * Returns true if a topic filter is valid: `#` is alone in the last level
 * (MQTT 5, 4.7.1-1), `+` alone in its level (MQTT 5, 4.7.1-2), and the rest as
 * in {@linkcode isTopicName}. `$share/` has no special meaning.
 */
export function isTopicFilter(filter: string): boolean {
  if (filter.includes("\0") || !hasTopicLength(filter)) return false;
  for (let at = 0; at < filter.length; at++) {
    const code = filter.charCodeAt(at);
    if (code !== PLUS && code !== HASH) continue;
    if (at > 0 && filter.charCodeAt(at - 1) !== SLASH) return false;
    const isLast = at + 1 === filter.length;
    if (!isLast && (code === HASH || filter.charCodeAt(at + 1) !== SLASH)) {
      return false;
    }
  }
  return true;
}

/** What {@linkcode parseFilter} found. */
export interface ParsedFilter {
  /** The group of a shared subscription (MQTT 5, 4.8.2), or undefined. */
  readonly shareName: string | undefined;
  /** The filter to match topics with. */
  readonly topicFilter: string;
}

/**
 * Splits and checks the filter of a subscription. A shared one is
 * `$share/group/filter`: the group has at least one character and no `/`, `+`
 * or `#` (MQTT 5, 4.8.2-1, 4.8.2-2).
 *
 * @returns undefined if the filter is not valid
 */
export function parseFilter(filter: string): ParsedFilter | undefined {
  if (!isShared(filter)) {
    return isTopicFilter(filter)
      ? { shareName: undefined, topicFilter: filter }
      : undefined;
  }
  const slash = filter.indexOf("/", SHARE_PREFIX.length);
  const shareName = filter.slice(SHARE_PREFIX.length, slash);
  const topicFilter = filter.slice(slash + 1);
  return slash > 0 && isTopicName(shareName) && isTopicFilter(topicFilter)
    ? { shareName, topicFilter }
    : undefined;
}

/** Returns true for the filter of a shared subscription, valid or not. */
export function isShared(filter: string): boolean {
  return filter.startsWith(SHARE_PREFIX);
}

/**
 * Returns the part of a filter that topics are compared with: of a shared
 * subscription the part after the group, of others the whole.
 *
 * @param filter a valid filter
 */
export function topicPart(filter: string): string {
  return isShared(filter) ? parseFilter(filter)?.topicFilter ?? filter : filter;
}

/** Returns the number of levels of a topic name or filter (MQTT 5, 4.7.1.1). */
export function countLevels(topic: string): number {
  let levels = 1;
  for (let at = 0; at < topic.length; at++) {
    if (topic.charCodeAt(at) === SLASH) levels++;
  }
  return levels;
}

function hasTopicLength(topic: string): boolean {
  return topic !== "" && topic.isWellFormed() &&
    !isLongerThan(topic, MAX_TOPIC_BYTES);
}
