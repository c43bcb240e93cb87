/**
 * Checks messages as Home Assistant does: the schema of MQTT device discovery,
 * written after its documentation (integrations MQTT, MQTT binary sensor and
 * MQTT sensor). Stricter in one point: Home Assistant ignores unknown options of
 * a component, here they are errors, so that a mistyped one is found.
 *
 * @module
 */

/** A discovery message with full option names, and inherited options. */
export interface DiscoveredDevice {
  readonly identifiers: readonly string[];
  readonly name: string;
  /** By the name of the component. */
  readonly components: ReadonlyMap<string, Options>;
}

/** Options by their full names. */
export type Options = Readonly<Record<string, unknown>>;

/** Of the platforms used here. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  avty: "availability",
  avty_mode: "availability_mode",
  avty_t: "availability_topic",
  avty_tpl: "availability_template",
  cmd_t: "command_topic",
  cmps: "components",
  def_ent_id: "default_entity_id",
  dev: "device",
  dev_cla: "device_class",
  dsp_prc: "display_precision",
  e: "encoding",
  en: "enabled_by_default",
  ent_cat: "entity_category",
  ent_pic: "entity_picture",
  exp_aft: "expire_after",
  frc_upd: "force_update",
  ic: "icon",
  json_attr_t: "json_attributes_topic",
  json_attr_tpl: "json_attributes_template",
  lrst_val_tpl: "last_reset_value_template",
  o: "origin",
  off_dly: "off_delay",
  ops: "options",
  p: "platform",
  pl_avail: "payload_available",
  pl_not_avail: "payload_not_available",
  pl_off: "payload_off",
  pl_on: "payload_on",
  stat_cla: "state_class",
  stat_t: "state_topic",
  sug_dsp_prc: "suggested_display_precision",
  t: "topic",
  uniq_id: "unique_id",
  unit_of_meas: "unit_of_measurement",
  val_tpl: "value_template",
};

const DEVICE_ABBREVIATIONS: Readonly<Record<string, string>> = {
  cns: "connections",
  cu: "configuration_url",
  hw: "hw_version",
  ids: "identifiers",
  mdl: "model",
  mdl_id: "model_id",
  mf: "manufacturer",
  sa: "suggested_area",
  sn: "serial_number",
  sw: "sw_version",
};

const ORIGIN_ABBREVIATIONS: Readonly<Record<string, string>> = {
  sw: "sw_version",
  url: "support_url",
};

type Check = (value: unknown) => string | undefined;

const text: Check = (value) =>
  typeof value === "string" ? undefined : "is not a text";
const template: Check = (value) =>
  typeof value === "string" && balanced(value) ? undefined : "is no template";
const flag: Check = (value) =>
  typeof value === "boolean" ? undefined : "is not true or false";
const natural: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 0
    ? undefined
    : "is not 0 or more";
const oneOf = (...words: readonly unknown[]): Check => (value) =>
  words.includes(value) ? undefined : `is not one of ${words.join(", ")}`;
const textOrNull: Check = (value) => value === null ? undefined : text(value);
const icon: Check = (value) =>
  typeof value === "string" && /^[a-z]+:[a-z0-9-]+$/.test(value)
    ? undefined
    : "is no icon";
const url: Check = (value) =>
  typeof value === "string" && URL.canParse(value) ? undefined : "is no URL";
const texts: Check = (value) =>
  typeof value === "string" ||
    Array.isArray(value) && value.every((one) => typeof one === "string")
    ? undefined
    : "is not a list of texts";
/** MQTT 5, 4.7; Home Assistant also refuses control characters. */
const filter: Check = (value) =>
  typeof value === "string" && value !== "" && value.isWellFormed() &&
    new TextEncoder().encode(value).length <= 65_535 &&
    !/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(value) &&
    value.split("/").every((level, i, all) =>
      level === "+" || (level === "#" && i === all.length - 1) ||
      !/[+#]/.test(level)
    )
    ? undefined
    : "is no topic filter";

const AVAILABILITY_ITEM: Readonly<Record<string, Check>> = {
  topic: filter,
  payload_available: text,
  payload_not_available: text,
  value_template: template,
};

const availability: Check = (value) => {
  const list = Array.isArray(value) ? value : [value];
  for (const item of list) {
    const problem = problemOf(item, AVAILABILITY_ITEM, ["topic"]);
    if (problem !== undefined) return problem;
  }
};

/** Options at the top, which components inherit. */
const SHARED: Readonly<Record<string, Check>> = {
  availability,
  availability_mode: oneOf("all", "any", "latest"),
  availability_topic: filter,
  availability_template: template,
  payload_available: text,
  payload_not_available: text,
  command_topic: filter,
  state_topic: filter,
  qos: oneOf(0, 1, 2),
  encoding: text,
};

const ENTITY: Readonly<Record<string, Check>> = {
  ...SHARED,
  platform: text,
  unique_id: text,
  // The form of an entity id, see valid_entity_id() of Home Assistant.
  default_entity_id: (value) =>
    typeof value === "string" && value.length <= 255 &&
      /^[a-z_]+\.(?!_)[\da-z_]+(?<!_)$/.test(value) && !value.includes("__")
      ? undefined
      : "is no entity id",
  enabled_by_default: flag,
  entity_category: oneOf("config", "diagnostic", null),
  entity_picture: url,
  icon,
  json_attributes_topic: filter,
  json_attributes_template: template,
  name: textOrNull,
  value_template: template,
  expire_after: natural,
  force_update: flag,
};

const PLATFORMS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  binary_sensor: {
    ...ENTITY,
    device_class: oneOf(
      ...["battery", "battery_charging", "carbon_monoxide", "cold"],
      ...["connectivity", "door", "garage_door", "gas", "heat", "light"],
      ...["lock", "moisture", "motion", "moving", "occupancy", "opening"],
      ...["plug", "power", "presence", "problem", "running", "safety"],
      ...["smoke", "sound", "tamper", "update", "vibration", "window", null],
    ),
    off_delay: natural,
    payload_off: text,
    payload_on: text,
  },
  sensor: {
    ...ENTITY,
    // The classes that fit a count or a percentage; there are many more.
    device_class: oneOf("battery", "humidity", "moisture", "power_factor"),
    last_reset_value_template: template,
    options: texts,
    state_class: oneOf("measurement", "total", "total_increasing"),
    suggested_display_precision: natural,
    unit_of_measurement: textOrNull,
  },
};

