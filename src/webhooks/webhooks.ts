/**
 * Sends events to webhooks.
 *
 * @module
 */
import { doneWithin } from "../common/async.ts";
import type { Line } from "../common/line_limiter.ts";
import { plural } from "../common/plural.ts";
import type { WebhookAddress } from "./address.ts";
import { DEFAULT_ATTEMPT_LIMITS } from "./attempt.ts";
import {
  Delivery,
  type DeliveryLimits,
  type QueuedEvent,
  type WebhookCounts,
} from "./delivery.ts";
import { DEFAULT_RETRY_TIMES } from "./retry.ts";
import { eventId, type WebhookSecret } from "./signature.ts";

/**
 * The bounds without options. 10,000 zones have as many events at once when all
 * of them become unknown; 20,000 events take 10 to 20 MB.
 */
export const DEFAULT_WEBHOOK_LIMITS: DeliveryLimits = {
  ...DEFAULT_RETRY_TIMES,
  ...DEFAULT_ATTEMPT_LIMITS,
  events: 20_000,
};

/** The part of the log of a server that webhooks use. */
export interface WebhookLog {
  info(line: string): void;
  warn(line: string): void;
  /** At most one line of a kind in a minute. */
  warnLimited(kind: string, line: Line): void;
}

/** Options of {@linkcode Webhooks}. */
export interface WebhooksOptions {
  /** Each gets all events. */
  readonly addresses: readonly WebhookAddress[];
  /** The version of occupancy, for the header `User-Agent`. */
  readonly version: string;
  /** Signs the requests; undefined: they are not signed. */
  readonly secret?: WebhookSecret | undefined;
  readonly log: WebhookLog;
  /** Called for each event that a full queue has lost. */
  readonly onDropped: () => void;
  /** The bounds to change. */
  readonly limits?: Partial<DeliveryLimits>;
}

/** A webhook for the metrics. */
export interface WebhookStatus {
  /** Its number in the order of the options, from 1. */
  readonly number: number;
  /** Scheme, host and port; the rest of the address may be secret. */
  readonly origin: string;
  readonly counts: WebhookCounts;
}

/**
 * Sends each event to all webhooks as an HTTP POST, in order for each, and tries
 * again what was not accepted. A webhook that is slow or fails does not delay
 * the others or the caller. What waits is in memory: it is lost if the process
 * is killed.
 */
export class Webhooks {
  readonly #deliveries: readonly {
    readonly number: number;
    readonly address: WebhookAddress;
    readonly delivery: Delivery;
  }[];
  readonly #log: WebhookLog;
  readonly #userAgent: string;
  #secret: WebhookSecret | undefined;
  #isClosed = false;

  constructor(
    { addresses, version, secret, log, onDropped, limits }: WebhooksOptions,
  ) {
    this.#log = log;
    this.#userAgent = `occupancy/${version}`;
    this.#secret = secret;
    this.#deliveries = addresses.map((address, index) => {
      const number = index + 1;
      const name = nameOf(number, address);
      const delivery = new Delivery({
        address,
        limits: { ...DEFAULT_WEBHOOK_LIMITS, ...limits },
        headersOf: (event) => this.#headersOf(event, address),
        warn: (kind, line) =>
          // The number of webhooks is that of an option.
          log.warnLimited(
            `webhook-${number}-${kind}`,
            () => `${name}: ${line()}`,
          ),
        onRecovered: () => log.info(`${name}: events are delivered again`),
        onDropped,
      });
      return { number, address, delivery };
    });
  }

  /** The present state of each webhook. */
  *status(): Iterable<WebhookStatus> {
    for (const { number, address, delivery } of this.#deliveries) {
      yield { number, origin: address.origin, counts: delivery.counts };
    }
  }

  /**
   * Sends an event. Returns at once, and never throws. Does nothing after
   * {@linkcode close}.
   *
   * @param topic the topic on which the event is also published
   * @param event its JSON is the body of the request, and the payload on MQTT
   */
  send(topic: string, event: object): void {
    if (this.#isClosed) return;
    const body = JSON.stringify(event);
    const queued = { id: eventId(topic, body), topic, body };
    for (const { delivery } of this.#deliveries) delivery.add(queued);
  }

  /** Replaces the secret for the next requests. */
  setSecret(secret: WebhookSecret): void {
    this.#secret = secret;
  }

  /**
   * Tries to send what waits, then ends, and logs what was not delivered.
   *
   * @param ms how long it may take
   */
  async close(ms: number): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const ends = this.#deliveries.map(({ delivery }) => delivery.finish());
    await doneWithin(Promise.all(ends), ms);
    for (const { delivery } of this.#deliveries) delivery.abort();
    await Promise.all(ends);
    for (const { number, address, delivery } of this.#deliveries) {
      const { queued } = delivery.counts;
      if (queued === 0) continue;
      this.#log.warn(
        `${nameOf(number, address)}: ${
          plural(queued, "event")
        } could not be delivered before the end of the server`,
      );
    }
  }

  #headersOf(
    { id, topic, body }: QueuedEvent,
    { authorization }: WebhookAddress,
  ): Record<string, string> {
    const seconds = Math.floor(Date.now() / 1000);
    return {
      "content-type": "application/json",
      "user-agent": this.#userAgent,
      "webhook-id": id,
      "webhook-timestamp": String(seconds),
      // A header is ASCII.
      "occupancy-topic": encodeURI(topic.toWellFormed()),
      ...(authorization !== undefined && { authorization }),
      ...(this.#secret !== undefined &&
        { "webhook-signature": this.#secret.sign(id, seconds, body) }),
    };
  }
}

/** `Webhook 1 (https://hooks.example)`. */
function nameOf(number: number, { origin }: WebhookAddress): string {
  return `Webhook ${number} (${origin})`;
}
