import type { Incoming, Link } from "../mqtt/link.ts";
import {
  parseState,
  ProtocolError,
  type ServerState,
} from "../protocol/mod.ts";

/** What {@linkcode Neighbours} are given. */
export interface NeighboursOptions {
  readonly link: Pick<Link, "acknowledge">;
  /** The state topic, which all servers of one prefix share. */
  readonly topic: string;
  /** This server's name. */
  readonly name: string;
  /** Says once more that this server is there. */
  readonly announce: () => void;
  readonly warn: (line: string) => void;
}

/**
 * Hears what other servers say on the state topic. Two under one prefix answer
 * the same requests with maps that may differ, and the one that ends leaves the
 * word that there is none.
 */
export class Neighbours {
  readonly #options: NeighboursOptions;
  /** Those that are known to be there. */
  readonly #names = new Set<string>();

  constructor(options: NeighboursOptions) {
    this.#options = options;
  }

  /** Takes what is on the state topic; false for a message that is not. */
  stops(message: Incoming): boolean {
    const { topic, link, name } = this.#options;
    if (message.topic !== topic) return false;
    link.acknowledge([message]);
    const state = read(message.payload);
    if (state?.name !== undefined && state.name !== name) {
      this.#hear(state.state, state.name, message.retain);
    }
    return true;
  }

  /** @param before it was said before this server came: it may be long ago */
  #hear(state: ServerState["state"], name: string, before: boolean): void {
    const { announce, warn } = this.#options;
    if (state === "offline") {
      this.#names.delete(name);
      announce();
    } else if (!this.#names.has(name)) {
      this.#names.add(name);
      const there = before
        ? `has not said that it ended: if it still runs, it answers`
        : `has come, and answers`;
      warn(
        `The server "${name}" ${there} under this prefix, too, and who asks gets the map of either. Stop one of them, or give one a --prefix of its own`,
      );
    }
  }
}

/** Undefined for what no server says. */
function read(payload: Uint8Array): ServerState | undefined {
  try {
    return parseState(payload);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
