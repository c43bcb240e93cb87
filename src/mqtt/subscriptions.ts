/**
 * The subscriptions of a connection, and the check whether a broker has shared
 * ones.
 *
 * @module
 */
import type { MqttClient } from "mqtt";
import { Buffer } from "node:buffer";
import { doneWithin } from "../common/async.ts";
import {
  explainPublishFailure,
  explainSubscribeFailure,
  MIN_FAILURE_CODE,
} from "./failure.ts";
import { LinkError } from "./link.ts";
import { ProbeConnection, type ProbeTarget } from "./probe_connection.ts";
import type { ConnectionOptions } from "./transport.ts";
import { redactUrl } from "./url.ts";

/** How long the broker may take to pass a message on. */
const SHARED_TIMEOUT_MS = 3000;
const HINT =
  "Use a broker with MQTT 5, such as Mosquitto 1.6 or later, EMQX, HiveMQ or VerneMQ, or start one server without --group.";

/** The options that {@linkcode subscribeAll} uses. */
export type SubscriptionOptions = Pick<
  ConnectionOptions,
  | ("subscriptions" | "liveSubscriptions" | "retainAsPublished")
  | ("sharedSubscriptions" | "formerSubscriptions" | "birth")
>;

/**
 * Subscribes to all filters of a connection, and publishes its birth.
 *
 * @throws {LinkError} if the broker refuses a filter
 */
export async function subscribeAll(
  client: MqttClient,
  options: SubscriptionOptions,
): Promise<void> {
  const { subscriptions = [], liveSubscriptions = [], birth } = options;
  const { sharedSubscriptions = [], retainAsPublished = [] } = options;
  const { formerSubscriptions = [] } = options;
  const entry = (filter: string, qos: 0 | 1) =>
    [filter, { qos, rap: retainAsPublished.includes(filter) }] as const;
  if (formerSubscriptions.length > 0) {
    await client.unsubscribeAsync([...formerSubscriptions]);
  }
  await subscribe(client, [
    ...subscriptions.map((filter) => entry(filter, 1)),
    ...liveSubscriptions.map((filter) => entry(filter, 0)),
  ]);
  if (birth !== undefined) {
    const { topic, payload } = birth;
    const options = { qos: 1, retain: true } as const;
    await client.publishAsync(topic, Buffer.from(payload), options).catch(
      (error) => Promise.reject(explainPublishFailure(error, topic)),
    );
  }
  await subscribe(
    client,
    sharedSubscriptions.map((filter) => entry(filter, 1)),
  );
}

async function subscribe(
  client: MqttClient,
  entries: readonly (readonly [string, { qos: 0 | 1; rap: boolean }])[],
): Promise<void> {
  if (entries.length === 0) return;
  try {
    await client.subscribeAsync(Object.fromEntries(entries));
  } catch (error) {
    throw explainSubscribeFailure(error, entries.map(([filter]) => filter));
  }
}

/** Options of {@linkcode checkSharedSubscriptions}. */
export interface SharedCheckOptions {
  readonly broker: ProbeTarget;
  /** An MQTT client identifier that no other client uses. */
  readonly clientId: string;
  /** A topic to publish to and to subscribe to, that no other client uses. */
  readonly topic: string;
  /** How long the broker may take to answer CONNECT, in ms. Default 5,000. */
  readonly timeout?: number;
}

/**
 * Checks that a broker passes messages to a shared subscription. One of MQTT
 * 3.1.1 may take its filter for that of a topic whose name begins with `$share`.
 *
 * @throws {LinkError} if it does not, or cannot be reached
 */
export async function checkSharedSubscriptions(
  { broker, clientId, topic, timeout = 5000 }: SharedCheckOptions,
): Promise<void> {
  const { promise: received, resolve } = Promise.withResolvers<void>();
  const probe = await ProbeConnection.open({
    ...broker,
    clientId,
    timeout,
    onMessage: () => resolve(),
  });
  const name = redactUrl(broker.url);
  try {
    // The property of CONNACK (MQTT 5, 3.2.2.3.13).
    if (probe.connack.properties?.sharedSubscriptionAvailable === false) {
      throw unavailable(name, "it says so");
    }
    const group = crypto.randomUUID();
    const code = await probe.subscribe(`$share/${group}/${topic}`, 1);
    if (code >= MIN_FAILURE_CODE) {
      throw unavailable(name, "it refuses one, or the user may not subscribe");
    }
    const published = await probe.publish(topic, new Uint8Array(1));
    if (published >= MIN_FAILURE_CODE) {
      throw new LinkError("refused", `Cannot publish to ${topic} at ${name}`, {
        hint: "Give this user write access to the topic.",
      });
    }
    if (!await doneWithin(received, SHARED_TIMEOUT_MS)) {
      throw unavailable(name, "it passes no message to one");
    }
  } finally {
    await probe.close();
  }
}

function unavailable(broker: string, reason: string): LinkError {
  return new LinkError(
    "refused",
    `Cannot use --group: ${broker} has no shared subscriptions (${reason})`,
    { hint: HINT },
  );
}
