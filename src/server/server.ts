/**
 * The server: creates its parts, starts them and stops them.
 *
 * @module
 */
import type { HistoryService } from "../history/answers.ts";
import type { Incoming, Link, LinkError } from "../mqtt/link.ts";
import type { SubmissionResult } from "../protocol/submission.ts";
import type { StoreError } from "../store/store.ts";
import type { CellLimits } from "./cell_limiter.ts";
import { ChangesPublisher } from "./changes_publisher.ts";
import { describeStep } from "./receipt_clock.ts";
import { Connections, type ConnectionStatus } from "./connections.ts";
import { type DeletionResult, LayerRemoval } from "./layer_removal.ts";
import {
  createContext,
  type LinkState,
  type ServerContext,
  type ServerOptions,
} from "./context.ts";
import { Dispatcher } from "./dispatch.ts";
import { Group } from "./group/group.ts";
import { Announcer } from "./home_assistant/announcer.ts";
import { loadMap } from "./load_map.ts";
import { Pipeline } from "./pipeline.ts";
import { PeerServers, Presence } from "./presence.ts";
import { Reports } from "./reports.ts";
import { RequestHandler } from "./request_handler.ts";
import { shutDown } from "./shutdown.ts";
import { type SourceService, SourceWatch } from "./sources/source_watch.ts";
import { Submitter, unavailable } from "./submission.ts";
import { ServerZones } from "./zones/server_zones.ts";
import type { Stats, Telemetry } from "./telemetry.ts";

/** How often cells age and the clock is checked. */
const TICK_INTERVAL_MS = 1000;

/**
 * Maintains the map of one topic prefix: commits readings to the store,
 * publishes changes and answers requests.
 */
