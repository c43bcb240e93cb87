/**
 * One link over connections to several brokers.
 *
 * @module
 */
import { delay } from "../common/async.ts";
import { Backoff } from "../common/backoff.ts";
import { messageOf } from "../common/errors.ts";
import {
  type Incoming,
  type IncomingRun,
  type Link,
  LinkError,
  type LinkHandlers,
  type PublishOptions,
} from "./link.ts";

/** The longest pause between two attempts to open a connection. */
const MAX_RETRY_DELAY_MS = 5000;
const MIN_RETRY_DELAY_MS = 250;

/** A publish that waits for the answer of one broker. */
type Pending = (error: unknown) => void;

/** A connection, and what waits for it. */
interface Member {
  readonly link: Link;
  isUp: boolean;
  /** Publishes to all brokers that this one has not answered. */
  readonly pending: Set<Pending>;
}

/**
 * A {@linkcode Link} to several brokers.
 *
 * A message is acknowledged on the connection that it arrived on. What is
 * published goes to all brokers that are connected; to publish to one of them,
 * use its connection. While one broker is away the others go on.
 */
export class JoinedLinks implements Link {
  readonly connections: readonly Link[];
  readonly #members: readonly Member[];
  #handlers: LinkHandlers = { message: () => {} };
  /** The connections that do not connect again. */
  readonly #failed = new Set<Link>();
  readonly #closing = new AbortController();

  /**
   * @param connections not open; each sets {@linkcode Incoming.link} of its
   * messages. At least one
   */
  constructor(connections: readonly Link[]) {
    this.connections = connections;
    this.#members = connections.map((link) => ({
      link,
      isUp: false,
      pending: new Set(),
    }));
  }

  get description(): string {
    return this.connections.map(({ description }) => description).join(", ");
  }

  /** The lowest of the connections. */
  get mqttVersion(): 4 | 5 {
    return this.connections.every(({ mqttVersion }) => mqttVersion === 5)
      ? 5
      : 4;
  }

  maxPayload(topic: string, options?: PublishOptions): number {
    return Math.min(
      ...this.connections.map((link) =>
        link.maxPayload?.(topic, options) ?? Infinity
      ),
    );
  }

  /**
   * Resolves when each of the connections is open or has failed once; those
   * that failed are opened again until they succeed.
   *
   * @throws {LinkError} if all of them failed
   */
  async open(handlers: LinkHandlers): Promise<void> {
    this.#handlers = handlers;
    const results = await Promise.allSettled(
      this.#members.map((member) => this.#open(member)),
    );
    const errors = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason] : []
    );
    if (errors.length === results.length) throw joinErrors(errors);
    for (const [i, result] of results.entries()) {
      if (result.status === "fulfilled") continue;
      const member = this.#members[i]!;
      this.#onDown(member, messageOf(result.reason));
      void this.#retry(member);
    }
  }

  /**
   * Resolves when all brokers that are still connected have it: at QoS 1
   * acknowledged. While none is connected, each gets it when it is connected
   * again, as far as its connection stores messages.
   *
   * @throws {LinkError} if no broker has it
   */
  async publish(
    topic: string,
    payload: Uint8Array,
    options?: PublishOptions,
  ): Promise<void> {
    const up = this.#members.filter(({ isUp }) => isUp);
    const targets = up.length > 0 ? up : this.#members;
    const errors = await Promise.all(
      targets.map((member) => publishOn(member, topic, payload, options)),
    );
    const failed = errors.filter((error) => error !== undefined);
    if (failed.length === targets.length) throw failed[0];
  }

  acknowledge(messages: readonly (Incoming | IncomingRun)[]): void {
    const [first] = messages;
    if (first === undefined) return;
    const link = linkOf(first);
    // Usually all are of one connection.
    if (messages.every((message) => linkOf(message) === link)) {
      link?.acknowledge(messages);
      return;
    }
    for (const [link, own] of Map.groupBy(messages, linkOf)) {
      link?.acknowledge(own);
    }
  }

  acknowledgeLater(message: Incoming): void {
    linkOf(message)?.acknowledgeLater?.(message);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.connections.map((link) => link.close()));
  }

  async #open(member: Member): Promise<void> {
    const { link } = member;
    const { message, silent } = this.#handlers;
    await link.open({
      message,
      up: () => {
        member.isUp = true;
        this.#handlers.up?.(link);
      },
      down: (reason, isConflict) => this.#onDown(member, reason, isConflict),
      ...(silent && {
        silent: (ms) => this.#handlers.silent?.(ms, link),
      }),
      failed: (error) => {
        this.#onDown(member, error.message);
        this.#failed.add(link);
        if (this.#failed.size === this.#members.length) {
          this.#handlers.failed?.(error);
        }
      },
    });
  }

  /** Opens a connection whose first attempt has failed. */
  async #retry(member: Member): Promise<void> {
    const { signal } = this.#closing;
    const backoff = new Backoff(MIN_RETRY_DELAY_MS, MAX_RETRY_DELAY_MS);
    for (;;) {
      await delay(backoff.next(), signal);
      if (signal.aborted) return;
      try {
        await this.#open(member);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#onDown(member, messageOf(error));
      }
    }
  }

  #onDown(member: Member, reason: string, isConflict?: boolean): void {
    member.isUp = false;
    // The others have these messages: nothing waits for a broker that is away.
    for (const settle of [...member.pending]) {
      settle(new LinkError("closed", reason));
    }
    this.#handlers.down?.(reason, isConflict, member.link);
  }
}

/** Resolves with the error, if there is one. */
function publishOn(
  { link, pending }: Member,
  topic: string,
  payload: Uint8Array,
  options?: PublishOptions,
): Promise<unknown> {
  return new Promise((resolve) => {
    const settle = (error: unknown) => {
      if (pending.delete(settle)) resolve(error);
    };
    pending.add(settle);
    link.publish(topic, payload, options).then(
      () => settle(undefined),
      (error) => settle(error),
    );
  });
}

/** Returns what acknowledges a message. */
function linkOf(
  message: Incoming | IncomingRun,
): Pick<Link, "acknowledge" | "acknowledgeLater"> | undefined {
  return "link" in message ? message.session ?? message.link : undefined;
}

/** Returns one error for several connections that cannot be opened. */
function joinErrors(errors: readonly unknown[]): unknown {
  const [first] = errors;
  if (!(first instanceof LinkError)) return first;
  return new LinkError(first.code, errors.map(messageOf).join("; "), {
    ...(first.hint !== undefined && { hint: first.hint }),
    cause: first,
  });
}
