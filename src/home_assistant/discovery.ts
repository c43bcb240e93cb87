/**
 * The messages by which Home Assistant discovers zones: MQTT device discovery
 * (https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload).
 *
 * Each zone is a device with three entities, so that a zone can be assigned to
 * an area as a whole, a message is small whatever the number of zones, and an
 * empty message removes exactly one zone.
 *
 * @module
 */
import type { Unit } from "../protocol/display.ts";
import type { Topics } from "../protocol/topics.ts";
import type { Zone } from "../zones/zone.ts";
import { idOf, slugOf } from "./slug.ts";
import {
  ATTRIBUTES_TEMPLATE,
  AVAILABILITY_TEMPLATE,
  COUNT_TEMPLATE,
  OCCUPIED_TEMPLATE,
  PERCENT_TEMPLATE,
} from "./templates.ts";

/** The default of Home Assistant's discovery prefix. */
export const DEFAULT_DISCOVERY_PREFIX = "homeassistant";

/** What the messages of all zones have in common. */
export interface DiscoveryOptions {
  /** The discovery prefix of Home Assistant. */
  readonly prefix: string;
  /** The topics of the server. */
  readonly topics: Topics;
  /** The version of the server. */
  readonly version: string;
}

/** Makes the messages by which Home Assistant discovers zones. */
export class Discovery {
  /** See {@linkcode statusTopics}. */
  readonly statusTopics: readonly string[];

  readonly #options: DiscoveryOptions;
  /** Of the topic prefix: two servers on one broker have different ones. */
  readonly #root: string;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#root = idOf(options.topics.prefix);
    this.statusTopics = statusTopics(options.prefix);
  }

  /**
   * Returns the topic of the message about a zone (retained).
   *
   * @param key of the zone, see `assignKeys`
   */
  topic(key: string): string {
    return `${this.#options.prefix}/device/${this.#root}-${key}/config`;
  }

  /**
   * Returns the message about a zone, as JSON.
   *
   * @param key of the zone
   * @param unit what its values count
   */
  payload(zone: Zone, key: string, unit: Unit): string {
    const { topics, version } = this.#options;
    // Neither part has a hyphen, so the ids of different zones are different.
    const id = `${this.#root}-${key}`;
    const state = topics.zone(zone.name);
    // Used when Home Assistant sees an entity for the first time.
    const entity = [slugOf(topics.prefix), slugOf(zone.name) || key]
      .filter((part) => part !== "").join("_");
    return JSON.stringify({
      dev: {
        ids: [id],
        name: titleOf(zone),
        mf: "occupancy",
        mdl: "Zone",
        sw: version,
      },
      o: { name: "occupancy", sw: version },
      avty: [{ t: topics.state, val_tpl: AVAILABILITY_TEMPLATE }],
      stat_t: state,
      qos: 1,
      cmps: {
        occupancy: {
          p: "binary_sensor",
          uniq_id: `${id}-occupancy`,
          def_ent_id: `binary_sensor.${entity}`,
          // The main entity of a device has no name of its own.
          name: null,
          dev_cla: "occupancy",
          val_tpl: OCCUPIED_TEMPLATE,
          pl_on: "True",
          pl_off: "False",
          json_attr_t: state,
          json_attr_tpl: ATTRIBUTES_TEMPLATE,
        },
        count: {
          p: "sensor",
          uniq_id: `${id}-count`,
          def_ent_id: `sensor.${entity}_count`,
          name: "Count",
          ic: "mdi:counter",
          stat_cla: "measurement",
          unit_of_meas: unit[1],
          val_tpl: COUNT_TEMPLATE,
        },
        percent: {
          p: "sensor",
          uniq_id: `${id}-percent`,
          def_ent_id: `sensor.${entity}_percent`,
          name: "Percent",
          ic: "mdi:gauge",
          stat_cla: "measurement",
          unit_of_meas: "%",
          val_tpl: PERCENT_TEMPLATE,
        },
      },
    });
  }
}

/**
 * Returns the topics on which Home Assistant publishes `online` and `offline`:
 * one with its discovery prefix, and the default one, since the two settings of
 * Home Assistant are separate.
 */
export function statusTopics(prefix: string): readonly string[] {
  return [...new Set([prefix, DEFAULT_DISCOVERY_PREFIX])]
    .map((one) => `${one}/status`);
}

/** A blank name would hide a device in the lists of Home Assistant. */
function titleOf({ title, name }: Zone): string {
  return title === undefined || title.trim() === "" ? name : title;
}

/**
 * Returns a message that makes Home Assistant create the entities of a removed
 * zone again, so that it removes them from its registry with the next, empty
 * message: it has missed the first one.
 *
 * @param topic of the removed zone, see {@linkcode Discovery.topic}
 */
export function revivalPayload(topic: string): string {
  const id = topic.split("/").at(-2)!;
  const component = (platform: string, name: string) => ({
    p: platform,
    uniq_id: `${id}-${name}`,
    name,
  });
  return JSON.stringify({
    dev: { ids: [id], name: id },
    o: { name: "occupancy" },
    stat_t: `${id}/removed`,
    cmps: {
      occupancy: component("binary_sensor", "occupancy"),
      count: component("sensor", "count"),
      percent: component("sensor", "percent"),
    },
  });
}
