/**
 * What all listeners have in common: where they listen, and why they cannot.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { messageOf } from "../../common/errors.ts";
import { hostAndPort } from "../../common/host.ts";
import { LinkError } from "../../mqtt/link.ts";

/** Where to listen. */
export interface Endpoint {
  /** A name or address of this machine; `0.0.0.0` or `::` for all. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** The certificate of a server. */
export interface TlsIdentity {
  /** The certificate chain, in PEM format. */
  readonly cert: string;
  /** The private key, in PEM format. */
  readonly key: string;
}

/** The certificate of a server, and the clients that may connect to it. */
export interface TlsSettings extends TlsIdentity {
  /**
   * Certificates of authorities, in PEM format: each client must have a valid
   * certificate of one of them. Undefined: clients need none.
   */
  readonly clientCa?: string | undefined;
}

/** A socket that listens. */
export interface Listener {
  /** Where it listens, with the assigned port. */
  readonly address: Endpoint;
  /** Why no connections are accepted, for people; else undefined. */
  readonly problem: string | undefined;
  /**
   * Uses another certificate for new connections. Ignored without TLS.
   *
   * @param settings valid, see {@linkcode checkIdentity}: with others every
   * handshake would fail
   */
  reload(settings: TlsSettings): void;
  /** Stops accepting connections. */
  stop(): void;
  /** Ends all open connections. Resolves when the port is free. */
  close(): Promise<void>;
}

/**
 * Returns why one of the listeners accepts no connections, for people;
 * undefined if all do.
 */
export function problemOf(listeners: Iterable<Listener>): string | undefined {
  for (const { problem, address: { host, port } } of listeners) {
    if (problem !== undefined) return `${hostAndPort(host, port)}: ${problem}`;
  }
  return undefined;
}

/**
 * Checks that certificate and key belong together. Servers of Deno report a
 * mismatch only when a client connects.
 *
 * @throws {LinkError} with the code "tls" if they do not
 */
export function checkIdentity({ cert, key }: TlsIdentity): void {
  try {
    const certificate = new X509Certificate(cert); // the first, of a chain
    if (certificate.checkPrivateKey(createPrivateKey(key))) return;
  } catch (cause) {
    throw new LinkError(
      "tls",
      `Cannot use this certificate and key: ${messageOf(cause)}`,
      { hint: "Both must be in PEM format.", cause },
    );
  }
  throw new LinkError(
    "tls",
    "Cannot use this certificate and key: they do not belong together",
    { hint: "The certificate of the server must be the first in its file." },
  );
}

/**
 * Explains why a socket cannot listen.
 *
 * @param cause the error of `Deno.listen` or of a server of `node:net`
 * @param at where it should listen
 */
export function explainListenFailure(cause: unknown, at: Endpoint): LinkError {
  const where = hostAndPort(at.host, at.port);
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (code === "EADDRINUSE") {
    return new LinkError("in-use", `Cannot listen on ${where}: port in use`, {
      hint:
        `Choose another with --listen HOST:PORT, or connect to the broker there with --broker mqtt://${where}. If an occupancy server runs it, one server is enough: a second one there needs another --prefix.`,
      cause,
    });
  }
  if (
    code === "ENOTFOUND" || code === "EAI_AGAIN" ||
    messageOf(cause).startsWith("failed to lookup address")
  ) {
    return new LinkError(
      "unreachable",
      `Cannot listen on ${where}: host not found`,
      {
        hint: "Use a name or address of this machine, such as 127.0.0.1.",
        cause,
      },
    );
  }
  const [reason, hint] = LISTEN_FAILURES[String(code)] ?? [
    messageOf(cause),
    "Use an address of this machine, and a port above 1023.",
  ];
  return new LinkError("unreachable", `Cannot listen on ${where}: ${reason}`, {
    hint,
    cause,
  });
}

const NOT_OURS = [
  "this machine does not have this address",
  "Use an address of this machine: 127.0.0.1 for this machine only, 0.0.0.0 for all networks.",
] as const;

/** Reason and hint by the code of the error. */
const LISTEN_FAILURES: Record<string, readonly [string, string]> = {
  EADDRNOTAVAIL: NOT_OURS,
  EINVAL: NOT_OURS, // what node:net of Deno reports for EADDRNOTAVAIL
  EACCES: [
    "permission denied",
    "Use a port above 1023, or give this program the right to lower ones.",
  ],
};
