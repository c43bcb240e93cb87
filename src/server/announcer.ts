import { messageOf } from "../common/errors.ts";
import type { Link } from "../mqtt/link.ts";
import { encodeState, type Topics } from "../protocol/mod.ts";

/** What an {@linkcode Announcer} is given. */
export interface AnnouncerOptions {
  readonly link: Link;
  readonly topics: Topics;
  /** The MQTT client id of the server. */
  readonly name: string;
  readonly version: string;
  /** ms since 1970. */
  readonly clock: () => number;
  /** Why the store fails just now, if it does. */
  readonly problem: () => string | undefined;
  readonly warn: (line: string) => void;
}

/** Publishes what nobody has asked for; a failure is only told in the log. */
export class Announcer {
  readonly #options: AnnouncerOptions;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** Says on the state topic, for those who come later too, how it is. */
  announce(state: "online" | "offline"): Promise<void> {
    const { topics, name, version, clock } = this.#options;
    const problem = this.#options.problem();
    const payload = encodeState({
      state,
      name,
      version,
      since: clock(),
      ...(problem !== undefined && { problem }),
    });
    return this.publish(topics.state, payload, true);
  }

  /** Publishes; resolves when that is done, or has failed. */
  async publish(
    topic: string,
    payload: Uint8Array,
    retain = false,
  ): Promise<void> {
    const { link, warn } = this.#options;
    try {
      await link.publish(topic, payload, { qos: retain ? 1 : 0, retain });
    } catch (error) {
      const reason = messageOf(error);
      warn(`Could not publish on ${topic}: ${reason}`);
    }
  }
}
