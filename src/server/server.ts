/**
 * The server: keeps one map and hands it out.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import type { LinkError } from "../mqtt/link.ts";
import type { StoreError } from "../store/store.ts";
import { Announcer } from "./announcer.ts";
import { Backlog } from "./backlog.ts";
import { Barrier } from "./barrier.ts";
import { Changes, CHANGES_INTERVAL } from "./changes.ts";
import { describeJump, ReceiptClock } from "./clock.ts";
import { Intake } from "./intake.ts";
import { Neighbours } from "./neighbours.ts";
import { Observers } from "./observers.ts";
import type { LinkState, ServerOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { barrierTopic } from "./own_topics.ts";
import { type CommitObserver, Pipeline } from "./pipeline.ts";
import { type Complaint, describeComplaint, Reports } from "./reports.ts";
import { type RequestObserver, RequestTimes } from "./request_times.ts";
import { Requests } from "./requests.ts";
import { SourceBook } from "./sources.ts";
import { countRefused, newStats, type Stats } from "./stats.ts";
import { type SubmissionResult, submit, unavailable } from "./submission.ts";

/** How often cells that are due for it age, in ms. */
const TICK = 1000;
/** Each costs about 9 KB, and anyone who may publish can make one. */
const MAX_LAYERS = 10_000;
/** How long stopping may wait for the last replies to go out, in ms. */
const FAREWELL = 5000;

