/**
 * A link without a network, for tests that act as the broker.
 *
 * @module
 */
import type {
  Incoming,
  IncomingRun,
  Link,
  LinkHandlers,
  PublishOptions,
} from "../../src/mqtt/link.ts";

const encoder = new TextEncoder();

/** A message published on a {@linkcode FakeLink}. */
export interface Published {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly options: PublishOptions;
  /** Resolves or rejects the promise of `publish()`. */
  readonly settle: (error?: Error) => void;
}

/** A link without a network: the test acts as the broker. */
export class FakeLink implements Link {
  readonly description = "fake";
  readonly mqttVersion = 5;
  readonly published: Published[] = [];
  readonly acknowledged: (Incoming | IncomingRun)[] = [];
  handlers: LinkHandlers = { message: () => {} };
  maxPayload?: () => number;
  hasSubscriber?: (topic: string) => boolean;
  closed = false;
  /** If true, the test settles each published message. */
  readonly #manual: boolean;

  constructor({ manual = false } = {}) {
    this.#manual = manual;
  }

  open(handlers: LinkHandlers): Promise<void> {
    this.handlers = handlers;
    handlers.up?.();
    return Promise.resolve();
  }

  publish(
    topic: string,
    payload: Uint8Array,
    options: PublishOptions = {},
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (error?: Error) => error ? reject(error) : resolve();
    this.published.push({ topic, payload, options, settle });
    if (!this.#manual) resolve();
    return promise;
  }

  acknowledge(messages: readonly (Incoming | IncomingRun)[]): void {
    this.acknowledged.push(...messages);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  /** Returns the payloads published on a topic, as text. */
  textsOn(topic: string): string[] {
    return this.published.filter((message) => message.topic === topic)
      .map(({ payload }) => new TextDecoder().decode(payload));
  }
}

/** Returns a message as a link delivers it. */
export function incoming(
  topic: string,
  payload: string | Uint8Array,
  rest: Partial<Incoming> = {},
): Incoming {
  return {
    topic,
    payload: typeof payload === "string" ? encoder.encode(payload) : payload,
    qos: 1,
    retain: false,
    ...rest,
  };
}

/**
 * Returns messages to one topic as a link delivers them together: in one
 * buffer, with other bytes between the payloads.
 */
export function incomingRun(
  topic: string,
  payloads: readonly (string | Uint8Array)[],
  rest: Partial<Pick<Incoming, "qos" | "retain" | "contentType">> = {},
): IncomingRun {
  const parts = payloads.map((payload) => incoming(topic, payload).payload);
  const gap = encoder.encode("9,9,9\n");
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length + gap.length, gap.length),
  );
  const starts = new Uint32Array(parts.length);
  const ends = new Uint32Array(parts.length);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    bytes.set(gap, at);
    starts[i] = at += gap.length;
    bytes.set(part, at);
    ends[i] = at += part.length;
  }
  bytes.set(gap, at);
  const { length: count } = parts;
  return { topic, count, bytes, starts, ends, qos: 1, retain: false, ...rest };
}

/** Resolves after all promise callbacks that are ready have run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
