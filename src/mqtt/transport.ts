/**
 * Opens and ends clients of mqtt.js.
 *
 * `connect()` of mqtt.js loads TCP, TLS, WebSockets and SOCKS for any address,
 * which slows down a short command like `request`. So for plain TCP, the usual
 * case, this module gives its client a socket; for other addresses it loads
 * `connect()`.
 *
 * @module
 */
import type { IClientOptions, MqttClient } from "mqtt";
import client from "mqtt/lib/client";
import { createConnection } from "node:net";
import { tcpTarget } from "./url.ts";

// Deno imports a CommonJS module's exports; a bundler, their default.
const Client: typeof MqttClient = "default" in client
  ? client.default as typeof MqttClient
  : client;

/** Starts to connect. The client's events report the result. */
export type Connect = (options: IClientOptions) => MqttClient;

/** The variable in which mqtt.js expects the address of a SOCKS proxy. */
const PROXY_VARIABLE = "MQTTJS_SOCKS_PROXY";

/**
 * Loads what an address needs. Sends nothing.
 *
 * @param url `mqtt:`, `mqtts:`, `ws:` or `wss:`, as `brokerUrl()` returns it
 * @returns the function that connects to the address
 * @throws {TypeError} if the host is not a host name
 * @throws {URIError} if user or password has a `%` without two hex digits
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

/**
 * Ends a client and waits until its connection is closed.
 *
 * @param client the client
 * @param force true to close at once; false to wait for outstanding
 * acknowledgements and to send DISCONNECT
 */
export function endClient(client: MqttClient, force: boolean): Promise<void> {
  return new Promise((resolve) => client.end(force, () => resolve()));
}
