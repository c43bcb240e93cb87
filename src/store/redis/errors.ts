/**
 * Turns the errors of Redis, of its client and of the network into
 * {@linkcode RedisError}s that people understand.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { excerpt } from "../../common/printable.ts";
import {
  explainTlsFailure,
  type TlsPeer,
  type TriedAccess,
} from "../../common/tls_failure.ts";
import { RedisError, type RedisErrorKind } from "./deployment.ts";

const MAX_SHOWN_LENGTH = 200;
/** Ends the error about an unknown command, or an unknown part of one. */
const ARGUMENTS = /,? with args beginning with:.*$/s;

const REDIS: TlsPeer = {
  name: "Redis",
  ca: "--redis-ca",
  giveCa: "--redis-ca FILE",
  cert: "--redis-cert",
  giveCert: "--redis-cert FILE --redis-key FILE",
  insecure: "",
  port:
    "Check the port: the server may expect connections without TLS there (redis://).",
};
const PASSWORD_HINT =
  "Set the password with OCCUPANCY_REDIS_PASSWORD or --redis-password-file FILE, and its user, if it is not default, in the address: redis://USER@HOST.";
const MEMORY_HINT =
  "Raise maxmemory of Redis. Readings are acknowledged again when there is memory.";
/** For failures that end without a person. */
export const WAIT_HINT = "The server tries again by itself.";
/** For answers that another Redis would not give. */
export const UNEXPECTED_HINT =
  "Redis 7.0 or later is needed, and no other program may use the keys: choose another prefix if one does, redis://HOST:PORT/PREFIX.";

/** What the first word of an error of Redis means. */
const ERRORS: Readonly<
  Record<string, readonly [kind: RedisErrorKind, reason: string, hint: string]>
> = {
  MOVED: ["elsewhere", "another node has the key", WAIT_HINT],
  ASK: ["elsewhere", "the key moves to another node", WAIT_HINT],
  TRYAGAIN: ["elsewhere", "the keys move to another node", WAIT_HINT],
  LOADING: ["elsewhere", "it still loads its data", WAIT_HINT],
  READONLY: ["elsewhere", "it is a replica", WAIT_HINT],
  UNBLOCKED: ["elsewhere", "it became a replica", WAIT_HINT],
  MASTERDOWN: ["elsewhere", "it is a replica without a master", WAIT_HINT],
  CLUSTERDOWN: [
    "elsewhere",
    "the cluster does not serve all keys",
    "Check its nodes: redis-cli cluster info. The server tries again by itself.",
  ],
  WRONGPASS: [
    "access",
    "user or password is wrong, or the user is disabled",
    PASSWORD_HINT,
  ],
  NOAUTH: ["access", "a password is required", PASSWORD_HINT],
  NOPERM: [
    "access",
    "",
    "Give the user the rights that docs/SECURITY.md names: redis-cli acl setuser.",
  ],
  DENIED: [
    "access",
    "it accepts connections of its own machine only (protected mode)",
    "Set a password in Redis (requirepass, or a user with acl setuser).",
  ],
  OOM: ["refused", "its memory is full (maxmemory)", MEMORY_HINT],
  MISCONF: [
    "refused",
    "it cannot save its data",
    "Check the disk of Redis and its log. Readings are acknowledged again when it can save.",
  ],
  NOREPLICAS: [
    "refused",
    "it has too few replicas (min-replicas-to-write)",
    "Start its replicas. Readings are acknowledged again when they are connected.",
  ],
  BUSY: [
    "refused",
    "a script runs for too long",
    "End it: redis-cli script kill. The server tries again by itself.",
  ],
};

/** Errors that begin with the word ERR, or with none. */
const OTHER_ERRORS: readonly (readonly [
  RegExp,
  ...(typeof ERRORS)[string],
])[] = [
  [
    /without any password configured/,
    "access",
    "it has no password, but one is set",
    "Remove the password (OCCUPANCY_REDIS_PASSWORD, --redis-password-file, or in the address), or set it in Redis: requirepass.",
  ],
  [
    /max number of clients/,
    "refused",
    "it has too many connections (maxclients)",
    "Raise maxclients of Redis, or end other clients.",
  ],
  [
    /WAIT cannot be used with replica/,
    "elsewhere",
    "it is a replica",
    WAIT_HINT,
  ],
];

const NETWORK_ERRORS: Readonly<
  Record<string, readonly [reason: string, hint: string]>
