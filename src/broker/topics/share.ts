/**
 * The filters of shared subscriptions (MQTT 5, 4.8.2).
 *
 * @module
 */

const PREFIX = "$share/";

/** Returns true if a filter is that of a shared subscription, valid or not. */
export function isShared(filter: string): boolean {
  return filter.startsWith(PREFIX);
}

/**
 * Returns the filter of a shared subscription without `$share/<group>/`;
 * undefined if the name of the group is empty or has a wildcard, or if the
 * filter is missing (4.8.2).
 *
 * @param filter begins with `$share/`
 */
export function sharedFilter(filter: string): string | undefined {
  const end = filter.indexOf("/", PREFIX.length);
  if (end <= PREFIX.length || end === filter.length - 1) return undefined;
  if (/[+#]/.test(filter.slice(PREFIX.length, end))) return undefined;
  return filter.slice(end + 1);
}

/**
 * Returns the part of a filter that topics are compared with: of a shared
 * subscription the part after the group, of others the whole.
 *
 * @param filter a valid filter
 */
export function topicPart(filter: string): string {
  return isShared(filter) ? sharedFilter(filter) ?? filter : filter;
}