const DEVICE: Readonly<Record<string, Check>> = {
  identifiers: texts,
  connections: texts,
  configuration_url: url,
  hw_version: text,
  manufacturer: text,
  model: text,
  model_id: text,
  name: text,
  serial_number: text,
  suggested_area: text,
  sw_version: text,
  via_device: text,
};

const ORIGIN: Readonly<Record<string, Check>> = {
  name: text,
  sw_version: text,
  support_url: url,
};

/** The topics of discovery, after the discovery prefix. */
const TOPIC = /^device\/(?:[a-zA-Z0-9_-]+\/)?[a-zA-Z0-9_-]+\/config$/;

/**
 * Reads a discovery message.
 *
 * @param prefix the discovery prefix
 * @returns undefined for an empty message, which removes the device
 * @throws {Error} if Home Assistant would refuse it, or a part of it
 */
export function parseDiscovery(
  prefix: string,
  topic: string,
  payload: string,
): DiscoveredDevice | undefined {
  if (
    !topic.startsWith(`${prefix}/`) ||
    !TOPIC.test(topic.slice(prefix.length + 1))
  ) throw new Error(`Home Assistant ignores the topic ${topic}`);
  if (payload === "") return undefined;
  const root = expand(JSON.parse(payload), ABBREVIATIONS);
  const { device: dev, origin: o, components, ...shared } = root;
  const device = expand(dev, DEVICE_ABBREVIATIONS);
  const origin = expand(o, ORIGIN_ABBREVIATIONS);
  if (Array.isArray(shared.availability)) {
    shared.availability = shared.availability.map((one) =>
      expand(one, ABBREVIATIONS)
    );
  }
  assertValid("device", device, DEVICE, ["identifiers"]);
  assertValid("origin", origin, ORIGIN, ["name"]);
  assertValid("the message", shared, SHARED, []);
  const names = new Map<string, Options>();
  for (const [name, short] of Object.entries(components ?? fail("no cmps"))) {
    names.set(name, component(name, short, shared));
  }
  return {
    identifiers: [device.identifiers].flat() as string[],
    name: String(device.name),
    components: names,
  };
}

function component(name: string, short: unknown, shared: Options): Options {
  const own = expand(short, ABBREVIATIONS);
  const schema = PLATFORMS[String(own.platform)] ??
    fail(`${name} has the unknown platform ${own.platform}`);
  // Without other options it is a removal.
  if (Object.keys(own).length === 1) return own;
  const inherited = { ...shared };
  delete inherited.command_topic;
  const all = { ...inherited, ...own };
  assertValid(name, all, schema, ["platform", "unique_id", "state_topic"]);
  const { default_entity_id: id, platform } = all as Options;
  if (id !== undefined && !String(id).startsWith(`${platform}.`)) {
    fail(`${name} has an entity id of another platform: ${id}`);
  }
  return all;
}

function expand(
  value: unknown,
  abbreviations: Readonly<Record<string, string>>,
): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail(`not an object: ${JSON.stringify(value)}`);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      Object.hasOwn(abbreviations, key) ? abbreviations[key] : key,
      item,
    ]),
  );
}

function assertValid(
  what: string,
  value: Options,
  schema: Readonly<Record<string, Check>>,
  required: readonly string[],
): void {
  const problem = problemOf(value, schema, required);
  if (problem !== undefined) fail(`${what}: ${problem}`);
}

function problemOf(
  value: Options,
  schema: Readonly<Record<string, Check>>,
  required: readonly string[],
): string | undefined {
  for (const key of required) {
    if (!Object.hasOwn(value, key)) return `${key} is missing`;
  }
  for (const [key, item] of Object.entries(value)) {
    if (!Object.hasOwn(schema, key)) return `the option ${key} is unknown`;
    const problem = schema[key]!(item);
    if (problem !== undefined) return `${key} ${problem}: ${item}`;
  }
}

/** Returns true if each `{{` has its `}}`, and no block is open. */
function balanced(value: string): boolean {
  return value.split("{{").length === value.split("}}").length &&
    !value.includes("{%");
}

function fail(message: string): never {
  throw new Error(`Not valid for Home Assistant: ${message}`);
}
