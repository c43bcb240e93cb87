/**
 * The way from an address to a client of mqtt.js that speaks to it.
 *
 * `connect()` of mqtt.js loads TCP, TLS, WebSockets and SOCKS whatever the
 * address, which a short command like `request` notices. So for plain TCP, which
 * most addresses are, its client is given a socket made here; for the others
 * `connect()` is loaded, and does as ever.
 *
 * @module
 */
import type { IClientOptions, MqttClient } from "mqtt";
import client from "mqtt/lib/client";
import { createConnection } from "node:net";
import { tcpTarget } from "./url.ts";

// Deno gives all that a CommonJS module exports; a bundler, its default.
const Client: typeof MqttClient = "default" in client
  ? client.default as typeof MqttClient
  : client;

/** Begins to connect; what comes of it the client's events tell. */
export type Connect = (options: IClientOptions) => MqttClient;

/** Where mqtt.js looks for a proxy to go through. */
const PROXY_VARIABLE = "MQTTJS_SOCKS_PROXY";

/**
 * Loads what an address needs.
 *
 * @param url `mqtt:`, `mqtts:`, `ws:` or `wss:`, as `brokerUrl()` gives it
 * @returns how to connect to it; nothing is sent before that is called
 * @throws {URIError} if user or password has a `%` that begins no escape
 */
export async function connectorOf(url: string): Promise<Connect> {
  if (!/^mqtt:/i.test(url) || Deno.env.get(PROXY_VARIABLE)) {
    const { default: mqtt } = await import("mqtt");
    return (options) => mqtt.connect(url, options);
  }
  const { host, port, ...credentials } = tcpTarget(url);
  return (options) =>
    new Client(() => createConnection({ host, port }), {
      ...options,
      ...credentials,
    });
}
