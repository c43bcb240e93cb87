/**
 * Publishes the state of the server, and watches for other servers under the
 * same topic prefix.
 *
 * @module
 */
import type { Incoming } from "../mqtt/link.ts";
import {
  encodeState,
  parseState,
  ProtocolError,
  type ServerState,
} from "../protocol/mod.ts";
import { publishOrWarn, type ServerContext } from "./context.ts";

/** Returns the will of a server: the broker publishes it if the server dies. */
export function offlineState(name: string, version: string): Uint8Array {
  return encodeState({ state: "offline", name, version });
}

/** Publishes the state of the server, retained. */
export class Presence {
  readonly #context: ServerContext;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Resolves when the broker has acknowledged the state, or on a failure. */
  announce(state: ServerState["state"]): Promise<void> {
    const { topics, name, version, clock, status } = this.#context;
    const problem = status.storeProblem?.message;
    const payload = encodeState({
      state,
      name,
      version,
      since: clock.now(),
      ...(problem !== undefined && { problem }),
    });
    return publishOrWarn(this.#context, topics.state, payload, {
      qos: 1,
      retain: true,
    });
  }
}

/**
 * Warns of other servers under the same prefix, because all of them answer
 * requests and their maps may differ. When another server stops, its retained
 * state `offline` replaces that of this server, which is published again.
 */
export class PeerServers {
  readonly #context: ServerContext;
  readonly #presence: Presence;
  /** Names of the other servers that are online. */
  readonly #names = new Set<string>();

  constructor(context: ServerContext, presence: Presence) {
    this.#context = context;
    this.#presence = presence;
  }

  /** Handles a message on the state topic. */
  handle(message: Incoming): void {
    const { link, name } = this.#context;
    link.acknowledge([message]);
    const peer = parsePeerState(message.payload);
    if (peer?.name === undefined || peer.name === name) return;
    if (peer.state === "offline") {
      this.#names.delete(peer.name);
      void this.#presence.announce("online");
    } else if (!this.#names.has(peer.name)) {
      this.#names.add(peer.name);
      this.#warn(peer.name, message.retain);
    }
  }

  /** @param retained true if the state may be outdated */
  #warn(name: string, retained: boolean): void {
    const what = retained
      ? `The server "${name}" may run under this topic prefix too: its last state was online. Then`
      : `The server "${name}" runs under this topic prefix too:`;
    this.#context.log.warn(
      `${what} both answer requests, and their maps may differ. Stop one of them, or start one with a different --prefix`,
    );
  }
}

/** Returns undefined if the payload is not a state. */
function parsePeerState(payload: Uint8Array): ServerState | undefined {
  try {
    return parseState(payload);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
