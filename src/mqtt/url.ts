/**
 * Broker addresses: checks them, hides passwords, splits them into parts, and
 * tests if something listens there.
 *
 * @module
 */
import { LinkError } from "./link.ts";

const SCHEMES = new Set(["mqtt:", "mqtts:", "ws:", "wss:"]);
/** The port that IANA has registered for MQTT over TCP. */
const MQTT_PORT = 1883;

/** The parts of an `mqtt:` address. */
export interface TcpTarget {
  /** A host name in ASCII, or an IP address without brackets. */
  readonly host: string;
  /** Default 1883. */
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

/**
 * Checks a broker's address, and adds the scheme `mqtt:` if it has none.
 *
 * @param text for example `mqtt://host:1883`, `host` or `host:port`
 * @returns the address with a scheme
 * @throws {LinkError} if the text is not the address of a broker
 */
export function brokerUrl(text: string): string {
  const full = text.includes("://") ? text : `mqtt://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.hostname === "") {
    throw new LinkError(
      "bad-address",
      `Invalid broker address: ${redactUrl(full)}`,
      { hint: "Write it as mqtt://host:1883 (or mqtts, ws, wss)." },
    );
  }
  if (!SCHEMES.has(url.protocol)) {
    throw new LinkError(
      "bad-address",
      `Invalid scheme ${url.protocol.slice(0, -1)} in the broker address: ${
        redactUrl(text)
      }`,
      { hint: "Use mqtt, mqtts, ws or wss." },
    );
  }
  return full;
}

/**
 * Hides the password in an address.
 *
 * @param text an address, or other text
 */
export function redactUrl(text: string): string {
  // The password ends at the last @ before the path; if the text is not a URL,
  // at the last @ of all.
  const password = URL.canParse(text)
    ? /^(\w+:\/\/[^:/@]*):[^/]*@/
    : /^(\w+:\/\/[^:/@]*):.*@/;
  return text.replace(password, "$1:***@");
}

/**
 * Splits an `mqtt:` address into the parts that a socket and CONNECT need.
 *
 * @param url an address with the scheme `mqtt:`
 * @throws {TypeError} if the host is not a host name
 * @throws {URIError} if user or password has a `%` without two hex digits
 */
export function tcpTarget(url: string): TcpTarget {
  const { hostname, port, username, password } = new URL(url);
  // URL decodes a host, and converts it to ASCII, for the web's schemes only.
  const host = new URL(`http://${hostname}`).hostname;
  return {
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port: Number(port || MQTT_PORT),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
}

/**
 * Returns true if something accepts TCP connections at an `mqtt:` address.
 *
 * @param url an address with the scheme `mqtt:`
 * @param signal ends the attempt
 */
export async function acceptsTcp(
  url: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const { host: hostname, port } = tcpTarget(url);
  try {
    const options = { hostname, port, ...(signal && { signal }) };
    (await Deno.connect(options)).close();
    return true;
  } catch {
    return false;
  }
}
