/** A router with a clock of its own, and clients that record what they get. */
import type { Message } from "../../../src/broker/message.ts";
import type { Persistence } from "../../../src/broker/persistence/persistence.ts";
import { RETAINED_LIMITS } from "../../../src/broker/retained/retained_store.ts";
import { Router, type RouterOptions } from "../../../src/broker/router.ts";
import {
  SESSION_LIMITS,
  type SessionLimits,
} from "../../../src/broker/sessions/context.ts";
import type { Outlet } from "../../../src/broker/sessions/outlet.ts";
import type { Session } from "../../../src/broker/sessions/session.ts";
import type { SubscriptionOptions } from "../../../src/broker/sessions/subscription.ts";
import type { Will } from "../../../src/broker/wills/wills.ts";
import type { QoS } from "../../../src/mqtt/link.ts";

/** Returns a message. */
export function message(
  topic: string,
  payload = "x",
  options: Partial<Message> = {},
): Message {
  return {
    topic,
    payload: new TextEncoder().encode(payload),
    qos: 0,
    retain: false,
    properties: undefined,
    expiresAt: undefined,
    publisher: "publisher",
    holders: 0,
    ...options,
  };
}

/** A PUBLISH that a client received. */
export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly ids: readonly number[] | undefined;
  readonly packetId: number;
  readonly dup: boolean;
}

/** A connection that records packets. */
export class RecordingOutlet implements Outlet {
  receiveMaximum = 65_535;
  hasRoom = true;
  /** Messages with a longer payload are not sent. */
  maxPayload = Infinity;
  readonly messages: Received[] = [];
  /** Packet ids; of unknown ones, negative. */
  readonly pubrels: number[] = [];
  disconnected: number | undefined;

  /** The payloads. */
  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }

  sendPublish(
    { topic, payload }: Message,
    qos: QoS,
    retain: boolean,
    ids: readonly number[] | undefined,
    packetId: number,
    dup: boolean,
  ): boolean {
    if (payload.length > this.maxPayload) return false;
    const text = new TextDecoder().decode(payload);
    this.messages.push({ topic, text, qos, retain, ids, packetId, dup });
    return true;
  }

  queued(): void {}

  sendPubrel(packetId: number, reason: 0 | 0x92): void {
    this.pubrels.push(reason === 0 ? packetId : -packetId);
  }

  disconnect(reason: number): void {
    this.disconnected = reason;
  }
}

/** How a client connects. */
export interface ConnectOptions {
  readonly cleanStart?: boolean;
  readonly expiry?: number;
  readonly user?: string;
  readonly will?: Will;
  readonly outlet?: RecordingOutlet;
}

/** A connected client. */
export interface TestClient {
  readonly session: Session;
  readonly outlet: RecordingOutlet;
  readonly isPresent: boolean;
}

/** A router with a clock that the test sets. */
export class TestRouter {
  now = 1_000_000;
  readonly router: Router;
  readonly wills: Message[] = [];
  readonly full: string[] = [];
  /** Counts by limit. */
  readonly limits: Record<string, number> = {};

  constructor(
    sessionLimits: Partial<SessionLimits> = {},
    options: Partial<RouterOptions> = {},
  ) {
    this.router = new Router({
      clock: () => this.now,
      sessionLimits: { ...SESSION_LIMITS, ...sessionLimits },
      retainedLimits: RETAINED_LIMITS,
      publishWill: ({ message }) => {
        this.wills.push(message);
        this.router.publish(message);
      },
      onFull: (clientId) => this.full.push(clientId),
      onLimit: (limit, _clientId, count) => {
        this.limits[limit] = (this.limits[limit] ?? 0) + count;
      },
      ...options,
    });
  }

  /** Connects a client. @throws {Error} if it is refused */
  connect(clientId: string, options: ConnectOptions = {}): TestClient {
    const outlet = options.outlet ?? new RecordingOutlet();
    const result = this.router.sessions.connect({
      identity: { clientId, user: options.user, isAdministrator: false },
      cleanStart: options.cleanStart ?? false,
      expiry: options.expiry ?? 60,
      will: options.will,
      outlet,
    });
    if (result.refused !== undefined) throw new Error(result.refused);
    result.session.resume();
    return { session: result.session, outlet, isPresent: result.isPresent };
  }

  /** Ends a connection. */
  disconnect(client: TestClient, publishWill = false, expiry?: number): void {
    const { session, outlet } = client;
    this.router.sessions.disconnect(session, outlet, { publishWill, expiry });
  }

  /** Subscribes, and sends the retained messages. Returns the reason code. */
  subscribe(
    client: TestClient,
    filter: string,
    qos: 0 | 1 | 2 = 1,
    options: Partial<SubscriptionOptions> = {},
  ): number {
    const { reason, retained } = this.router.subscribe(client.session, {
      ...{ filter, qos, noLocal: false, retainAsPublished: false },
      ...{ retainHandling: 0 as const, subscriptionId: undefined },
      ...options,
    });
    while (retained !== undefined && !retained.next().done);
    return reason;
  }

  /** Publishes a message with a text. Returns the reason code. */
  publish(
    topic: string,
    text = "x",
    qos: QoS = 1,
    options: Partial<Message> = {},
  ): number {
    return this.router.publish(message(topic, text, { qos, ...options }));
  }

  /** Lets time pass. @param ms how much */
  pass(ms: number): void {
    this.now += ms;
    this.router.tick();
  }
}

/** Restores a router from what a persistence has. */
export function restarted(
  persistence: Persistence,
  limits: Partial<SessionLimits> = {},
  now = 1_000_000,
): TestRouter {
  const test = new TestRouter(limits, { persistence });
  test.now = now;
  test.router.restore();
  return test;
}
