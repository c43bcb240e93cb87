/**
 * Plays Home Assistant at a broker: its MQTT integration with discovery, its
 * registry of entities, and its states.
 *
 * @module
 */
import type { PacketOf } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until } from "../support/until.ts";
import {
  type DiscoveredDevice,
  type Options,
  parseDiscovery,
} from "./schema.ts";
import { render } from "./templates.ts";

const STATUS = "homeassistant/status";
const DISCOVERY = "homeassistant/+/+/config";

/** What a user sees of an entity. */
export interface Entity {
  readonly name: string;
  /** `on`, `off`, a number, `unknown` or `unavailable`. */
  readonly state: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** An entity while its discovery message is in force. */
interface Live {
  readonly entityId: string;
  readonly device: DiscoveredDevice;
  readonly options: Options;
  state: string;
  attributes: Readonly<Record<string, unknown>>;
  available: boolean;
}

/**
 * Home Assistant. It can be stopped and started again: its registry is kept, so
 * an entity that is discovered again has the same id.
 */
export class HomeAssistant implements AsyncDisposable {
  /** Ids of entities by their unique ids: automations and history use them. */
  readonly registry = new Map<string, string>();
  /** Messages that Home Assistant would have refused. */
  readonly refused: string[] = [];
  /** The numbers of discovery messages since the start, by topic. */
  readonly discoveries = new Map<string, number>();
  /** Live entities, by discovery topic and component. */
  readonly #live = new Map<string, Map<string, Live>>();
  #connection: RawConnection | undefined;
  #reading: Promise<void> = Promise.resolve();
  #messageId = 0;
  #hasSubscribed = Promise.withResolvers<void>();

  /**
   * Connects and subscribes to discovery; then it publishes `online`.
   *
   * @param login user and password; default none
   */
  async start(
    port: number,
    login: { readonly username?: string; readonly password?: string } = {},
  ): Promise<void> {
    this.#live.clear();
    this.discoveries.clear();
    this.#hasSubscribed = Promise.withResolvers();
    const connection = await RawConnection.open(port, "home-assistant", {
      will: { topic: STATUS, payload: "offline" },
      ...login,
    });
    this.#connection = connection;
    this.#reading = this.#read(connection);
    await this.#subscribe(DISCOVERY, 0);
    await this.#hasSubscribed.promise;
    await connection.publish(STATUS, "online");
  }

