/**
 * Parsers of addresses in options. Each throws a `RangeError` whose message is
 * the hint, or an `AppError` with a hint.
 *
 * @module
 */
import { brokerUrl } from "../../mqtt/url.ts";
import { formatStoreAddress, parseStoreAddress } from "../../store/location.ts";
import { env } from "../env.ts";

/** No wildcards, and no characters that end a value of a header. */
const ORIGIN = /^https?:\/\/[\w.:[\]-]+$/;

/** Host and port to listen on. */
export interface ListenAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/**
 * Checks a broker's address.
 *
 * @throws {LinkError} with a hint, if it is not one
 */
export function parseBroker(text: string): string {
  brokerUrl(text);
  return text;
}

/**
 * Checks the address of a store, and replaces `~` at the start of its path by
 * the home folder: in `sqlite:~/map.db` the shell does not.
 *
 * @throws {RangeError} if it is not an address
 */
export function parseStore(text: string): string {
  const home = text.startsWith("sqlite:~")
    ? env("HOME") ?? env("USERPROFILE")
    : undefined;
  const location = parseStoreAddress(text, home);
  return location.kind === "redis" ? text : formatStoreAddress(location);
}

/**
 * Parses `HOST:PORT`, `:PORT` or `[IPv6]:PORT`.
 *
 * @param text the address
 * @param examplePort the port in the error's examples
 * @throws {RangeError} if the text is not such an address
 */
export function parseListen(text: string, examplePort = 1883): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new RangeError(
      `Use HOST:PORT, such as 127.0.0.1:${examplePort} or ` +
        `0.0.0.0:${examplePort}.`,
    );
  }
  return { host: match[1] ?? (match[2] || "127.0.0.1"), port };
}

/**
 * Parses where to serve HTTP: `HOST:PORT`, or `off`.
 *
 * @returns the address; false for `off`
 * @throws {RangeError} if the text is neither
 */
export function parseHttp(text: string): ListenAddress | false {
  return text === "off" ? false : parseListen(text, 8080);
}

/**
 * Parses the address of a server's HTTP interface, with or without a scheme.
 *
 * @returns the URL, with a slash at its end
 * @throws {RangeError} if the text is not such an address
 */
export function parseHttpUrl(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new RangeError("Use an address such as http://127.0.0.1:8080.");
  }
  if (url.username !== "" || url.password !== "") {
    throw new RangeError("Give the token with --http-token-file instead.");
  }
  const path = url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`;
  return url.origin + path;
}

/**
 * Parses origins of web pages, with commas or spaces between them.
 *
 * @returns such as `https://home.example:8123`, without a path
 * @throws {RangeError} if the text is not a list of origins
 */
export function parseOrigins(text: string): readonly string[] {
  const origins = text.split(/[\s,]+/).filter(Boolean).map((part) => {
    const url = URL.parse(part);
    // Nothing follows the host and its port.
    const isOrigin = url?.href === `${url?.origin}/`;
    return isOrigin && ORIGIN.test(url!.origin) ? url!.origin : undefined;
  });
  if (origins.length > 0 && origins.every((origin) => origin !== undefined)) {
    return origins;
  }
  throw new RangeError(
    "Use origins with commas between them, such as https://home.example:8123.",
  );
}
