/**
 * Broker addresses: checks them, hides passwords, splits them into parts, and
 * tests if something listens there.
 *
 * @module
 */
import { LinkError } from "./link.ts";

const SCHEMES = new Set(["mqtt:", "mqtts:", "ws:", "wss:"]);
const ENCODING_HINT =
  "In user and password, write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F and # as %23. Outside of the address (in a command --user and --password-file) they are written as they are.";
/** The ports that IANA has registered for MQTT over TCP and over TLS. */
const MQTT_PORT = 1883;
const MQTTS_PORT = 8883;

/** The part of an `mqtt:` or `mqtts:` address that a socket needs. */
export interface NetworkTarget {
  /** A host name in ASCII, or an IP address without brackets. */
  readonly host: string;
  /** Default 1883, for `mqtts:` 8883. */
  readonly port: number;
}

/** User and password of an address, decoded. */
export interface Login {
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
  const full = withScheme(text);
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.hostname === "") {
    throw badAddress(
      `Invalid broker address: ${redactUrl(text)}`,
      /@/.test(text)
        ? `Write it as mqtt://user:password@host:1883. ${ENCODING_HINT}`
        : "Write it as mqtt://host:1883 (or mqtts, ws, wss).",
    );
  }
  if (!SCHEMES.has(url.protocol)) {
    throw badAddress(
      `Invalid scheme ${url.protocol.slice(0, -1)} in the broker address: ${
        redactUrl(text)
      }`,
      "Use mqtt, mqtts, ws or wss.",
    );
  }
  const problem = problemOf(url, full);
  if (problem !== undefined) {
    throw badAddress(
      `Invalid broker address: ${redactUrl(text)}: ${problem}`,
      ENCODING_HINT,
    );
  }
  return full;
}

/** Returns what is wrong with the encoding of an address. */
function problemOf(url: URL, full: string): string | undefined {
  try {
    decodeURIComponent(url.username);
    decodeURIComponent(url.password);
  } catch {
    return 'a "%" in user or password that does not encode a character';
  }
  const isMqtt = url.protocol === "mqtt:" || url.protocol === "mqtts:";
  const { afterHost } = partsOf(full);
  const foreign = isMqtt ? /[#?@]/.exec(afterHost) : /#/.exec(afterHost);
  return foreign === null ? undefined : `a "${foreign[0]}" after the host`;
}

function badAddress(message: string, hint: string): LinkError {
  return new LinkError("bad-address", message, { hint });
}

function withScheme(text: string): string {
  return text.includes("://") ? text : `mqtt://${text}`;
}

/** An address in parts that together are the whole text. */
interface AddressParts {
  /** With `://`; empty if the text has none. */
  readonly scheme: string;
  /** User and password with the `@`; empty if there are none. */
  readonly userInfo: string;
  readonly host: string;
  /** Path, query and fragment. */
  readonly afterHost: string;
}

/** Splits an address as URL does (RFC 3986, 3.2). */
function partsOf(text: string): AddressParts {
  const schemeEnd = text.indexOf("://");
  const start = schemeEnd < 0 ? 0 : schemeEnd + "://".length;
  const length = text.slice(start).search(/[/?#]/);
  const end = length < 0 ? text.length : start + length;
  const hostStart = text.lastIndexOf("@", end - 1) + 1;
  const userEnd = Math.max(start, hostStart);
  return {
    scheme: text.slice(0, start),
    userInfo: text.slice(start, userEnd),
    host: text.slice(userEnd, end),
    afterHost: text.slice(end),
  };
}

/**
 * Hides what may be secret in an address: the password, also an encoded one in
 * the user's name, the values of the query, and the fragment.
 *
 * @param text an address with or without scheme, or other text
 */
export function redactUrl(text: string): string {
  const full = withScheme(text);
  const isAddress = URL.canParse(full) &&
    (/^wss?:/i.test(full) || !/@/.test(partsOf(full).afterHost));
  const { scheme, userInfo, host, afterHost } = isAddress
    ? partsOf(text)
    : partsOfInvalid(text);
  const [user] = userInfo.slice(0, -1).split(/:|%3a/i);
  const hasPassword = user!.length < userInfo.length - 1;
  const rest = afterHost.replace(
    /\?([^#]*)/,
    (_, query: string) => `?${query.replace(/=[^&]*/g, "=***")}`,
  ).replace(/#.+/s, "#***");
  return scheme + (hasPassword ? `${user}:***@` : userInfo) + host + rest;
}

/** Splits other text: all before the last `@` may be a password. */
function partsOfInvalid(text: string): AddressParts {
  const { scheme } = partsOf(text);
  const userEnd = Math.max(scheme.length, text.lastIndexOf("@") + 1);
  return {
    scheme,
    userInfo: text.slice(scheme.length, userEnd),
    host: "",
    afterHost: text.slice(userEnd),
  };
}

/**
 * Returns host and port of an `mqtt:` or `mqtts:` address.
 *
 * @param url an address with one of these schemes
 * @throws {TypeError} if the host is not a host name
 */
export function networkTarget(url: string): NetworkTarget {
  const { protocol, hostname, port } = new URL(url);
  // URL decodes a host, and converts it to ASCII, for the web's schemes only.
  const host = new URL(`http://${hostname}`).hostname;
  const defaultPort = protocol === "mqtts:" ? MQTTS_PORT : MQTT_PORT;
  return {
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port: Number(port || defaultPort),
  };
}

/**
 * Returns user and password of an address, those that it has.
 *
 * @param url an address with a scheme
 * @throws {URIError} if user or password has a `%` without two hex digits
 */
export function loginOf(url: string): Login {
  const { username, password } = new URL(url);
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
}

/** Returns an address without user and password. */
export function withoutLogin(url: string): string {
  const { scheme, host, afterHost } = partsOf(url);
  return scheme + host + afterHost;
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
  const { host: hostname, port } = networkTarget(url);
  try {
    const options = { hostname, port, ...(signal && { signal }) };
    (await Deno.connect(options)).close();
    return true;
  } catch {
    return false;
  }
}
