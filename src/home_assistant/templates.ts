/**
 * The Jinja templates by which Home Assistant reads our messages. `value_json`
 * is the parsed payload; it is not defined if the payload is not JSON, such as
 * the empty one that deletes a retained message.
 *
 * Home Assistant takes `None` for unknown, and ignores an empty result.
 *
 * @module
 */

/** Whether a zone is occupied: `True`, `False` or `None`. */
export const OCCUPIED_TEMPLATE =
  "{{ value_json.occupied if value_json is defined else '' }}";

/** The count of a zone; `None` if nothing is known. */
export const COUNT_TEMPLATE =
  "{{ '' if value_json is not defined else None if value_json.occupied is none else value_json.count }}";

/** The percentage of a zone; `None` if nothing is known. */
export const PERCENT_TEMPLATE =
  "{{ value_json.percent if value_json is defined else '' }}";

/**
 * All other fields of a zone, as JSON. Without the time and the revision:
 * Home Assistant stores each set of attributes, and these are always new.
 */
export const ATTRIBUTES_TEMPLATE =
  "{{ dict(value_json.items() | rejectattr('0', 'in', ['occupied', 'count', 'percent', 'time', 'revision'])) | tojson if value_json is defined else '{}' }}";

/**
 * Whether the state of the server says `online`. While it cannot store
 * readings, the states of zones may be old.
 */
export const AVAILABILITY_TEMPLATE =
  "{{ 'offline' if value_json is not defined or value_json.problem is defined else value_json.state }}";
