/**
 * Answers requests in turns of a few milliseconds: decides which reply is
 * written and published next.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import { printable } from "../common/printable.ts";
import { SnapshotLostError } from "../grid/mod.ts";
import {
  type ParsedRequest,
  ProtocolError,
  RequestError,
} from "../protocol/mod.ts";
import type { ServerContext } from "./context.ts";
import { Outbox, SMALL_BYTES } from "./outbox.ts";
import { type Reply, writeErrorReply } from "./reply.ts";
import { bodyKeyOf, identityOf, requestError } from "./reply_job.ts";
import type { ReplyJobs } from "./reply_jobs.ts";
import { ReplyTurns } from "./reply_turns.ts";
import { type ParkedTopic, ParkedTopics } from "./parked_topics.ts";
import { type QueuedRequest, RequestQueue } from "./request_queue.ts";
import { Writing, Writings } from "./writing.ts";
import type { Preparation, Prepared } from "./preparation.ts";

/** Time for replies in one turn of the event loop. */
const TURN_MS = 8;
/** Time for one kind of work before the next one. */
const STEP_MS = 2;
/** Memory of replies that are not published, unless there is only one. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;

/** A request, or the error reply to one. */
interface Waiting extends QueuedRequest {
  readonly request: ParsedRequest | undefined;
  readonly reply: Reply | undefined;
  /** Its rank among all requests, or that of its last repetition. */
  rank: number;
  /** What was awaited for it. */
  prepared?: Prepared;
  /** Called when the broker has acknowledged the reply. */
  readonly onSent: () => void;
}

/**
 * The replies of a server. Those of one topic are published in the order of
 * their requests. Small ones go ahead of the large ones of other topics, of
 * which only one is written at a time. All work is done in turns of
 * {@linkcode TURN_MS}, so that everything else continues.
 */
export class Replies {
  readonly #context: ServerContext;
  readonly #preparation: Preparation;
  readonly #jobs: ReplyJobs;
  readonly #onError: (error: ProtocolError) => void;
  readonly #queue = new RequestQueue<Waiting>();
  readonly #outbox: Outbox;
  /** Topics whose first request may be answered, in turn. */
  readonly #ready = new Set<string>();
  readonly #parked: ParkedTopics;
  readonly #turns: ReplyTurns;
  readonly #writings = new Writings();
  #rank = 0;
  #isStopped = false;
  readonly #drainListeners: (() => void)[] = [];

