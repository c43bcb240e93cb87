/**
 * The server: keeps one map and hands it out.
 *
 * @module
 */
import type { OccupancyMap } from "../grid/mod.ts";
import type { Incoming, Link, LinkError } from "../mqtt/link.ts";
import {
  encodeState,
  type MapRequest,
  parseRequest,
  ProtocolError,
  type ReplyRouting,
  RequestError,
  type Topics,
} from "../protocol/mod.ts";
import type { Store, StoreError } from "../store/store.ts";
import { answer, answerError, noReply, type Reply } from "./answer.ts";
import { Backlog } from "./backlog.ts";
import { Barrier } from "./barrier.ts";
import { Changes, CHANGES_INTERVAL } from "./changes.ts";
import { describeJump, ReceiptClock } from "./clock.ts";
import { Intake } from "./intake.ts";
import { Outbox } from "./outbox.ts";
import { Pipeline } from "./pipeline.ts";
import { type Complaint, describeComplaint, Reports } from "./reports.ts";
import { countRefused, newStats, type Stats } from "./stats.ts";

/** What a server says to the person who runs it. */
export interface ServerLog {
  info(line: string): void;
  warn(line: string): void;
}

/** What a server is given. */
export interface ServerOptions {
  /** Opened by {@linkcode Server.start}, closed by {@linkcode Server.stop}. */
  readonly link: Link;
  /** Loaded at start, closed at stop. */
  readonly store: Store;
  readonly map: OccupancyMap;
  readonly topics: Topics;
  /** The MQTT client id; told to others in the state topic. */
  readonly name: string;
  readonly version: string;
  readonly log: ServerLog;
  /** ms since 1970. Default `Date.now`. */
  readonly clock?: () => number;
  /** A reading of a layer beyond so many is refused. Default 10,000. */
  readonly maxLayers?: number;
  /** ms between deltas of a layer at the least; 0 for none. Default 100. */
  readonly changesInterval?: number;
}

/** How often cells that are due for it age, in ms. */
const TICK = 1000;
/** Each costs about 9 KB, and anyone who may publish can make one. */
const MAX_LAYERS = 10_000;
/** How long stopping may wait for the last replies to go out, in ms. */
const FAREWELL = 5000;

/** The filters that the link of a server must subscribe to. */
export function serverSubscriptions(topics: Topics, name: string): string[] {
  return [topics.dataFilter, topics.request, barrierTopic(topics, name)];
}

/** What the broker publishes on the state topic if the server dies. */
export function offlineState(name: string, version: string): Uint8Array {
  return encodeState({ state: "offline", name, version });
}

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
  readonly #backlog: Backlog;
  readonly #changes: Changes;
  /** When it began the map; undefined if the map outlives the server. */
  #began: number | undefined;
  readonly #gone = Promise.withResolvers<LinkError>();
  #up = false;
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
    this.#reports = new Reports({
      publish: (payload) => this.#publish(topics.errors, payload),
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
      clock: this.#clock,
      answer: (request) => this.#answer(request),
      complain,
      applied: () => this.#changes.poke(),
      failing: (failure) => this.#noteFailure(failure),
    });
    this.#outbox = new Outbox(link, (to, error) => {
      log.warn(`Could not reply to ${to}: ${messageOf(error)}`);
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
      refresh: () => this.#refresh(),
      began: () => this.#began,
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
        if (this.#backlog.stops(message)) return;
        if (!this.#barrier.stops(message)) this.#pipeline.push(message);
        else if (this.#problem !== undefined) this.#barrier.reset();
      },
      up: () => {
        if (connected) this.#rejoined();
        connected = this.#up = true;
        this.#backlog.back();
        this.#barrier.reset();
        this.#announce("online");
        this.#changes.up();
      },
      down: (reason) => {
        this.#up = false;
        this.#backlog.lost();
        this.#changes.down();
        log.warn(`Lost the broker: ${reason}; trying again`);
      },
      failed: (error) => {
        this.#up = false;
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
    if (this.#up) await atMost(FAREWELL, this.#farewell());
    this.#reports.close();
    await link.close();
    store.close(this.#problem === undefined ? this.#options.map : undefined);
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
  }

  /** Cells age without any traffic. */
  #tick(): void {
    this.#receipt.check();
    this.#backlog.tick();
    if (this.#options.map.isDue(this.#clock())) this.#refresh();
  }

  /**
   * Lets cells age to the present.
   *
   * @returns the time at which the map is right, or undefined if the store fails
   */
  #refresh(): number | undefined {
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
    await this.#announce("offline");
  }

  #answer(message: Incoming): void {
    this.stats.requests++;
    const { topics } = this.#options;
    let request: MapRequest;
    try {
      request = parseRequest(message.payload, {
        topics,
        responseTopic: message.responseTopic,
        // A copy: it is a view of all that was read at once.
        correlationData: message.correlationData?.slice(),
      });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#complainOf(error, message.topic);
      this.#send(error, () => answerError(error));
      return;
    }
    if (request.kind === "original" && request.malformed !== undefined) {
      this.#complain({
        topic: message.topic,
        code: "bad-json",
        message: request.malformed,
        count: 1,
      });
    }
    this.#send(request, () => this.#reply(request));
  }

  /** What the map says, at a time at which it is right. */
  #reply(request: MapRequest): Reply {
    const now = this.#refresh();
    const problem = this.#problem;
    if (problem !== undefined && request.kind === "map") {
      const error = new ProtocolError("store-failing", problem.message);
      return answerError(
        new RequestError(error, request, request.transaction),
      );
    }
    const { map, link, topics } = this.#options;
    const { replyTopic, correlationData } = request;
    const room = link.maxPayload?.(replyTopic, { correlationData });
    try {
      return answer(request, map, now ?? this.#clock(), this.#began, room);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#complainOf(error, topics.request);
      // What the original scripts would read in an error reply is no map.
      return request.kind === "map" ? answerError(error) : noReply(error);
    }
  }

  #complainOf({ code, message }: RequestError, topic: string): void {
    this.#complain({ topic, code, message, count: 1 });
  }

  #send(routing: ReplyRouting, write: () => Reply): void {
    const { correlationData } = routing;
    if (this.#outbox.send(write, correlationData?.length)) return;
    this.#complain({
      topic: this.#options.topics.request,
      code: "overloaded",
      message: "Too many requests wait for an answer",
      count: 1,
    });
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
    this.#announce("online");
  }

  #complain(complaint: Complaint): void {
    countRefused(this.stats, complaint.code, complaint.count);
    this.#reports.add(complaint);
  }

  #announce(state: "online" | "offline"): Promise<void> {
    const { topics, name, version } = this.#options;
    const problem = this.#problem?.message;
    const payload = encodeState({
      state,
      name,
      version,
      since: this.#clock(),
      ...(problem !== undefined && { problem }),
    });
    return this.#publish(topics.state, payload, true);
  }

  /** Publishes something that nobody waits for; a failure is only told. */
  async #publish(
    topic: string,
    payload: Uint8Array,
    retain = false,
  ): Promise<void> {
    try {
      await this.#options.link.publish(topic, payload, {
        qos: retain ? 1 : 0,
        retain,
      });
    } catch (error) {
      this.#options.log.warn(
        `Could not publish on ${topic}: ${messageOf(error)}`,
      );
    }
  }
}

/** Waits for work, but no longer than so many ms: the broker may be gone. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}

/** Where a server sends itself the markers of its {@linkcode Barrier}. */
function barrierTopic(topics: Topics, name: string): string {
  return `${topics.prefix}/server/barrier/${name}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