/** Keeps one map, and hands it out. */
export class Server {
  /** What it has done since it started. */
  readonly stats: Stats = newStats();
  readonly #options: ServerOptions;
  readonly #receipt: ReceiptClock;
  readonly #clock: () => number;
  readonly #reports: Reports;
  readonly #pipeline: Pipeline;
  readonly #outbox: Outbox;
  readonly #barrier: Barrier;
  readonly #neighbours: Neighbours;
  readonly #backlog: Backlog;
  readonly #changes: Changes;
  readonly #requests: Requests;
  readonly #requestTimes: RequestTimes;
  readonly #announcer: Announcer;
  readonly #observers = new Observers();
  readonly #sources = new SourceBook();
  /** When it began the map; undefined if the map outlives the server. */
  #began: number | undefined;
  readonly #gone = Promise.withResolvers<LinkError>();
  #link: LinkState;
  /** True once the map is loaded. */
  #loaded = false;
  /** Why the store fails just now, if it does. */
  #problem: StoreError | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    const { link, store, map, topics, name, log } = options;
    const complain = (complaint: Complaint) => this.#complain(complaint);
    this.#options = options;
    this.#receipt = new ReceiptClock({
      clock: options.clock ?? Date.now,
      monotonic: () => performance.now(),
      map,
      jumped: (ms) => log.warn(describeJump(ms)),
    });
    this.#clock = () => this.#receipt.now();
    this.#link = {
      up: false,
      since: this.#clock(),
      problem: "the broker has not been joined yet",
    };
    this.#announcer = new Announcer({
      link,
      topics,
      name,
      version: options.version,
      clock: this.#clock,
      problem: () => this.#problem?.message,
      warn: log.warn,
    });
    this.#reports = new Reports({
      publish: (payload) => this.#announcer.publish(topics.errors, payload),
      log: (complaint, suppressed) =>
        log.warn(describeComplaint(complaint, suppressed)),
      clock: this.#clock,
    });
    this.#pipeline = new Pipeline({
      link,
      store,
      map,
      intake: new Intake(topics, complain, this.#receipt, {
        map,
        maxLayers: options.maxLayers ?? MAX_LAYERS,
      }),
      stats: this.stats,
      topics,
      sources: this.#sources,
      clock: this.#clock,
      dateNew: (layer, x, y, now) => this.#receipt.dateNew(layer, x, y, now),
      answer: (request) => {
        this.stats.requests++;
        this.#requests.answer(request);
      },
      complain,
      applied: () => {
        this.#changes.poke();
        this.#observers.tell();
      },
      failing: (failure) => this.#noteFailure(failure),
    });
    this.#outbox = new Outbox(link, (to, error) => {
      log.warn(`Could not reply to ${to}: ${messageOf(error)}`);
    });
    this.#requestTimes = new RequestTimes(topics.request);
    this.#requests = new Requests({
      link,
      topics,
      map,
      outbox: this.#outbox,
      answered: (request) => this.#requestTimes.answered(request),
      complain,
      clock: this.#clock,
      refresh: () => this.refresh(),
      problem: () => this.#problem,
      began: () => this.#began,
    });
    this.#neighbours = new Neighbours({
      link,
      topic: topics.state,
      name,
      announce: () => void this.#announcer.announce("online"),
      warn: (line) => log.warn(line),
    });
    this.#barrier = new Barrier({
      link,
      topic: barrierTopic(topics, name),
      requestTopic: topics.request,
      release: (request) => this.#pipeline.push(request),
    });
    this.#backlog = new Backlog({
      link,
      topic: barrierTopic(topics, name),
      clock: this.#receipt,
      store,
      flush: () => this.#pipeline.flush(),
      keep: (entry) => this.#pipeline.keep([entry]),
    });
    this.#changes = new Changes({
      link,
      map,
      topics,
      clock: this.#clock,
      interval: options.changesInterval ?? CHANGES_INTERVAL,
      refresh: () => this.refresh(),
      began: () => this.#began,
    });
  }

  /** ms since 1970, as readings are dated. */
  get clock(): () => number {
    return this.#clock;
  }

  /** When it began the map, ms since 1970; undefined if the map outlives it. */
  get began(): number | undefined {
    return this.#began;
  }

  /** True once the map is loaded: before, it says nothing. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** How things stand with the broker. */
  get linkState(): LinkState {
    return this.#link;
  }

  /** Why the store fails just now; undefined while it works. */
  get storeProblem(): string | undefined {
    return this.#problem?.message;
  }

  /** Is told of each commit; the last one that was set. */
  set observeCommit(observe: CommitObserver | undefined) {
    this.#pipeline.observeCommit = observe;
  }

  /** Is told of each request that was answered; the last one that was set. */
  set observeRequest(observe: RequestObserver | undefined) {
    this.#requestTimes.observe = observe;
  }

  /**
   * Calls the listener after the map, the link or the store has changed, at
   * most once a commit. It must be quick and must not throw.
   *
   * @returns ends it; safe to call twice
   */
  observe(listener: () => void): () => void {
    return this.#observers.add(listener);
  }

  /** Who reported a cell last, if its reading said so: see {@linkcode SourceBook}. */
  sourceOf(layer: string, x: number, y: number): string | undefined {
    const cell = this.#options.map.layer(layer)?.get(x, y);
    return cell && this.#sources.sourceOf(layer, x, y, cell.time);
  }

  /**
   * Takes in a payload of readings that did not come over the link. What is
   * refused is counted and reported as if it had come on the data topic.
   *
   * @param layer a valid name
   * @param payload not to be changed until this resolves
   * @param contentType as an MQTT 5 message has it
   * @returns what became of it, once it is committed and in the map
   */
  async submit(
    layer: string,
    payload: Uint8Array,
    contentType?: string,
  ): Promise<SubmissionResult> {
    if (!this.#loaded || this.#stopped !== undefined) {
      return this.#loaded
        ? unavailable("stopping", "The server is ending")
        : unavailable("starting", "The map is not loaded yet");
    }
    return await submit(layer, payload, contentType, {
      topic: this.#options.topics.data(layer),
      push: (submission) => this.#pipeline.submit(submission),
      complain: (complaint) => this.#complain(complaint),
    });
  }

  /** Resolves with the reason if the link is lost for good. */
  get gone(): Promise<LinkError> {
    return this.#gone.promise;
  }

  /**
   * Loads the map, connects and says that it is there.
   *
   * @throws {StoreError} if what is kept cannot be read, or nothing can be kept
   * @throws {LinkError} if the link cannot be opened
   */
  async start(): Promise<void> {
    const { link, log } = this.#options;
    this.#load();
    this.#ticking = setInterval(() => this.#tick(), TICK);
    let connected = false;
    await link.open({
      message: (message) => {
        if (this.#stopped !== undefined) return; // its broker sends it again
        if (this.#neighbours.stops(message)) return;
        this.#requestTimes.arrived(message);
        if (this.#backlog.stops(message)) return;
        if (!this.#barrier.stops(message)) this.#pipeline.push(message);
        else if (this.#problem !== undefined) this.#barrier.reset();
      },
      up: () => {
        if (connected) this.#rejoined();
        connected = true;
        this.#noteLink(undefined);
        this.#backlog.back();
        this.#barrier.reset();
        this.#announcer.announce("online");
        this.#changes.up();
      },
      down: (reason) => {
        this.#noteLink(reason);
        this.#backlog.lost();
        this.#changes.down();
        log.warn(`Lost the broker: ${reason}; trying again`);
      },
      failed: (error) => {
        this.#noteLink(error.message);
        this.#gone.resolve(error);
      },
    });
  }

  /** Finishes what has arrived, says goodbye, closes link and store. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { link, store } = this.#options;
    clearInterval(this.#ticking);
    this.#barrier.reset();
    this.#backlog.stop();
    this.#pipeline.stop();
    this.#changes.stop();
    if (this.#link.up) await atMost(FAREWELL, this.#farewell());
    this.#reports.close();
    await link.close();
    // A map that was never loaded says nothing of what is kept.
    const whole = this.#loaded && this.#problem === undefined;
    store.close(whole ? this.#options.map : undefined);
  }

  #rejoined(): void {
    const { link, log } = this.#options;
    log.info(`Joined ${link.description} again`);
    if (link.sessionPresent === false) {
      log.warn(
        "The broker had forgotten this server: what was on its way through it is lost (docs/OPERATIONS.md tells which settings keep it)",
      );
    }
  }

  /** Brings back what is kept, and lets it age to the present. */
  #load(): void {
    const { store, map } = this.#options;
    const { ageing } = map;
    store.load(map);
    this.#receipt.resume();
    this.#backlog.start();
    const now = this.#clock();
    if (!store.durable) this.#began = now;
    const kept = this.#pipeline.keep([
      { kind: "configure", now, ageing },
      { kind: "age", now },
    ]);
    if (!kept) throw this.#problem!;
    this.#loaded = true;
  }

  /** The broker is joined, or lost for the reason given. */
  #noteLink(problem: string | undefined): void {
    const up = problem === undefined;
    this.#link = { up, since: this.#clock(), problem };
    this.#observers.tell();
  }

  /** Cells age without any traffic. */
  #tick(): void {
    this.#receipt.check();
    this.#backlog.tick();
    if (this.#options.map.isDue(this.#clock())) this.refresh();
  }

  /**
   * Lets cells age to the present. Cheap when none is due.
   *
   * @returns the time at which the map is right, ms since 1970; undefined if the
   * store fails, and cells may look younger than they are
   */
  refresh(): number | undefined {
    const { map } = this.#options;
    const time = this.#clock();
    if (!map.isDue(time)) return time;
    this.#pipeline.flush(); // first, for it takes the clock on
    const now = this.#clock();
    return this.#pipeline.keep([{ kind: "age", now }]) ? now : undefined;
  }

  async #farewell(): Promise<void> {
    await this.#outbox.drained();
    this.#reports.flush();
    await this.#announcer.announce("offline");
  }

  /** The store failed, or is well again: says so to whoever watches the state. */
  #noteFailure(failure: StoreError | undefined): void {
    const { log } = this.#options;
    this.#problem = failure;
    if (failure === undefined) {
      log.info("The store works again: what waited has been kept");
    } else {
      log.warn(
        `${failure.message}. Readings wait, unacknowledged, until it works again`,
      );
      // What requests wait for does not come: a broker whose in-flight window is
      // full of such readings sends nothing more at QoS 1.
      this.#barrier.reset();
    }
    this.#announcer.announce("online");
    this.#observers.tell();
  }

  #complain(complaint: Complaint): void {
    countRefused(this.stats, complaint.code, complaint.count);
    this.#reports.add(complaint);
  }
}

/** Waits for work, but no longer than so many ms: the broker may be gone. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