  /** @param onError called for each request that is refused */
  constructor(
    context: ServerContext,
    jobs: ReplyJobs,
    preparation: Preparation,
    onError: (error: ProtocolError) => void,
  ) {
    this.#context = context;
    this.#preparation = preparation;
    this.#jobs = jobs;
    this.#onError = onError;
    this.#outbox = new Outbox(context, {
      onIdle: (topic) => this.#onIdle(topic),
      onRoom: () => this.#turns.run(),
    });
    this.#parked = new ParkedTopics(() => this.#dropSlow());
    this.#turns = new ReplyTurns({
      turnMs: TURN_MS,
      step: () => this.#step(),
      hasWork: () => this.#hasWork,
      onEnd: () => this.#notifyDrained(),
    });
  }

  /**
   * Answers a request, at once if its reply is small. If a request with the
   * same reply waits, one reply answers both.
   *
   * @param onSent called when the broker has acknowledged the reply
   * @returns false if too many requests wait
   */
  add(request: ParsedRequest, onSent: () => void): boolean {
    const { replyTopic: topic, correlationData } = request;
    const identity = identityOf(request);
    const same = this.#queue.find(topic, identity);
    if (same !== undefined) {
      same.rank = this.#rank++; // with the readings sent in between
      return true;
    }
    return this.#add({
      topic,
      identity,
      bytes: identity.length + (correlationData?.length ?? 0),
      request,
      reply: undefined,
      rank: this.#rank++,
      onSent,
    });
  }

  /** Publishes an error reply after the replies before it. */
  addError(error: RequestError, onSent: () => void): boolean {
    return this.#add({
      topic: error.replyTopic,
      identity: undefined,
      bytes: error.correlationData?.length ?? 0,
      request: undefined,
      reply: writeErrorReply(error),
      rank: this.#rank++,
      onSent,
    });
  }

  /** Resolves when all replies have been sent or have failed. */
  async drained(): Promise<void> {
    if (this.#isDrained) return;
    await new Promise<void>((resolve) => this.#drainListeners.push(resolve));
  }

  /** Drops the replies that are not published. */
  stop(): void {
    this.#isStopped = true;
    this.#turns.stop();
    this.#writings.clear();
    this.#queue.clear();
    this.#ready.clear();
    this.#parked.clear();
    this.#outbox.stop();
    this.#notifyDrained();
  }

  get #isDrained(): boolean {
    return this.#isStopped || this.#queue.size === 0 &&
        this.#outbox.size === 0 && this.#writings.current === undefined;
  }

  #notifyDrained(): void {
    if (!this.#isDrained) return;
    for (const resolve of this.#drainListeners.splice(0)) resolve();
  }

  #add(waiting: Waiting): boolean {
    const { topic } = waiting;
    if (this.#isStopped || this.#jobs.lacksSubscriber(topic)) return true;
    const isFirst = this.#queue.first(topic) === undefined;
    if (!this.#queue.add(waiting)) return false;
    if (isFirst && this.#outbox.isIdle(topic)) this.#ready.add(topic);
    this.#turns.run();
    return true;
  }

  /** All parts of a topic are published. */
  #onIdle(topic: string): void {
    if (this.#queue.first(topic) !== undefined) this.#ready.add(topic);
    this.#writings.prune((owner) => this.#outbox.holds(owner));
  }

  get #hasWork(): boolean {
    return this.#ready.size > 0 || this.#writings.current !== undefined ||
      this.#outbox.canPublish || this.#mayUnpark;
  }

  /** Does a little of each kind of work. Returns false if there is none. */
  #step(): boolean {
    if (this.#mayUnpark) this.#unpark();
    const [topic] = this.#ready;
    if (topic !== undefined) {
      this.#ready.delete(topic);
      this.#answerFirst(topic);
    }
    const hasPublished = this.#outbox.publish(performance.now() + STEP_MS);
    const writing = this.#writings.current;
    if (writing !== undefined) this.#write(writing);
    return hasPublished || topic !== undefined || writing !== undefined;
  }

  /** Answers the first request of a topic, or begins to. */
  #answerFirst(topic: string): void {
    const waiting = this.#queue.first(topic);
    if (waiting === undefined || !this.#outbox.isIdle(topic)) return;
    if (this.#jobs.lacksSubscriber(topic)) {
      this.#drop(topic);
      return;
    }
    const { request, reply } = waiting;
    if (reply !== undefined) this.#send(topic, reply);
    else this.#guard(new Set([topic]), () => this.#answer(waiting, request!));
  }

  #answer(waiting: Waiting, request: ParsedRequest): void {
    const { topic } = waiting;
    const now = this.#jobs.refresh();
    const { storeProblem } = this.#context.status;
    if (storeProblem !== undefined && request.kind !== "original") {
      this.#refuse(topic, "store-failing", storeProblem.message);
      return;
    }
    const { prepared } = waiting;
    if (prepared === undefined && this.#preparation.isNeeded(request)) {
      void this.#prepare(waiting, request, now);
      return;
    }
    if (prepared?.error !== undefined) throw prepared.error;
    const key = bodyKeyOf(request, this.#jobs.maxPayload(request));
    if (this.#join(waiting, key, now)) return;
    const job = this.#jobs.create(request, now, prepared);
    const rank = prepared?.rank ?? this.#rank;
    const writing = new Writing(key, request, job, rank);
    writing.topics.add(topic);
    if (job.writeIfSmall(SMALL_BYTES, STEP_MS)) {
      this.#writings.addSmall(writing);
      this.#complete(writing);
    } else if (this.#canBegin(job.maxBytes)) {
      this.#writings.current = writing;
      this.#queue.begin(topic);
    } else {
      job.close();
      this.#park({ topic, key, bytes: job.maxBytes });
    }
  }

  /** Awaits what a request needs, then continues with it. */
  async #prepare(
    waiting: Waiting,
    request: ParsedRequest,
    now: number,
  ): Promise<void> {
    const { topic } = waiting;
    // An identical request after further readings needs another answer.
    this.#queue.begin(topic);
    const rank = () => this.#rank;
    waiting.prepared = await this.#preparation.prepare(request, now, rank);
    if (this.#isStopped) return;
    this.#ready.add(topic);
    this.#turns.run();
  }

  /** Uses cells that are written for others. Returns false if there are none. */
  #join({ topic, request, rank }: Waiting, key: string, now: number): boolean {
    const writing = this.#writings.find(key, rank);
    if (writing === undefined) return false;
    const { job, topics } = writing;
    if (!job.isDone) {
      topics.add(topic);
      this.#queue.begin(topic);
      return true;
    }
    const moment = writing.isBefore(rank) ? job.now : now;
    const maxBytes = this.#jobs.maxPayload(request!);
    const reply = job.replyTo(request!, moment, maxBytes);
    if (reply === undefined) return false;
    this.#send(topic, reply);
    return true;
  }

  /** Writes a part of the large reply. */
  #write(writing: Writing): void {
    this.#guard(writing.topics, () => {
      try {
        if (!writing.job.step(performance.now() + STEP_MS)) return;
      } catch (error) {
        if (!(error instanceof SnapshotLostError)) throw error;
        this.#restart(writing);
        return;
      }
      this.#writings.complete();
      this.#complete(writing);
    });
  }

  /** Begins a reply again whose layer changes too fast. */
  #restart(writing: Writing): void {
    const { request, topics } = writing;
    this.#context.telemetry.stats.limited.add("reply-restarts");
    const now = this.#jobs.refresh();
    const create = () => this.#jobs.create(request, now);
    if (writing.restart(create, this.#rank)) return;
    this.#writings.abandon();
    for (const topic of topics) {
      const reason = "the layer changes faster than it can be read";
      this.#refuse(topic, "overloaded", reason);
    }
  }

  /** Sends the reply to all topics that wait for it. */
  #complete({ job, topics }: Writing): void {
    for (const topic of topics) {
      topics.delete(topic);
      const request = this.#queue.first(topic)?.request;
      if (request === undefined) continue;
      this.#guard(new Set([topic]), () => {
        const reply = job.replyTo(
          request,
          job.now,
          this.#jobs.maxPayload(request),
        );
        if (reply === undefined) this.#ready.add(topic);
        else this.#send(topic, reply);
      });
    }
  }

  /** Passes the reply to the first request of a topic to the outbox. */
  #send(topic: string, reply: Reply): void {
    const { onSent, prepared } = this.#queue.first(topic)!;
    prepared?.release?.();
    this.#queue.shift(topic);
    this.#outbox.add(reply, onSent);
  }

  /** Removes the first request of a topic without a reply. */
  #drop(topic: string): void {
    this.#queue.first(topic)?.prepared?.release?.();
    this.#queue.shift(topic);
    if (this.#queue.first(topic) !== undefined) this.#ready.add(topic);
  }

  /** Answers the first request of a topic with an error. */
  #refuse(topic: string, code: string, message: string): void {
    const request = this.#queue.first(topic)?.request;
    const error = new ProtocolError(code, message);
    if (request !== undefined) this.#fail(topic, requestError(request, error));
  }

  #fail(topic: string, error: RequestError): void {
    const request = this.#queue.first(topic)?.request;
    if (error.code !== "store-failing") this.#onError(error);
    // The original scripts would read an error reply as a map.
    if (request === undefined || request.kind === "original") this.#drop(topic);
    else this.#send(topic, writeErrorReply(error));
  }

  /** Does work for the first requests of some topics; handles its errors. */
  #guard(topics: ReadonlySet<string>, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (topics === this.#writings.current?.topics) this.#writings.abandon();
      for (const topic of topics) {
        // Several requests may share what has failed.
        if (error instanceof RequestError) {
          this.#refuse(topic, error.code, error.message);
        } else {
          const where = printable(topic); // out of memory, for example
          this.#context.log.warnLimited(
            "reply",
            () => `Cannot write a reply on ${where}: ${messageOf(error)}`,
          );
          this.#drop(topic);
        }
      }
    }
  }

  /** Returns true if a reply of this size may begin. */
  #canBegin(bytes: number): boolean {
    const { unsentBytes } = this.#outbox;
    return this.#writings.current === undefined &&
      (unsentBytes === 0 || unsentBytes + bytes <= MAX_UNSENT_BYTES);
  }

  #park(parked: ParkedTopic): void {
    if (this.#parked.add(parked)) return;
    this.#context.telemetry.stats.limited.add("large-replies");
    const reason = "too many requests wait for a large reply";
    this.#refuse(parked.topic, "overloaded", reason);
  }

  get #mayUnpark(): boolean {
    const { first } = this.#parked;
    return first !== undefined && this.#canBegin(first.bytes);
  }

  /** Answers the topic that has waited the longest, and those that can join. */
  #unpark(): void {
    for (const { topic } of this.#parked.takeSame()) this.#answerFirst(topic);
  }

  /** Drops slow replies while others wait for their memory. */
  #dropSlow(): void {
    if (this.#writings.current === undefined) this.#outbox.dropSlow();
    this.#turns.run();
  }
}
