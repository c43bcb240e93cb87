/**
 * What the server does for each connection to a broker: markers, requests that
 * wait for readings, and the dates of readings that waited.
 *
 * @module
 */
import type { Incoming, Link } from "../mqtt/link.ts";
import { Backlog, logReconnect } from "./backlog.ts";
import { Barrier } from "./barrier.ts";
import type { LinkState, ServerContext } from "./context.ts";
import type { GroupBarrier } from "./group/group_barrier.ts";
import { type Marker, type MarkerEvents, Markers } from "./markers.ts";
import type { Pipeline } from "./pipeline.ts";

/** How often the store records that the server is connected. */
const ALIVE_INTERVAL_MS = 60_000;

/**
 * Held requests of a connection at QoS 1 that are acknowledged when they are
 * answered. Brokers deliver 20 (VerneMQ) or 32 (EMQX) unacknowledged messages by
 * default: more requests would keep back the marker that they wait for.
 */
const MAX_UNACKNOWLEDGED = 16;

/** A connection with its state, for people and for monitoring. */
export interface ConnectionStatus extends LinkState {
  /** The broker. */
  readonly description: string;
  readonly mqttVersion: 4 | 5;
}

/** One connection and its parts. */
interface Connection {
  readonly link: Link;
  readonly markers: Markers;
  readonly barrier: Barrier;
  readonly backlog: Backlog;
  state: LinkState;
  hasConnected: boolean;
}

/**
 * The connections of a server: one, unless it joins several brokers.
 *
 * Each has markers of its own, because a marker says only what its broker has
 * delivered; so a broker that is away delays neither the requests of another
 * one nor the dates of its readings.
 */
export class Connections {
  readonly #context: ServerContext;
  readonly #pipeline: Pick<Pipeline, "commit">;
  readonly #group: Pick<GroupBarrier, "publish"> | undefined;
  readonly #all: readonly Connection[];
  readonly #byLink: ReadonlyMap<Link, Connection>;
  /** Called when messages may wait, or may have been lost. */
  onInterrupted: (() => void) | undefined;
  /** The last time stored, ms since 1970. */
  #recordedAt = -Infinity;

