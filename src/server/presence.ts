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

/** Own states that are recognized when the broker delivers them. */
const MAX_OWN_STATES = 100;
/** Any client can publish a state: the names of further ones are ignored. */
const MAX_PEERS = 100;

/** Publishes the state of the server, retained. */
export class Presence {
  readonly #context: ServerContext;
  /** `since` of the published states. */
  readonly #published: number[] = [];

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Resolves when the broker has acknowledged the state, or on a failure. */
  announce(state: ServerState["state"]): Promise<void> {
    const { topics, name, version, clock, status } = this.#context;
    const problem = status.storeProblem?.message;
    const since = clock.now();
    this.#published.push(since);
    if (this.#published.length > MAX_OWN_STATES) this.#published.shift();
    const payload = encodeState({
      state,
      name,
      version,
      since,
      ...(problem !== undefined && { problem }),
    });
    return publishOrWarn(this.#context, topics.state, payload, {
      qos: 1,
      retain: true,
    });
  }

  /** Returns true if this server has published the state, or may have. */
  hasPublished({ since }: ServerState): boolean {
    return since === undefined || this.#published.includes(since);
  }
}

/**
 * Warns of other servers under the same prefix, because all of them answer
 * requests and their maps may differ. A new one receives the state of this
 * server in answer, so that it warns too: the embedded broker does not pass its
 * state on, and the retained one is of the server that came last. When another
 * server stops, its retained state `offline` replaces that of this server,
 * which is published again.
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
    if (peer?.name === undefined) return;
    if (peer.state === "offline") {
      const wasKnown = this.#names.delete(peer.name);
      // With the own name: the will of an earlier connection, unless there is
      // another server with it.
      if (wasKnown || peer.name !== name) {
        void this.#presence.announce("online");
      }
      return;
    }
    // With the own name: an echo, or the retained state of an earlier run.
    const isOwn = peer.name === name &&
      (message.retain || this.#presence.hasPublished(peer));
    const isKnown = this.#names.has(peer.name);
    if (isOwn || isKnown || this.#names.size >= MAX_PEERS) return;
    this.#names.add(peer.name);
    this.#warn(peer.name, message.retain);
    if (!message.retain) void this.#presence.announce("online");
  }

  /** @param retained true if the state may be outdated */
  #warn(name: string, retained: boolean): void {
    const hasSameName = name === this.#context.name;
    const what = retained
      ? `The server "${name}" may run under this topic prefix too: its last state was online. Then`
      : `${
        hasSameName ? "Another server with the name" : "The server"
      } "${name}" runs under this topic prefix too:`;
    const difference = hasSameName ? "--name and --prefix" : "--prefix";
    this.#context.log.warn(
      `${what} both answer requests, and their maps may differ. Stop one of them, or start one with a different ${difference}`,
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