export class Server {
  readonly #context: ServerContext;
  readonly #reports: Reports;
  readonly #pipeline: Pipeline;
  readonly #requestHandler: RequestHandler;
  readonly #submitter: Submitter;
  readonly #changes: ChangesPublisher;
  readonly #presence: Presence;
  readonly #connections: Connections;
  readonly #dispatcher: Dispatcher;
  readonly #removal: LayerRemoval;
  readonly #zones: ServerZones;
  readonly #sources: SourceWatch;
  readonly #announcer: Announcer;
  readonly #group: Group | undefined;
  readonly #linkFailure = Promise.withResolvers<LinkError>();
  #tickTimer: ReturnType<typeof setInterval> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    const context = createContext(options);
    this.#context = context;
    const reports = this.#reports = new Reports(context);
    const pipeline = this.#pipeline = new Pipeline(context, reports, {
      onReceive: () => this.#connections.checkStall(),
      onRequest: (request) => this.#requestHandler.answer(request),
      onLayerGone: (layer) => this.#onLayerGone(layer),
      onApplied: () => this.#onApplied(),
      onReloaded: () => this.#sources.interrupted(),
      onStoreProblem: (problem) => this.#onStoreProblem(problem),
    });
    this.#submitter = new Submitter(pipeline, reports, context.telemetry);
    const zones = new ServerZones(context, pipeline, options.fileZones);
    this.#zones = zones;
    context.history?.setZones(() => zones.definitions);
    const history = () => context.history?.service;
    const parts = { reports, pipeline, zones, history };
    this.#requestHandler = new RequestHandler(context, parts);
    this.#changes = new ChangesPublisher(context, pipeline);
    this.#removal = new LayerRemoval(context, pipeline);
    this.#presence = new Presence(context);
    const group = context.group &&
      new Group(context, context.group, pipeline, {
        sessions: options.sessions,
        onReplaced: () => this.#presence.restore(),
        dispatch: (message) => this.#dispatch(message),
      });
    this.#group = group;
    const connections = new Connections(context, pipeline, group?.barrier);
    this.#connections = connections;
    this.#sources = new SourceWatch(context, { connections, pipeline });
    const peers = new PeerServers(context, this.#presence, group?.members);
    const homeAssistant = new Announcer(context, zones, options.homeAssistant);
    this.#announcer = homeAssistant;
    const handlers = { peers, connections, pipeline, homeAssistant, group };
    this.#dispatcher = new Dispatcher(context, handlers);
  }

  /** Counts since the server was created. */
  get stats(): Readonly<Stats> {
    return this.#context.telemetry.stats;
  }

  /** Counts, and listeners for changes, commits and replies. */
  get telemetry(): Telemetry {
    return this.#context.telemetry;
  }

  /** True once the map is loaded. Until then the map is empty. */
  get loaded(): boolean {
    return this.#context.status.loaded;
  }

  /** When the map began, ms since 1970; undefined if the store is durable. */
  get began(): number | undefined {
    return this.#context.status.began;
  }

  /** The zones, without any until {@linkcode Server.loaded}. */
  get zones(): ServerZones {
    return this.#zones;
  }

  /** How many cells the map may have. */
  get cellLimits(): CellLimits {
    return this.#context.cellLimiter.limits;
  }

  /** The connection to the broker, or to all brokers. */
  get linkState(): LinkState {
    return this.#context.status.link;
  }

  /** The connections: several if the server joins several brokers. */
  get connections(): readonly ConnectionStatus[] {
    return this.#connections.status;
  }

  /** Why the store fails; undefined while it works. */
  get storeProblem(): string | undefined {
    return this.#context.status.storeProblem?.message;
  }

  /** Resolves if the connection to the broker is lost permanently. */
  get linkFailure(): Promise<LinkError> {
    return this.#linkFailure.promise;
  }

  /** Returns the server's time, ms since 1970. */
  now(): number {
    return this.#context.clock.now();
  }

  /** The sources of readings. */
  get sources(): SourceService {
    return this.#sources;
  }

  /** Answers questions about the past; undefined if it is not recorded. */
  get history(): HistoryService | undefined {
    return this.#context.history?.service;
  }

  /**
   * Deletes what the history has of the time before a time, ms since 1970.
   *
   * @returns resolves when it is deleted; undefined if another deletion is not
   * done yet, or no history is recorded
   */
  pruneHistory(ms: number): Promise<void> | undefined {
    return this.#context.history?.prune(ms);
  }

  /** Returns the source that last reported a cell; undefined if unknown. */
  sourceOf(layer: string, x: number, y: number): string | undefined {
    const { map, sources } = this.#context;
    const cell = map.layer(layer)?.get(x, y);
    return cell && sources.sourceOf(layer, x, y, cell.time);
  }

  /**
   * Ages the cells to the present. Call it before reading the map. Cheap if no
   * cell is due.
   *
   * @returns the time at which the map is correct, ms since 1970; undefined
   * while the store fails: then cells may be staler than the map shows
   */
  refresh(): number | undefined {
    return this.#pipeline.refresh();
  }

  /**
   * Submits a payload of readings that did not arrive over the link. Refused
   * readings are counted and reported as if they had arrived on the data topic.
   *
   * @param layer a valid name
   * @param payload must not be changed until the promise resolves
   * @param contentType as in an MQTT 5 message
   * @returns resolves when the readings are in the map, or refused
   */
  async submit(
    layer: string,
    payload: Uint8Array,
    contentType?: string,
  ): Promise<SubmissionResult> {
    const { topics, status } = this.#context;
    if (!status.loaded) {
      return unavailable("starting", "The map is not loaded yet");
    }
    if (this.#stopped !== undefined) {
      return unavailable("stopping", "The server is shutting down");
    }
    const topic = topics.data(layer);
    return await this.#submitter.submit({
      layer,
      payload,
      contentType,
      topic,
    });
  }

  /**
   * Waits until all readings that have arrived are in the map, or refused. Does
   * not wait while the store fails.
   */
  processed(): Promise<void> {
    return this.#pipeline.processed();
  }

  /**
   * Deletes a layer. Clients that have a copy of it clear it.
   *
   * @returns the counts of the cells that were deleted, or why none were
   */
  async deleteLayer(layer: string): Promise<DeletionResult> {
    return this.#context.status.loaded
      ? await this.#removal.delete(layer)
      : "starting";
  }

  /** Call when `displayOf` of the options may return something else. */
  displayChanged(): void {
    this.#announcer.displayChanged();
  }

  /**
   * Loads the map, connects and publishes the state `online`.
   *
   * @throws {StoreError} if the map cannot be loaded, or nothing can be stored
   * @throws {LinkError} if the link cannot be opened
   */
  async start(): Promise<void> {
    await this.#load();
    this.#tickTimer = setInterval(() => this.#tick(), TICK_INTERVAL_MS);
    await this.#context.link.open({
      message: (message) => this.#dispatch(message),
      run: (run) => {
        if (this.#stopped === undefined) this.#dispatcher.dispatchRun(run);
      },
      up: (connection) => this.#onConnected(connection),
      down: (reason, isConflict, connection) =>
        this.#onDisconnected(reason, isConflict, connection),
      silent: (ms, connection) => this.#connections.silent(connection, ms),
      failed: (error) => {
        this.#connections.failed(error.message);
        this.#linkFailure.resolve(error);
      },
    });
  }

  /**
   * Processes what has arrived, publishes the state `offline`, and closes link
   * and store.
   */
  stop(): Promise<void> {
    clearInterval(this.#tickTimer);
    return this.#stopped ??= shutDown(this.#context, {
      announcer: this.#announcer,
      changes: this.#changes,
      connections: this.#connections,
      group: this.#group,
      pipeline: this.#pipeline,
      presence: this.#presence,
      removal: this.#removal,
      reports: this.#reports,
      requestHandler: this.#requestHandler,
      sources: this.#sources,
      zones: this.#zones,
    });
  }

  async #load(): Promise<void> {
    const { status, log, cellLimiter } = this.#context;
    await loadMap(this.#context, this.#pipeline);
    this.#context.history?.loaded();
    this.#connections.start();
    status.loaded = true;
    this.#zones.load();
    this.#announcer.load();
    await this.#sources.load();
    this.#context.leadership.start();
    const full = cellLimiter.problem;
    if (full !== undefined) {
      log.warn(`Readings of new cells are refused: ${full}`);
    }
  }

  #tick(): void {
    const { clock, log } = this.#context;
    const step = clock.checkStep();
    if (step !== undefined) {
      log.warn(describeStep(step));
      this.#removal.clockStepped();
    }
    this.#connections.tick();
    this.refresh();
    this.#removal.tick();
    this.#pipeline.checkStore();
    this.#sources.tick();
    this.#context.history?.tick();
  }

  #dispatch(message: Incoming): void {
    // After stop() messages stay unacknowledged: the broker resends them.
    if (this.#stopped === undefined) this.#dispatcher.dispatch(message);
  }

  #onConnected(link: Link = this.#context.link): void {
    const isFirst = !this.#context.status.link.up;
    this.#connections.connected(link);
    void this.#presence.announce("online", link);
    this.#changes.connected(isFirst ? undefined : link);
    this.#zones.connected();
    this.#announcer.connected();
  }

  #onDisconnected(reason: string, isConflict?: boolean, link?: Link): void {
    this.#connections.disconnected(link, reason, isConflict);
    if (!this.#context.status.link.up) this.#changes.disconnected();
  }

  #onLayerGone(layer: string): void {
    const { sources, telemetry } = this.#context;
    sources.delete(layer);
    telemetry.removeLayer(layer);
    this.#changes.layerDeleted(layer);
  }

  #onApplied(): void {
    this.#changes.notify();
    this.#zones.notify();
    this.#context.telemetry.notify();
  }

  #onStoreProblem(problem: StoreError | undefined): void {
    const { log, telemetry } = this.#context;
    if (problem === undefined) {
      log.infoLimited(
        "store-works",
        "The store works again: waiting readings are stored",
      );
      this.#group?.storeWorks();
    } else {
      const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
      log.warnLimited(
        "store-failing",
        `${problem.message}. Readings stay unacknowledged until the store works again${hint}`,
      );
      // A broker with a full in-flight window delivers no marker.
      this.#connections.releaseAll();
      this.#zones.storeFails();
    }
    void this.#presence.announce("online");
    telemetry.notify();
  }
}
