/**
 * Random HTTP requests: valid ones of every route, and what is wrong with them.
 *
 * @module
 */
import { BAD_READINGS } from "../support/bad_payloads.ts";
import { join, latin1, mutate, type Random, split } from "./random.ts";

/** What a client sends on one connection. */
export interface HttpCase {
  readonly pieces: readonly Uint8Array[];
  /** True if the client closes at once, without reading. */
  readonly leaves: boolean;
  /**
   * The number of responses, if all bytes are valid requests, the last with
   * `Connection: close`; else undefined.
   */
  readonly responses: number | undefined;
}

/** A route of `/openapi.json`. */
export interface RouteSpec {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  /** Examples of bodies with their content types. */
  readonly bodies: readonly (readonly [string, string])[];
}

/** Reads the routes of `/openapi.json`. */
// deno-lint-ignore no-explicit-any
export function routesOf(document: any): RouteSpec[] {
  // deno-lint-ignore no-explicit-any
  return Object.entries<any>(document.paths).flatMap(([path, item]) =>
    // deno-lint-ignore no-explicit-any
    Object.entries<any>(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      query: (operation.parameters ?? [])
        .filter(({ in: place }: { in: string }) => place === "query")
        .map((
          { name, example, schema }: Record<string, unknown>,
        ) => [
          name,
          String(example ?? (schema as { example?: unknown }).example),
        ]),
      bodies: Object.entries(operation.requestBody?.content ?? {})
        .map(([type, content]) => {
          const { example } = content as { example: unknown };
          return [
            type,
            typeof example === "string" ? example : JSON.stringify(example),
          ];
        }),
    }))
  );
}