  constructor(
    context: ServerContext,
    pipeline: Pick<Pipeline, "flush" | "processed" | "commit" | "push">,
    group?: Pick<GroupBarrier, "publish">,
  ) {
    this.#context = context;
    this.#pipeline = pipeline;
    this.#group = group;
    const { link, status } = context;
    this.#all = (link.connections ?? [link]).map((link) => {
      const markers = new Markers(context, link);
      return {
        link,
        markers,
        barrier: group === undefined
          ? new Barrier(markers, pipeline)
          : new Barrier(
            { publish: (events) => group.publish(link, events) },
            pipeline,
            false,
          ),
        backlog: new Backlog(context, link, markers, pipeline, {
          onInterrupted: () => this.onInterrupted?.(),
          onCaughtUp: () => this.#recordAlive(),
        }),
        state: status.link,
        hasConnected: false,
      };
    });
    this.#byLink = new Map(this.#all.map((one) => [one.link, one]));
  }

  /** The topic of markers. */
  get markerTopic(): string {
    return this.#all[0]!.markers.topic;
  }

  /** All connections. */
  get status(): readonly ConnectionStatus[] {
    return this.#all.map(({ link: { description, mqttVersion }, state }) => ({
      description,
      mqttVersion,
      ...state,
    }));
  }

  /**
   * True until all messages are committed that may have waited for one of the
   * connections. True while one of them is down.
   */
  get isPending(): boolean {
    return this.#all.some(({ backlog }) => backlog.isPending);
  }

  /** Handles a message on {@linkcode Connections.markerTopic}. */
  handleMarker(message: Incoming): void {
    this.#of(message.link).markers.handle(message);
  }

  /**
   * Holds a request until the readings before it have arrived. At QoS 1 it is
   * acknowledged then, later than what arrives behind it. If many are held, it
   * is acknowledged with the readings before it.
   */
  hold(request: Incoming): void {
    const { link, telemetry } = this.#context;
    const { barrier } = this.#of(request.link);
    if (request.qos === 0) return barrier.hold(request);
    if (barrier.unacknowledged < MAX_UNACKNOWLEDGED) {
      link.acknowledgeLater?.(request);
      return barrier.hold(request);
    }
    link.acknowledge([request]);
    // As one at QoS 0, it is not delivered again.
    const held = { ...request, qos: 0, session: undefined } as const;
    telemetry.requestArrived(held);
    barrier.hold(held);
  }

  /** Releases the requests of all connections. */
  releaseAll(): void {
    for (const { barrier } of this.#all) barrier.releaseAll();
  }

  /**
   * Publishes a marker on each connection; in a group, to all members.
   *
   * @param events `onReturn` is called when all have returned
   */
  publish(
    { onReturn, onFailure, onTimeout = onReturn }: MarkerEvents,
  ): Marker {
    let left = this.#all.length;
    const cancel = () => {
      for (const marker of markers) marker.cancel();
    };
    const one: MarkerEvents = {
      onReturn: () => {
        if (--left === 0) onReturn();
      },
      onFailure: () => {
        cancel();
        onFailure();
      },
      onTimeout: () => {
        cancel();
        onTimeout();
      },
    };
    const markers = this.#all.map(({ link, markers }) =>
      this.#group?.publish(link, one) ?? markers.publish(one)
    );
    return { cancel };
  }

  /** Call after the map was loaded. */
  start(): void {
    for (const { backlog } of this.#all) backlog.start();
  }

  /** Call after each connect of a connection. */
  connected(link: Link | undefined): void {
    const connection = this.#of(link);
    if (connection.hasConnected) logReconnect(this.#context, connection.link);
    connection.hasConnected = true;
    this.#setState(connection, undefined);
    connection.backlog.connected();
    connection.barrier.releaseAll();
  }

  /** Call when a connection is lost, and after each failed attempt. */
  disconnected(
    link: Link | undefined,
    reason: string,
    isConflict = false,
  ): void {
    const { log } = this.#context;
    const connection = this.#of(link);
    this.#setState(connection, reason);
    connection.backlog.disconnected();
    connection.barrier.connectionLost();
    if (this.#all.length === 1) {
      log.warn(`Disconnected from the broker (${reason}), reconnecting`);
    } else {
      const problem = describeProblem(connection.link, reason);
      log.warnLimited(
        `broker-down ${connection.link.description}`,
        `Not connected to all brokers, connecting again: ${problem}`,
      );
    }
    if (isConflict) this.#noteConflict();
  }

  #noteConflict(): void {
    const { status, clock, log, name, telemetry } = this.#context;
    status.conflictAt = clock.now();
    telemetry.stats.limited.add("client-id-conflict");
    log.warnLimited(
      "client-id-conflict",
      `Another client uses the client id "${name}" of this server, and each disconnects the other. If it is a server, stop it or start it with a different --name and --prefix. Otherwise bind client ids to users (docs/SECURITY.md)`,
    );
  }

  /** Call when the link does not connect again. */
  failed(reason: string): void {
    for (const connection of this.#all) this.#setState(connection, reason);
  }

  /** As {@linkcode Backlog.silent}. */
  silent(link: Link | undefined, ms: number): void {
    this.#of(link).backlog.silent(ms);
  }

  /** Call before readings are dated. */
  checkStall(): void {
    const { clock } = this.#context;
    const since = clock.checkStall();
    if (since === undefined) return;
    clock.markStalled(since);
    for (const { backlog } of this.#all) backlog.stalled();
  }

  /** Call about once a second. */
  tick(): void {
    this.checkStall();
    for (const { backlog } of this.#all) backlog.tick();
    const elapsed = this.#context.clock.now() - this.#recordedAt;
    if (Math.abs(elapsed) >= ALIVE_INTERVAL_MS) this.#recordAlive();
  }

  /** Call before the link is closed: from then on messages wait. */
  stop(): void {
    this.releaseAll();
    this.#recordAlive();
    for (const { backlog } of this.#all) backlog.stop();
  }

  #of(link: Link | undefined): Connection {
    return this.#byLink.get(link ?? this.#context.link) ?? this.#all[0]!;
  }

  /** @param problem why the connection is down; undefined if it is up */
  #setState(connection: Connection, problem: string | undefined): void {
    const { status, clock, telemetry } = this.#context;
    const now = clock.now();
    connection.state = nextState(connection.state, problem, now);
    const isUp = this.#all.some(({ state }) => state.up);
    status.link = {
      ...nextState(status.link, isUp ? undefined : problem, now),
      problem: this.#problem,
    };
    telemetry.notify();
  }

  /** The problems of all connections that are down. */
  get #problem(): string | undefined {
    const isOnly = this.#all.length === 1;
    const problems = this.#all.flatMap(({ link, state: { problem } }) =>
      problem === undefined
        ? []
        : [isOnly ? problem : describeProblem(link, problem)]
    );
    return problems.length === 0 ? undefined : problems.join("; ");
  }

  /**
   * Not while one of the connections is down: the recorded time must be one at
   * which no broker stored messages for this server.
   */
  #recordAlive(): void {
    const { store, clock } = this.#context;
    const keepsSession = this.#all.some(({ link }) =>
      link.sessionPresent !== undefined
    );
    if (this.isPending || !keepsSession || !store.durable) return;
    const now = clock.now();
    void this.#pipeline.commit([{ kind: "alive", now }]).then((isCommitted) => {
      if (isCommitted) this.#recordedAt = now;
    });
  }
}

/** Names the broker of a problem that does not. */
export function describeProblem(
  { description }: Pick<Link, "description">,
  problem: string,
): string {
  return problem.includes(description) ? problem : `${description}: ${problem}`;
}

/** Each failed attempt to connect again has its problem. */
function nextState(
  { up: wasUp, since }: LinkState,
  problem: string | undefined,
  now: number,
): LinkState {
  const up = problem === undefined;
  return { up, since: up === wasUp ? since : now, problem };
}
