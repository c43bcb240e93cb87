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

/** A connection, and what waits for it. */
interface Member {
  readonly link: Link;
  isUp: boolean;
  /** Publishes that this broker has not answered. */
  readonly pending: Set<JoinedPublish>;
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
   * again, as far as its connection stores messages, and this resolves when the
   * first one has it.
   *
   * @throws {LinkError} if no broker has it, or will have it
   */
  publish(
    topic: string,
    payload: Uint8Array,
    options?: PublishOptions,
  ): Promise<void> {
    const up = this.#members.filter(({ isUp }) => isUp);
    const publish = new JoinedPublish(up.length > 0 ? up : this.#members);
    for (const member of publish.targets) {
      member.link.publish(topic, payload, options).then(
        () => publish.answered(member),
        (error) => publish.answered(member, error),
      );
    }
    return publish.result;
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
    for (const publish of [...member.pending]) publish.check();
    this.#handlers.down?.(reason, isConflict, member.link);
  }
}

/**
 * A message that is published to several brokers. What one of them has does not
 * wait for those that are away. What none has waits for them, as for a single
 * connection, which sends it again.
 */
class JoinedPublish {
  readonly targets: readonly Member[];
  readonly #result = Promise.withResolvers<void>();
  #hasAny = false;
  #errors: unknown[] = [];

  constructor(targets: readonly Member[]) {
    this.targets = targets;
    for (const { pending } of targets) pending.add(this);
  }

  /** Settles when no further answer is awaited. */
  get result(): Promise<void> {
    return this.#result.promise;
  }

  /** @param errors why the broker has not got it; empty if it has */
  answered(member: Member, ...errors: unknown[]): void {
    member.pending.delete(this);
    if (errors.length === 0) this.#hasAny = true;
    this.#errors.push(...errors);
    this.check();
  }

  /** Call when a connection is lost. */
  check(): void {
    const isAwaited = this.targets.some(({ isUp, pending }) =>
      pending.has(this) && (isUp || !this.#hasAny)
    );
    if (isAwaited) return;
    for (const { pending } of this.targets) pending.delete(this);
    if (this.#hasAny) this.#result.resolve();
    else this.#result.reject(this.#errors[0]);
  }
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