const METHODS = [
  ...["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"],
  ...["CONNECT", "PRI", "get", "X", "", "G\0T", "M".repeat(5000)],
];
const VALUES = [
  ...["", "0", "-1", "1.5", "1e9", "2147483647", "2147483648", "9".repeat(400)],
  ...["default", "floor/1", "%00", "%ff", "%", "a%2Fb", "..", "__proto__"],
  ...["constructor", "null", "0,0,9,9", "0,0,0", "9,9,0,0", "1,2,3,4,5"],
  ...[
    "-2147483648,-2147483648,2147483647,2147483647",
    "json",
    "csv",
    "geojson",
  ],
  ...["now", "-1s", "-1h", "-99999999999d", "2026-01-31", "9999-12-31T23:59"],
  ...["1d", "15m", "1-7", "7-1", "0-24", "Europe/Berlin", "day", "8-"],
  ...["rfc3339", "ms", "\xff", "a b", "+", "&", "=", "x".repeat(3000), "💺"],
];
const PARAMETERS = [
  ...["layer", "region", "since", "format", "times", "x", "y", "to", "token"],
  ...["at", "from", "step", "timezone", "days", "hours", "by"],
  ...["__proto__", "layer[]", "", "X"],
];
const HEADERS = [
  ...["Host", "Connection", "Upgrade", "Sec-WebSocket-Key", "Content-Length"],
  ...["Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "Content-Type"],
  ...["Transfer-Encoding", "Content-Encoding", "Accept", "Accept-Encoding"],
  ...["If-None-Match", "Last-Event-ID", "Origin", "X-Forwarded-Host", "Expect"],
  ...["Sec-Fetch-Site", "Authorization", "Cookie", "Range", "TE", "Trailer"],
  ...["Keep-Alive", "X-Forwarded-Proto", "HTTP2-Settings", "Via", "__proto__"],
  ...["X:Y", "", " Leading", "Trailing ", "N\xfcme", "X".repeat(9000)],
];
const HEADER_VALUES = [
  ...["", "localhost", "localhost:99999", "a b", "[", "%", "null", "*", "\xff"],
  ...["close", "keep-alive", "Upgrade", "websocket", "h2c", "13", "0", "5"],
  ...["-1", "+5", "5, 5", "0x10", "1e3", "99999999999999999999", "chunked"],
  ...["gzip", "gzip, chunked", "chunked, chunked", "identity", "text/html"],
  ...["text/csv", "application/json", "application/x-ndjson", '"', "W/", '"1"'],
  ...["1@2", ";=", "multipart/form-data", "100-continue", "bytes=0-1", "\0"],
  ...[
    "application/x-www-form-urlencoded",
    "Bearer x",
    "a\r\n b",
    "é",
    "trailers",
  ],
  ...[
    "permessage-deflate",
    "cross-site",
    "http://evil.example",
    "x".repeat(20_000),
  ],
];
const HOSTS = ["localhost", "127.0.0.1", "[::1]", "localhost:8080"];
const HANDSHAKE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
];
/** Bytes of other protocols. */
const OTHER_PROTOCOLS = [
  latin1("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"), // TLS
  latin1("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
  latin1("\x10\x0c\0\x04MQTT\x04\x02\0<\0\0"),
  latin1("SSH-2.0-x\r\n"),
  latin1("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
];

/** Returns the header of most requests to a server that requires a token. */
function authorization(random: Random, token: string | undefined): string[] {
  if (token === undefined || random.once(8)) return [];
  return [`Authorization: Bearer ${random.once(40) ? "wrong" : token}`];
}

/**
 * Returns a random case.
 *
 * @param token that most requests have; default: none
 */
export function httpCase(
  random: Random,
  routes: readonly RouteSpec[],
  token?: string,
): HttpCase {
  const kind = random.below(20);
  const leaves = random.once(12);
  if (kind === 0) {
    const bytes = random.once(2)
      ? random.bytes(random.length(20_000))
      : join(random.of(OTHER_PROTOCOLS), random.bytes(random.length(100)));
    return { pieces: split(random, bytes), leaves, responses: undefined };
  }
  const count = random.of([1, 1, 1, 1, 2, 3, 8]);
  const isValid = kind < 8;
  const isMutated = kind >= 14;
  const requests = Array.from(
    { length: count },
    (_, i) =>
      isValid || kind >= 17
        ? validRequest(random, routes, i === count - 1, token)
        : strangeRequest(random, routes, token),
  );
  const bytes = join(...requests);
  return {
    pieces: split(random, isMutated ? mutate(random, bytes) : bytes),
    leaves,
    responses: isValid && !leaves ? count : undefined,
  };
}

/** A request as a good client sends it, to a random route. */
function validRequest(
  random: Random,
  routes: readonly RouteSpec[],
  isLast: boolean,
  token: string | undefined,
): Uint8Array {
  const route = random.of(routes.filter(({ path }) =>
    // Their responses do not end.
    path !== "/live" && path !== "/api/v1/changes"
  ));
  const parameters = route.query.filter(() => random.once(2));
  const [type, body] = route.bodies.length > 0
    ? random.of(route.bodies)
    : [undefined, ""];
  return requestBytes(random, {
    line: `${route.method} ${target(route.path, "default", parameters)}`,
    headers: [
      `Host: ${random.of(HOSTS)}`,
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ...(isLast ? ["Connection: close"] : []),
      ...(random.once(4) ? ["Accept-Encoding: gzip"] : []),
      ...authorization(random, token),
    ],
    body: latin1(body),
    chunked: body !== "" && type !== "application/x-www-form-urlencoded" &&
      random.once(2),
  });
}

/** A request with random parts, some of them invalid. */
function strangeRequest(
  random: Random,
  routes: readonly RouteSpec[],
  token: string | undefined,
): Uint8Array {
  const route = random.of(routes);
  const parameters = [
    ...route.query.filter(() => random.once(2)).map(([name, value]) =>
      [name, random.once(2) ? value : random.of(VALUES)] as const
    ),
    ...(random.once(4)
      ? [[random.of(PARAMETERS), random.of(VALUES)] as const]
      : []),
  ];
  const path = random.once(10)
    ? random.of(PATHS)
    : target(route.path, random.of(VALUES), parameters);
  const method = random.once(5) ? random.of(METHODS) : route.method;
  const version = random.once(10) ? random.of(VERSIONS) : "HTTP/1.1";
  const headers = [
    ...(random.once(8) ? [] : [`Host: ${random.of(HOSTS)}`]),
    ...(route.path === "/live" || random.once(8) ? HANDSHAKE : []),
    ...authorization(random, token),
    ...Array.from(
      { length: random.length(random.once(50) ? 3000 : 5) },
      () => `${random.of(HEADERS)}: ${random.of(HEADER_VALUES)}`,
    ),
  ];
  return requestBytes(random, {
    line: `${method} ${path}`,
    version,
    headers,
    body: strangeBody(random, route),
    chunked: random.once(3),
    strange: random.once(2),
  });
}

const PATHS = [
  ...["*", "//[::1", "/%ff", "http://localhost/", "http://[/", "", "/\xff"],
  ...["https://a:99999/", "http:///", "/..//../etc/passwd", "/a b", "\\"],
  ...["/?", "/#x", "?", "localhost:80", `/${"x".repeat(70_000)}`, "/\t/"],
];
const VERSIONS = [
  ...["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "HTTP/1.1 ", "http/1.1"],
  ...["", "HTTP/1.1\0", "HTTP/11", "XTTP/1.1"],
];

function strangeBody(random: Random, { bodies }: RouteSpec): Uint8Array {
  const [, payloads] = random.of(BAD_READINGS);
  const bad = random.of(payloads);
  const valid = bodies.length > 0 ? random.of(bodies)[1] : "";
  return random.of([
    () => latin1(""),
    () => latin1(valid),
    () => mutate(random, latin1(valid)),
    () => typeof bad === "string" ? new TextEncoder().encode(bad) : bad,
    () => random.bytes(random.length(5000)),
    () => latin1("[".repeat(random.length(100_000))),
    () => latin1("1,1,1\n".repeat(random.length(50_000))),
  ])();
}

function target(
  path: string,
  value: string,
  query: readonly (readonly [string, string])[],
): string {
  const filled = path.replace(/\{\w+\}/, value);
  const search = query.map(([name, value]) => `${name}=${value}`).join("&");
  return search === "" ? filled : `${filled}?${search}`;
}

/** Returns a request as bytes; `strange`: with an invalid body length. */
function requestBytes(
  random: Random,
  { line, version = "HTTP/1.1", headers, body, chunked, strange = false }: {
    readonly line: string;
    readonly version?: string;
    readonly headers: readonly string[];
    readonly body: Uint8Array;
    readonly chunked: boolean;
    readonly strange?: boolean;
  },
): Uint8Array {
  const length = strange
    ? random.of([...LENGTHS, String(body.length + random.below(9) - 4)])
    : String(body.length);
  const framing = chunked
    ? ["Transfer-Encoding: chunked"]
    : body.length > 0 || strange
    ? [`Content-Length: ${length}`]
    : [];
  // Both: how requests are smuggled (RFC 9112, 11.2).
  if (strange && random.once(8)) framing.push("Transfer-Encoding: chunked");
  const end = strange && random.once(4) ? "\n" : "\r\n";
  const head = [`${line} ${version}`, ...headers, ...framing, "", ""].join(end);
  return join(
    latin1Safe(head),
    chunked ? chunks(random, body, strange) : body,
  );
}

const LENGTHS = [
  ...["-1", "+5", "5, 5", "0x5", "", "5.0", "1e1", "99999999999999999999"],
  ...["9000000", "8388608", "8388609", "0", "05", "five"],
];
const CHUNK_SIZES = [
  ...["-1", "0x1", "ffffffffffffffffff", "g", "", " 1", "1 ", "1;a=b", "00001"],
  ...["7fffffff", "1;".padEnd(9000, "x"), "0"],
];

function chunks(
  random: Random,
  body: Uint8Array,
  strange: boolean,
): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    const piece = body.subarray(at, at + 1 + random.length(4000));
    const size = strange && random.once(4)
      ? random.of(CHUNK_SIZES)
      : piece.length.toString(16);
    pieces.push(latin1(`${size}\r\n`), piece, latin1("\r\n"));
    at += piece.length;
  }
  const last = strange
    ? random.of(["0\r\n\r\n", "0\r\nX: y\r\n\r\n", "0", ""])
    : "0\r\n\r\n";
  return join(...pieces, latin1(last));
}

/** Characters above U+00FF become UTF-8. */
function latin1Safe(text: string): Uint8Array {
  return /[^\0-\xff]/.test(text)
    ? new TextEncoder().encode(text)
    : latin1(text);
}
