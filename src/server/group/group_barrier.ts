/**
 * A marker that passes all members of a group.
 *
 * @module
 */
import { quoteName } from "../../common/printable.ts";
import { type GroupTopics, levelProblem } from "../../protocol/mod.ts";
import type { Incoming, Link } from "../../mqtt/link.ts";
import type { ServerContext } from "../context.ts";
import type { Marker, MarkerEvents } from "../markers.ts";
import type { Pipeline } from "../pipeline.ts";
import type { GroupMembers } from "./members.ts";

/**
 * How long a member may take to answer. Longer than it takes until a broker
 * notices that a member stands still (7.5 s) and another one has its messages
 * (2 s), and than a failover of Redis.
 */
const ANSWER_TIMEOUT_MS = 12_000;
/** Markers that are answered later. Any client can make up their senders. */
const MAX_UNANSWERED = 100;
/** A longer message is not of a member. */
const MAX_MESSAGE_BYTES = 1024;

/** A marker that has not passed all members. */
interface Pending {
  readonly link: Link;
  /** The members that have not answered. */
  readonly expected: Set<string>;
  readonly events: MarkerEvents;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The message on the barrier topic, and the answer. */
interface BarrierMessage {
  readonly id: string;
  /** The member that sends the message. */
  readonly from: string;
}

/** A marker that arrived on a connection while the own store failed. */
interface Unanswered {
  readonly link: Link;
  readonly content: BarrierMessage;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Publishes markers to all members of the group.
 *
 * The readings that a client publishes before a request may be on their way to
 * any of the members. A broker queues them for the members before it queues the
 * request for one of them, and so before the marker that this one publishes
 * then. MQTT keeps the order of each queue (MQTT 5, 4.6): a member that gets the
 * marker has these readings. It answers when they are stored.
 */
export class GroupBarrier {
  readonly #context: ServerContext;
  readonly #topics: GroupTopics;
  readonly #members: GroupMembers;
  readonly #pipeline: Pick<Pipeline, "processed">;
  /** Identifies this run: a broker may deliver answers to an earlier one. */
  readonly #runId = crypto.randomUUID();
  #count = 0;
  readonly #pending = new Map<string, Pending>();
  /** By broker: members that have not answered a marker in time. */
  readonly #silent = new Map<Link, Set<string>>();
  /** The last one of each member and broker. */
  #unanswered: Unanswered[] = [];

  constructor(
    context: ServerContext,
    topics: GroupTopics,
    members: GroupMembers,
    pipeline: Pick<Pipeline, "processed">,
  ) {
    this.#context = context;
    this.#topics = topics;
    this.#members = members;
    this.#pipeline = pipeline;
  }

  /**
   * Publishes a marker on a connection.
   *
   * @param events `onReturn` is called when all members have answered that may
   * have readings of the broker, or after 12 s. A member that has not answered
   * in time is not waited for again until it answers, except with `onTimeout`,
   * which is then called after 12 s
   */
  publish(link: Link, events: MarkerEvents): Marker {
    const id = `${this.#runId}/${++this.#count}`;
    const timer = setTimeout(() => this.#timeOut(id), ANSWER_TIMEOUT_MS);
    const involved = this.#members.involved(link);
    const silent = this.#silentOn(link).intersection(involved);
    this.#silent.set(link, silent);
    const expected = events.onTimeout === undefined
      ? involved.difference(silent)
      : involved;
    this.#pending.set(id, { link, expected, events, timer });
    const payload = encode({ id, from: this.#context.name });
    link.publish(this.#topics.barrier, payload, { qos: 1 }).catch(() => {
      if (this.#remove(id)) events.onFailure();
    });
    return { cancel: () => void this.#remove(id) };
  }

  /**
   * Handles a marker of any member, or the answer of one to this server.
   *
   * @returns false for other topics
   */
  handle(message: Incoming): boolean {
    const { link: all, name } = this.#context;
    const isMarker = message.topic === this.#topics.barrier;
    if (!isMarker && message.topic !== this.#topics.passed(name)) return false;
    all.acknowledge([message]);
    const content = parse(message.payload);
    if (content === undefined) return true;
    if (isMarker) void this.#answer(message.link ?? all, content);
    else this.#passed(message.link ?? all, content);
    return true;
  }

  /** Call when the store works again: answers what could not be answered. */
  storeWorks(): void {
    const unanswered = this.#unanswered;
    this.#unanswered = [];
    for (const { link, content } of unanswered) {
      void this.#answer(link, content);
    }
  }

  /** Call when a member says that it is online, and that its store works. */
  memberWorks(link: Link, name: string): void {
    this.#silentOn(link).delete(name);
  }

  /** Call when another member has stored what waited for one that is away. */
  memberSucceeded(link: Link, name: string): void {
    for (const [id, pending] of [...this.#pending]) {
      if (pending.link === link) this.#passed(link, { id, from: name });
    }
  }

  /** Answers when what has arrived before is stored. */
  async #answer(link: Link, content: BarrierMessage): Promise<void> {
    await this.#pipeline.processed();
    const { status, name } = this.#context;
    const { id, from } = content;
    // What cannot be stored now is not in the map: the other server waits.
    if (status.storeProblem !== undefined) {
      this.#unanswered = this.#unanswered
        .filter((one) => one.link !== link || one.content.from !== from)
        .slice(1 - MAX_UNANSWERED);
      this.#unanswered.push({ link, content });
      return;
    }
    const payload = encode({ id, from: name });
    link.publish(this.#topics.passed(from), payload, { qos: 1 })
      .catch(() => {}); // the other server has a time-out
  }

  #passed(link: Link, { id, from }: BarrierMessage): void {
    this.#silentOn(link).delete(from);
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.expected.delete(from);
    if (pending.expected.size > 0) return;
    this.#remove(id);
    pending.events.onReturn();
  }

  #timeOut(id: string): void {
    const pending = this.#remove(id);
    if (pending === undefined) return;
    const { log, telemetry, name } = this.#context;
    // Without the own answer, it is the broker that delivers nothing.
    if (!pending.expected.has(name)) {
      const silent = this.#silentOn(pending.link);
      for (const other of pending.expected) silent.add(other);
    }
    const names = [...pending.expected].map(quoteName);
    if (pending.events.onTimeout !== undefined) {
      return pending.events.onTimeout();
    }
    telemetry.stats.limited.add("group-barriers");
    log.warnLimited(
      "group-barrier",
      `Requests were answered without readings that other servers of the group may have received: no answer from ${
        names.join(", ")
      } on ${pending.link.description} within ${ANSWER_TIMEOUT_MS / 1000} s`,
    );
    pending.events.onReturn();
  }

  #silentOn(link: Link): Set<string> {
    return this.#silent.get(link) ?? new Set();
  }

  #remove(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    clearTimeout(pending?.timer);
    this.#pending.delete(id);
    return pending;
  }
}

function encode(message: BarrierMessage): Uint8Array {
  return encoder.encode(JSON.stringify(message));
}

/** Returns undefined if the payload is not of a member. */
function parse(payload: Uint8Array): BarrierMessage | undefined {
  if (payload.length > MAX_MESSAGE_BYTES) return undefined;
  try {
    const { id, from } = JSON.parse(decoder.decode(payload));
    const isValid = typeof id === "string" && typeof from === "string" &&
      levelProblem(from) === undefined;
    return isValid ? { id, from } : undefined;
  } catch {
    return undefined;
  }
}
