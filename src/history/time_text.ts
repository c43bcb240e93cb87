/**
 * Times as text, in the time zone of a history.
 *
 * @module
 */

/**
 * Returns a function that writes times (ms since 1970) of a time zone:
 * `2026-11-28 12:00`.
 *
 * @param timezone an IANA name
 * @param hasClock false for days and weeks
 * @param hasSeconds true for one moment
 * @throws {RangeError} if there is no such time zone
 */
export function timeWriter(
  timezone: string,
  hasClock: boolean,
  hasSeconds = false,
): (ms: number) => string {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: timezone,
    ...{ year: "numeric", month: "2-digit", day: "2-digit" },
    ...(hasClock && { hour: "2-digit", minute: "2-digit" }),
    ...(hasSeconds && { second: "2-digit" }),
  });
  return (ms) => format.format(ms);
}
