/**
 * Publishes the state of the server, and watches for other servers under the
 * same topic prefix.
 *
 * @module
 */
import { excerpt, quoteName } from "../common/printable.ts";
import type { Incoming, Link } from "../mqtt/link.ts";
import {
  encodeState,
  parseState,
  ProtocolError,
  type ServerState,
} from "../protocol/mod.ts";
import { publishOrWarn, type ServerContext } from "./context.ts";
import type { GroupMembers } from "./group/members.ts";

/** Returns the will of a server: the broker publishes it if the server dies. */
export function offlineState(
  name: string,
  version: string,
  group?: string,
): Uint8Array {
  return encodeState({
    state: "offline",
    name,
    version,
    ...(group !== undefined && { group }),
  });
}

/** Returns the state of a member of a group that has just connected. */
export function onlineState(
  name: string,
  version: string,
  group: string,
): Uint8Array {
  return encodeState({ state: "online", name, version, group });
}

/** Own states that are recognized when the broker delivers them. */
const MAX_OWN_STATES = 100;
/** Any client can publish a state: further names replace the oldest. */
const MAX_PEERS = 100;
/** Longer names are equal if this many characters are equal. */
const MAX_PEER_NAME_LENGTH = 200;
/** Minimum time between two states that answer a message of another client. */
const RESTORE_INTERVAL_MS = 1000;
/** The pause before a state that the broker refused is published again. */
const RETRY_INTERVAL_MS = 10_000;

const decoder = new TextDecoder();

/** Publishes the state of the server, retained. */
export class Presence {
  readonly #context: ServerContext;
  /** Payloads of the published states. */
  readonly #published: string[] = [];
  /** Runs for a while after {@linkcode restore} has published. */
  #restoreTimer: ReturnType<typeof setTimeout> | undefined;
  /** True if the state must be published again when the timer ends. */
  #mustRestore = false;
  /** Runs after the broker has refused a state. */
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /**
   * Resolves when the broker has acknowledged the state, or on a failure.
   *
   * @param link where to publish it. Default: on all connections
   */
  announce(
    state: ServerState["state"],
    link: Link = this.#context.link,
  ): Promise<void> {
    const { topics, group, name, version, clock, status, log } = this.#context;
    const problem = status.storeProblem?.message;
    const conflict = status.conflictAt;
    const payload = encodeState({
      state,
      name,
      version,
      since: clock.now(),
      ...(problem !== undefined && { problem }),
      ...(conflict !== undefined && { conflict }),
      ...(group !== undefined && { group: group.group }),
    });
    this.#published.push(decoder.decode(payload));
    if (this.#published.length > MAX_OWN_STATES) this.#published.shift();
    const publish = async (topic: string) => {
      const options = { qos: 1, retain: true } as const;
      const isRefused = !await publishOrWarn(
        { link, log },
        topic,
        payload,
        options,
      );
      if (isRefused) this.#retryLater();
    };
    if (group === undefined) return publish(topics.state);
    // The others correct the common state after this one.
    return publish(group.state(name)).then(() => publish(topics.state));
  }

  /**
   * Publishes the state `online` again, because another client has replaced it
   * or needs it. At most once a second, so that no client and no two servers
   * can cause a storm.
   */
  restore(): void {
    if (this.#closed) return;
    if (this.#restoreTimer !== undefined) {
      this.#mustRestore = true;
      this.#context.telemetry.stats.limited.add("server-state");
      return;
    }
    // A server that connects again publishes its state then.
    if (this.#context.status.link.up) void this.announce("online");
    this.#restoreTimer = setTimeout(() => {
      this.#restoreTimer = undefined;
      if (!this.#mustRestore) return;
      this.#mustRestore = false;
      this.restore();
    }, RESTORE_INTERVAL_MS);
  }

  /** Else the broker would have an older state until the next connect. */
  #retryLater(): void {
    if (this.#closed) return;
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.restore();
    }, RETRY_INTERVAL_MS);
  }

  /** Ends {@linkcode restore}; the state can still be announced. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#restoreTimer);
    this.#restoreTimer = undefined;
    clearTimeout(this.#retryTimer);
  }

  /** Returns true if this server has published the payload. */
  hasPublished(payload: Uint8Array): boolean {
    return this.#published.includes(decoder.decode(payload));
  }
}

/**
 * Warns of other servers under the same prefix, because all of them answer
 * requests and their maps may differ. A new one receives the state of this
 * server in answer, so that it warns too: the embedded broker does not pass its
 * state on, and the retained one is of the server that came last.
 *
 * When another client replaces the state of this server by anything else than
 * the state of a server that is online, this server publishes its own again:
 * after the `offline` of a server that has stopped, and after a forgery. So the
 * state says `online` while any member of a group is.
 */
export class PeerServers {
  readonly #context: ServerContext;
  readonly #presence: Presence;
  readonly #members: GroupMembers | undefined;
  /** Names of the other servers that are online, the latest last. */
  readonly #names = new Set<string>();

  /** @param members the servers with which this one shares its load */
  constructor(
    context: ServerContext,
    presence: Presence,
    members?: GroupMembers,
  ) {
    this.#context = context;
    this.#presence = presence;
    this.#members = members;
  }

  /** Handles a message on the state topic. */
  handle(message: Incoming): void {
    const { link } = this.#context;
    link.acknowledge([message]);
    if (this.#presence.hasPublished(message.payload)) return; // an echo
    const peer = parsePeerState(message.payload);
    const isMember = peer !== undefined && this.#members?.isMember(peer);
    if (isMember) this.#members!.handleShared(peer, message);
    if (isMember && peer.state === "online") return;
    if (peer?.state === "online") this.#onOnline(peer, message.retain);
    else this.#onReplaced(peer, message.retain);
  }

  /** @param retained true if the state may be outdated */
  #onOnline({ name }: ServerState, retained: boolean): void {
    if (name === undefined) return;
    // The retained state of an earlier run.
    if (retained && name === this.#context.name) return;
    const key = excerpt(name, MAX_PEER_NAME_LENGTH);
    if (this.#names.has(key)) return;
    if (this.#names.size >= MAX_PEERS) {
      this.#names.delete(this.#names.values().next().value!);
    }
    this.#names.add(key);
    this.#warn(name, retained);
    if (!retained) this.#presence.restore();
  }

  /**
   * @param peer the state of a server that is offline; undefined for any other
   * payload
   */
  #onReplaced(peer: ServerState | undefined, retained: boolean): void {
    const { name, topics, log, status } = this.#context;
    if (peer?.name !== undefined) {
      this.#names.delete(excerpt(peer.name, MAX_PEER_NAME_LENGTH));
    }
    // Older than this connection, such as the will of the one before: this
    // server publishes its state when it is connected.
    if (retained || !status.link.up) return;
    if (peer === undefined || peer.name === name) {
      const what = peer === undefined
        ? "what is no state"
        : "that this server is offline";
      log.warnLimited(
        "replaced-state",
        `Another client has published ${what} on ${topics.state}: corrected. Only the server should have the right to publish there (docs/SECURITY.md)`,
      );
    }
    this.#presence.restore();
  }

  /** @param retained true if the state may be outdated */
  #warn(name: string, retained: boolean): void {
    const hasSameName = name === this.#context.name;
    const quoted = quoteName(name);
    const what = retained
      ? `The server ${quoted} may run under this topic prefix too: its last state was online. Then`
      : `${
        hasSameName ? "Another server with the name" : "The server"
      } ${quoted} runs under this topic prefix too:`;
    const difference = hasSameName ? "--name and --prefix" : "--prefix";
    this.#context.log.warnLimited(
      "peer-server",
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