  /** Publishes `offline` and disconnects. */
  async stop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined && !connection.closed) {
      await connection.publish(STATUS, "offline");
      await connection.send({ cmd: "disconnect" });
    }
    await this.#reading;
    await connection?.[Symbol.asyncDispose]();
  }

  /** Loses the connection, as after a crash. */
  async kill(): Promise<void> {
    await this.#connection?.[Symbol.asyncDispose]();
    this.#connection = undefined;
    await this.#reading;
  }

  /** Returns an entity; undefined if the registry does not have it. */
  entity(entityId: string): Entity | undefined {
    if (![...this.registry.values()].includes(entityId)) return undefined;
    const live = this.#all().find((one) => one.entityId === entityId);
    if (live === undefined) {
      return { name: entityId, state: "unavailable", attributes: {} };
    }
    const { device, options, attributes } = live;
    return {
      name: options.name === null
        ? device.name
        : `${device.name} ${options.name}`,
      state: live.available ? live.state : "unavailable",
      attributes,
    };
  }

  /** The occupancy entities of which a state has arrived, by zone. */
  zones(): Map<string, string> {
    return new Map(
      this.#all().filter(({ attributes }) => attributes.zone !== undefined)
        .map(({ attributes, entityId }) => [String(attributes.zone), entityId]),
    );
  }

  /** The states of entities: `unknown`; `none` if the registry has no such. */
  states(...entityIds: string[]): string[] {
    return entityIds.map((id) => this.entity(id)?.state ?? "none");
  }

  /** Waits until entities have these states. */
  async untilStates(expected: Readonly<Record<string, string>>): Promise<void> {
    const ids = Object.keys(expected);
    const wanted = Object.values(expected).join();
    await until(() => this.states(...ids).join() === wanted, {
      what: () =>
        `${ids.join()} = ${wanted}, but ${
          this.states(...ids).join()
        }; refused: ${this.refused.join("\n")}`,
    });
  }

  /**
   * Waits until a zone was announced twice since the start: by the retained
   * message, and after the birth message. All others were then announced too.
   */
  async untilAnnouncedTwice(key: string): Promise<void> {
    const topic = `homeassistant/device/occupancy-${key}/config`;
    await until(() => (this.discoveries.get(topic) ?? 0) >= 2, {
      what: () => `two announcements: ${[...this.discoveries].join()}`,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #all(): Live[] {
    return [...this.#live.values()].flatMap((one) => [...one.values()]);
  }

  async #subscribe(topic: string, qos: 0 | 1): Promise<void> {
    // Stopped: nothing arrives any more.
    await this.#connection?.send({
      cmd: "subscribe",
      messageId: ++this.#messageId,
      subscriptions: [{ topic, qos }],
    });
  }

  async #read(connection: RawConnection): Promise<void> {
    for await (const packet of connection) {
      if (packet.cmd === "suback") this.#hasSubscribed.resolve();
      if (packet.cmd !== "publish" || this.#connection !== connection) continue;
      try {
        await this.#receive(connection, packet as PacketOf<"publish">);
      } catch (error) {
        // The broker has gone, or this end has disconnected.
        if (this.#connection === connection && !connection.closed) throw error;
      }
    }
  }

  async #receive(
    connection: RawConnection,
    { topic, payload, qos, messageId = 0 }: PacketOf<"publish">,
  ): Promise<void> {
    const text = payload.toString();
    if (qos === 1) await connection.send({ cmd: "puback", messageId });
    if (topic.startsWith("homeassistant/") && topic.endsWith("/config")) {
      this.discoveries.set(topic, (this.discoveries.get(topic) ?? 0) + 1);
      try {
        await this.#discover(topic, text);
      } catch (error) {
        this.refused.push(`${topic}: ${error}`);
      }
      return;
    }
    for (const live of this.#all()) this.#update(live, topic, text);
  }

  async #discover(topic: string, payload: string): Promise<void> {
    const device = parseDiscovery("homeassistant", topic, payload);
    const before = this.#live.get(topic);
    if (device === undefined) {
      // Of what it has not discovered, it removes nothing.
      for (const { options } of before?.values() ?? []) this.#remove(options);
      this.#live.delete(topic);
      return;
    }
    const entities = new Map<string, Live>();
    for (const [component, options] of device.components) {
      const last = before?.get(component);
      if (options.unique_id === undefined) {
        if (last !== undefined) this.#remove(last.options);
        continue;
      }
      const isSame = last?.options.state_topic === options.state_topic;
      entities.set(component, {
        entityId: this.#register(options),
        device,
        options,
        state: isSame ? last!.state : "unknown",
        attributes: isSame ? last!.attributes : {},
        available: isSame
          ? last!.available
          : options.availability === undefined,
      });
    }
    this.#live.set(topic, entities);
    for (const { options } of entities.values()) {
      await this.#follow(options.state_topic);
      for (const one of listOf(options.availability)) {
        await this.#follow(one.topic);
      }
    }
  }

  /** Subscribes: the broker sends the retained message, also the next time. */
  async #follow(topic: unknown): Promise<void> {
    if (typeof topic === "string") await this.#subscribe(topic, 1);
  }

  #register({ unique_id, default_entity_id, platform }: Options): string {
    const known = this.registry.get(String(unique_id));
    if (known !== undefined) return known;
    const wanted = String(default_entity_id ?? `${platform}.${unique_id}`);
    const taken = new Set(this.registry.values());
    let entityId = wanted;
    for (let i = 2; taken.has(entityId); i++) entityId = `${wanted}_${i}`;
    this.registry.set(String(unique_id), entityId);
    return entityId;
  }

  #remove({ unique_id }: Options): void {
    this.registry.delete(String(unique_id));
  }

  #update(live: Live, topic: string, payload: string): void {
    const { options } = live;
    for (const { topic: own, value_template } of listOf(options.availability)) {
      if (own !== topic) continue;
      const text = render(String(value_template), payload);
      if (text === "online") live.available = true;
      if (text === "offline") live.available = false;
    }
    if (options.json_attributes_topic === topic) {
      const template = String(options.json_attributes_template);
      live.attributes = JSON.parse(render(template, payload));
    }
    if (options.state_topic !== topic) return;
    const text = render(String(options.value_template), payload);
    if (text === "") return;
    live.state = text === "None"
      ? "unknown"
      : options.platform !== "binary_sensor"
      ? text
      : text === options.payload_on
      ? "on"
      : text === options.payload_off
      ? "off"
      : live.state;
  }
}

function listOf(availability: unknown): readonly Options[] {
  return availability === undefined ? [] : availability as readonly Options[];
}