> = {
  ECONNREFUSED: [
    "no server is running there",
    "Start Redis, or correct the address of --store.",
  ],
  ENOTFOUND: ["host not found", "Check the spelling of the address."],
  EAI_AGAIN: [
    "host not found",
    "Check the spelling of the address, and the DNS of this machine.",
  ],
  EHOSTUNREACH: ["no route to the host", "Check the network."],
  ENETUNREACH: ["no route to the network", "Check the network."],
  EPERM: [
    "Deno was started without the permission",
    "Run deno with --allow-net.",
  ],
};

/**
 * Explains an error that Redis returned.
 *
 * @param error the error; its message is that of Redis
 * @param address of the server, for people
 */
export function explainReply(error: Error, address: string): RedisError {
  // Redis repeats what it was sent, such as a password, if AUTH was renamed.
  const message = error.message.replace(ARGUMENTS, "");
  const text = excerpt(message, MAX_SHOWN_LENGTH);
  const [code = ""] = /^[A-Z]+/.exec(message) ?? [];
  const [kind, reason, hint] = ERRORS[code] ??
    OTHER_ERRORS.find(([pattern]) => pattern.test(message))?.slice(1) as
      | (typeof ERRORS)[string]
      | undefined ??
    ["other", "", UNEXPECTED_HINT] as const;
  return new RedisError(
    kind,
    reason === ""
      ? `Redis at ${address} refuses a command: ${text}`
      : `Redis at ${address}: ${reason} (${text})`,
    { hint, ...(message === error.message && { cause: error }) },
  );
}

/**
 * Explains a failure of a connection.
 *
 * @param error the error of the client or the socket
 * @param address of the server, for people
 * @param tls the certificates of a connection with TLS: hints depend on them
 */
export function explainFailure(
  error: unknown,
  address: string,
  tls: TriedAccess | undefined,
): RedisError {
  if (error instanceof RedisError) return error;
  const code = String((error as { code?: unknown } | undefined)?.code ?? "");
  const message = messageOf(error);
  const cannot = `Cannot connect to Redis at ${address}`;
  const make = (text: string, hint: string) =>
    new RedisError("connection", text, { hint, cause: error });
  const network = NETWORK_ERRORS[code];
  if (network !== undefined) {
    return make(`${cannot}: ${network[0]}`, network[1]);
  }
  if (tls !== undefined) {
    const failure = explainTlsFailure(code, message, tls, REDIS);
    if (failure !== undefined) {
      return make(`${cannot}: ${failure.reason}`, failure.hint);
    }
  }
  if (/Unknown RESP type|unexpected reply/.test(message)) {
    return make(
      `${cannot}: no answer in the protocol of Redis`,
      "Check the port: Redis usually uses 6379.",
    );
  }
  if (/closed unexpectedly|ECONNRESET|EPIPE/.test(`${code} ${message}`)) {
    return make(
      `Redis at ${address} closed the connection`,
      tls === undefined
        ? "Read the log of Redis. A server with TLS needs rediss:// in the address."
        : "Read the log of Redis.",
    );
  }
  return make(
    `The connection to Redis at ${address} failed: ${
      excerpt(message, MAX_SHOWN_LENGTH)
    }`,
    "Check the address and the network.",
  );
}

/**
 * The error of a server that did not answer.
 *
 * @param address of the server, for people
 * @param ms the time limit
 * @param hint what to do next
 */
export function timeoutError(
  address: string,
  ms: number,
  hint = "Check that it runs, and the network.",
): RedisError {
  return new RedisError(
    "connection",
    `Redis at ${address} did not answer within ${ms} ms`,
    { hint },
  );
}

/** The hint for a time-out of TLS: a server without TLS waits for more. */
export const TLS_TIMEOUT_HINT =
  "Check that it runs, the network, and that it expects TLS on this port: without TLS, the address begins with redis://.";

/** The error after {@linkcode RedisNode.close}. */
export function closedError(address: string): RedisError {
  return new RedisError(
    "connection",
    `The connection to Redis at ${address} is closed`,
  );
}

/** True for failures that can end by themselves. */
export function isTemporary(error: unknown): boolean {
  return error instanceof RedisError &&
    ["connection", "elsewhere", "refused"].includes(error.kind);
}

/**
 * Chooses the error to report when none of several servers could be used.
 *
 * @param errors one or more
 */
export function mostTelling(errors: readonly RedisError[]): RedisError {
  const order: RedisErrorKind[] = ["access", "other", "refused", "elsewhere"];
  for (const kind of order) {
    const found = errors.find((error) => error.kind === kind);
    if (found !== undefined) return found;
  }
  const [first, ...others] = errors;
  if (others.length === 0) return first!;
  return new RedisError(
    "connection",
    `${first!.message}, and ${others.length} more servers do not answer`,
    { hint: first!.hint, cause: first },
  );
}
