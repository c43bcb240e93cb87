/**
 * A link without a network, for tests that act as the broker.
 *
 * @module
 */
import type {
  Incoming,
  Link,
  LinkHandlers,
  PublishOptions,
} from "../../src/mqtt/link.ts";

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
  readonly acknowledged: Incoming[] = [];
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

  acknowledge(messages: readonly Incoming[]): void {
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
    payload: typeof payload === "string"
      ? new TextEncoder().encode(payload)
      : payload,
    qos: 1,
    retain: false,
    ...rest,
  };
}

/** Resolves after all promise callbacks that are ready have run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
