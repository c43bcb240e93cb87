/**
 * Addresses of Redis: parses them, and formats them without user and password.
 *
 * @module
 */
import { hostAndPort } from "../../common/host.ts";

/** Where a server listens. */
export interface RedisEndpoint {
  /** A host name in ASCII, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** The parts of an address. */
export interface RedisAddress {
  /** What listens at the endpoints: servers of Redis, or Sentinels. */
  readonly kind: "redis" | "sentinel";
  /** True for `rediss:` and `rediss+sentinel:`. */
  readonly tls: boolean;
  /** 1 to 100. */
  readonly endpoints: readonly RedisEndpoint[];
  /** The name under which Sentinels know the master; undefined without them. */
  readonly masterName?: string;
  /** Starts the keys: `occupancy` by default. */
  readonly prefix: string;
  /** Undefined: the user `default`. */
  readonly username?: string;
  readonly password?: string;
}

const SCHEME = /^redis(s?)(\+sentinel)?:\/\//i;
const FORMS =
  "Use redis://HOST:PORT/PREFIX, several servers as redis://HOST:PORT,HOST:PORT/PREFIX, or rediss:// for TLS.";
const SENTINEL_FORM = "Use redis+sentinel://HOST:PORT,HOST:PORT/MASTER/PREFIX.";
const ENCODING_HINT =
  "In user and password, write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F and # as %23. OCCUPANCY_REDIS_PASSWORD and the file of --redis-password-file have the password as it is.";
/** The ports of Redis and of Sentinel. */
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const DEFAULT_PREFIX = "occupancy";
const MAX_ENDPOINTS = 100;
/** Without braces and slashes, which are parts of the keys. */
const PREFIX = /^[\w.:-]{1,64}$/;

/** Returns true if a text begins as an address of Redis. */
export function isRedisAddress(text: string): boolean {
  return SCHEME.test(text);
}

/**
 * Parses an address of Redis: `redis://[USER[:PASSWORD]@]HOST[:PORT][,…][/PREFIX]`,
 * `rediss://…` for TLS, or `redis+sentinel://…/MASTER[/PREFIX]`.
 *
 * @param text the address
 * @throws {RangeError} if it has another form; the message says what to write,
 * without user and password
 */
export function parseRedisAddress(text: string): RedisAddress {
  const [scheme, tls, sentinel] = SCHEME.exec(text) ?? [];
  if (scheme === undefined) throw new RangeError(FORMS);
  const kind = sentinel === undefined ? "redis" : "sentinel";
  const rest = text.slice(scheme.length);
  const pathStart = rest.search(/[/?#]/);
  const authority = pathStart < 0 ? rest : rest.slice(0, pathStart);
  const path = pathStart < 0 ? "" : rest.slice(pathStart);
  // A password with an unencoded "/" ends the authority too early.
  if (path.includes("@")) throw new RangeError(ENCODING_HINT);
  if (/[?#]/.test(path)) {
    throw new RangeError('Remove "?" and "#" and what follows them.');
  }
  const userEnd = authority.lastIndexOf("@");
  return {
    kind,
    tls: tls !== "",
    endpoints: parseEndpoints(
      authority.slice(userEnd + 1),
      kind === "redis" ? REDIS_PORT : SENTINEL_PORT,
    ),
    ...parsePath(path, kind),
    ...(userEnd >= 0 && parseLogin(authority.slice(0, userEnd))),
  };
}

/** Returns an address without user and password. */
export function formatRedisAddress(address: RedisAddress): string {
  const { kind, tls, endpoints, masterName, prefix } = address;
  const scheme = `redis${tls ? "s" : ""}${kind === "redis" ? "" : "+sentinel"}`;
  const hosts = endpoints.map(formatEndpoint).join(",");
  const master = masterName === undefined ? "" : `/${masterName}`;
  const end = prefix === DEFAULT_PREFIX ? "" : `/${prefix}`;
  return `${scheme}://${hosts}${master}${end}`;
}

/** Returns an endpoint as in an address: `[::1]:6379`. */
export function formatEndpoint({ host, port }: RedisEndpoint): string {
  return hostAndPort(host, port);
}

/**
 * Hides user and password in an address of Redis, also in an invalid one.
 * Returns other text as it is.
 */
export function hideRedisLogin(text: string): string {
  const [scheme] = SCHEME.exec(text) ?? [];
  if (scheme === undefined) return text;
  const hostStart = text.lastIndexOf("@") + 1;
  if (hostStart > 0) return `${scheme}***@${text.slice(hostStart)}`;
  try {
    parseRedisAddress(text);
    return text;
  } catch {
    // The host may be missing: what is no port may be a password.
    return scheme + text.slice(scheme.length)
      .replace(/:(?!\d*(?:[,\/]|$))[^,\/]*/g, ":***");
  }
}

function parseEndpoints(text: string, defaultPort: number): RedisEndpoint[] {
  const parts = text.split(",");
  if (parts.length > MAX_ENDPOINTS) {
    throw new RangeError(`Name at most ${MAX_ENDPOINTS} servers.`);
  }
  return parts.map((part) => parseEndpoint(part, defaultPort));
}

function parseEndpoint(text: string, defaultPort: number): RedisEndpoint {
  const port = Number(/:(\d+)$/.exec(text)?.[1] ?? defaultPort);
  // The scheme of the web: URL then converts the host to ASCII.
  const url = `http://${text}/`;
  if (
    text === "" || /[\s%\\]/.test(text) || port < 1 || port > 65_535 ||
    !URL.canParse(url)
  ) {
    throw new RangeError(
      text === ""
        ? "Name a host, such as redis://localhost:6379."
        : "Write each server as HOST:PORT, such as redis://localhost:6379, and an IPv6 address in brackets.",
    );
  }
  const host = new URL(url).hostname;
  return { host: host.startsWith("[") ? host.slice(1, -1) : host, port };
}

function parseLogin(text: string): { username?: string; password?: string } {
  const colon = text.indexOf(":");
  const [user, secret] = colon < 0
    ? [text, ""]
    : [text.slice(0, colon), text.slice(colon + 1)];
  try {
    const username = decodeURIComponent(user);
    const password = decodeURIComponent(secret);
    return { ...(username && { username }), ...(password && { password }) };
  } catch {
    throw new RangeError(ENCODING_HINT);
  }
}

function parsePath(
  path: string,
  kind: RedisAddress["kind"],
): { masterName?: string; prefix: string } {
  const parts = path.split("/").slice(1);
  if (parts.at(-1) === "") parts.pop(); // a slash at the end
  const masterName = kind === "sentinel" ? parts.shift() : undefined;
  const [prefix = DEFAULT_PREFIX, ...more] = parts;
  if (kind === "sentinel" && !/^[\w.-]+$/.test(masterName ?? "")) {
    throw new RangeError(
      `Name the master that the Sentinels monitor. ${SENTINEL_FORM}`,
    );
  }
  if (/^\d+$/.test(prefix)) {
    throw new RangeError(
      "Write a prefix of the keys after the host, and no number: occupancy uses database 0. Use for example redis://localhost:6379/site-1.",
    );
  }
  if (more.length > 0 || !PREFIX.test(prefix)) {
    throw new RangeError(
      "A prefix has 1 to 64 letters, digits, or . _ : -, and no slash.",
    );
  }
  return { ...(masterName !== undefined && { masterName }), prefix };
}
