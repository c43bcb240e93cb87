/**
 * Clauses that the embedded broker does not meet yet. A test fails if one of
 * them is met, so that the list stays true.
 *
 * @module
 */

/** Names of tests of the embedded broker. */
export const NOT_YET: ReadonlySet<string> = new Set<string>([
  "CONNECT refuses every other property (MQTT 5, 2.2.2.2) [embedded, MQTT 5]",
  "DISCONNECT refuses every other property (MQTT 5, 2.2.2.2) [embedded, MQTT 5]",
  "a will refuses authentication (MQTT 5, 2.2.2.2) [embedded, MQTT 5]",
  "a will refuses every other property (MQTT 5, 2.2.2.2) [embedded, MQTT 5]",
]);
