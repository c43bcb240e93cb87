import { LinkError } from "./link.ts";

const SCHEMES = new Set(["mqtt:", "mqtts:", "ws:", "wss:"]);
/** The port of MQTT over TCP, as IANA has registered it. */
const MQTT_PORT = 1883;

/** The parts of an `mqtt:` address. */
export interface TcpTarget {
  readonly host: string;
  /** Default 1883. */
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

/**
 * Checks a broker's address.
 *
 * @param text `mqtt://host:1883` and the like; a bare `host` or `host:port` is `mqtt:`
 * @returns the address in full
 * @throws {LinkError} with a hint, if it is none
 */
export function brokerUrl(text: string): string {
  const full = text.includes("://") ? text : `mqtt://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.hostname === "") {
    throw new LinkError(
      "bad-address",
      `Not a broker address: ${redactUrl(full)}`,
      {
        hint: "Write it as mqtt://host:1883 (or mqtts, ws, wss).",
      },
    );
  }
  if (!SCHEMES.has(url.protocol)) {
    throw new LinkError(
      "bad-address",
      `Cannot speak ${url.protocol.slice(0, -1)} to a broker: ${
        redactUrl(text)
      }`,
      { hint: "Use mqtt, mqtts, ws or wss." },
    );
  }
  return full;
}

/** The address without its password, fit to be shown even if it is no address. */
export function redactUrl(text: string): string {
  // A password ends at the last @ before the path; in what is no URL, at the last of all.
  const password = URL.canParse(text)
    ? /^(\w+:\/\/[^:/@]*):[^/]*@/
    : /^(\w+:\/\/[^:/@]*):.*@/;
  return text.replace(password, "$1:***@");
}

/**
 * Splits an `mqtt:` address into the parts that a socket and CONNECT need.
 *
 * @param url an address with the scheme `mqtt:`
 * @returns host without brackets and in ASCII, port, user name and password
 * @throws {TypeError} if the host is not a host name
 * @throws {URIError} if user or password has a `%` without two hex digits
 */
export function tcpTarget(url: string): TcpTarget {
  const { hostname, port, username, password } = new URL(url);
  // URL decodes a host and writes it in ASCII for the schemes of the web only.
  const host = new URL(`http://${hostname}`).hostname;
  return {
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port: Number(port || MQTT_PORT),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
}
