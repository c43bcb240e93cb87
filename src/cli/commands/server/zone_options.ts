/** Zones, webhooks and Home Assistant: options of `occupancy server`. */
import { DEFAULT_DISCOVERY_PREFIX } from "../../../home_assistant/discovery.ts";
import { parseWebhook, redactWebhook } from "../../../webhooks/address.ts";
import type { OptionSpec } from "../../arguments/spec.ts";
import { parsePrefix } from "../../arguments/name_values.ts";

const ZONES = "Zones and events";

/** Options of `occupancy server`. */
export const ZONE_OPTIONS = [
  {
    name: "zones",
    value: "file",
    summary:
      "GeoJSON file with the zones, read again when it changes; zones can then not be edited in the dashboard",
    unset: "the zones that are stored",
    file: true,
    group: ZONES,
  },
  {
    name: "webhook",
    value: "url",
    summary:
      "send the events of zones and sources to this address (http or https); may be repeated, in the variable with spaces between",
    unset: "none",
    parse: parseWebhook,
    mask: redactWebhook,
    multiple: true,
    words: true,
    group: ZONES,
  },
  {
    name: "webhook-secret-file",
    value: "file",
    summary:
      "file with the secret that signs the requests of --webhook, as in Standard Webhooks: whsec_ and Base64",
    unset: "they are not signed",
    file: true,
    group: ZONES,
  },
  {
    name: "home-assistant",
    value: "prefix",
    implied: DEFAULT_DISCOVERY_PREFIX,
    summary:
      "show the zones in Home Assistant, by MQTT discovery under this prefix; without the option, zones shown before are removed there",
    unset: "off",
    parse: parsePrefix,
    group: ZONES,
  },
] as const satisfies readonly OptionSpec[];
