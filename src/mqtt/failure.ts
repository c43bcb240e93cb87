/**
 * Turns the errors of mqtt.js and of the network into {@linkcode LinkError}s
 * that people understand.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import { explainTlsFailure, type TlsPeer } from "../common/tls_failure.ts";
import { LinkError } from "./link.ts";
import type { BrokerAccess } from "./transport.ts";

const LOGIN_HINT =
  "Set user and password in the address (mqtt://user:password@host), or in a command with --user and --password-file.";
const BROKER: TlsPeer = {
  name: "the broker",
  ca: "ca (in a command --ca)",
  giveCa: "ca; in a command --ca FILE",
  cert: "cert; in a command --cert",
  giveCert: "cert and key; in a command --cert FILE --key FILE",
  insecure: " For a test only, --insecure accepts it without a check.",
  port: "Check the port: MQTT with TLS usually uses 8883.",
};
const OTHER_LOGIN_HINT = "Check user and password.";

/**
 * CONNACK codes of MQTT 3.1.1 (3.2.2.3) and reason codes of MQTT 5 (3.2.2.2).
 */
const REFUSALS: Record<number, { reason: string; hint: string }> = {
  2: {
    reason: "client id refused",
    hint: "Use another client id: that of a server is its --name.",
  },
  3: { reason: "broker not available", hint: "Try again later." },
  4: { reason: "login refused (user or password)", hint: LOGIN_HINT },
  5: { reason: "not authorized", hint: LOGIN_HINT },
};
REFUSALS[0x85] = REFUSALS[2]!;
REFUSALS[0x88] = REFUSALS[3]!;
REFUSALS[0x86] = REFUSALS[4]!;
REFUSALS[0x87] = REFUSALS[5]!;

const UNSUPPORTED_VERSION = new Set([1, 0x84]);
/**
 * The lowest reason code of a failure (MQTT 5, 2.4). SUBACK of MQTT 3.1.1
 * (3.9.3) has only this one.
 */
export const MIN_FAILURE_CODE = 0x80;
const NETWORK_FAILURES = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
]);

/**
 * Returns true if another protocol version may succeed.
 *
 * @param error the error of an attempt to connect
 */
export function isVersionRefusal(error: unknown): boolean {
  if (error instanceof LinkError) return false;
  const code = codeOf(error);
  if (typeof code === "number") return UNSUPPORTED_VERSION.has(code);
  if (typeof code === "string" && NETWORK_FAILURES.has(code)) return false;
  // Some brokers of MQTT 3.1.1 close the connection after a CONNECT of MQTT 5,
  // and others answer in the format of 3.1.1.
  return code === "ECONNRESET" ||
    /closed before CONNACK|parse|packet|header|properties/i
      .test(messageOf(error));
}

/**
 * Explains why a client cannot connect.
 *
 * @param error the error of the attempt
 * @param address the broker's address, without a password
 * @param tried the access that was tried: the hints depend on it
 */
export function explainConnectFailure(
  error: unknown,
  address: string,
  tried: BrokerAccess = {},
): LinkError {
  const code = codeOf(error);
  const message = messageOf(error);
  const cannot = `Cannot connect to ${address}`;
  const cause = error;
  if (typeof code === "number" && code !== 0) {
    const { reason, hint } = REFUSALS[code] ??
      { reason: `refused by the broker (${message})`, hint: undefined };
    const hasUser = tried.username !== undefined ||
      /:\/\/[^/]*@/.test(address);
    return new LinkError("refused", `${cannot}: ${reason}`, {
      ...(hint !== undefined && {
        hint: hint === LOGIN_HINT && hasUser ? OTHER_LOGIN_HINT : hint,
      }),
      cause,
    });
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new LinkError("unreachable", `${cannot}: host not found`, {
      hint: "Check the spelling of the address.",
      cause,
    });
  }
  if (code === "EPERM") {
    return new LinkError(
      "unreachable",
      `${cannot}: Deno was started without the permission`,
      { hint: "Run deno with --allow-net.", cause },
    );
  }
  if (code === "ECONNREFUSED") {
    return new LinkError(
      "unreachable",
      `${cannot}: no broker is running there`,
      {
        hint:
          "Start one (occupancy server includes one), or use the address of another.",
        cause,
      },
    );
  }
  const tls = explainTlsFailure(String(code), message, tried, BROKER);
  if (tls !== undefined) {
    return new LinkError("tls", `${cannot}: ${tls.reason}`, {
      hint: tls.hint,
      cause,
    });
  }
  if (
    /closed before CONNACK|parse|packet|header|connack timeout|Unexpected server response/i
      .test(message) || code === "ECONNRESET"
  ) {
    return new LinkError("not-mqtt", `${cannot}: no answer in MQTT`, {
      hint: "Check the port: MQTT usually uses 1883, with TLS 8883.",
      cause,
    });
  }
  return new LinkError("unreachable", `${cannot}: ${message}`, {
    hint: "Check the address and the network.",
    cause,
  });
}

/**
 * Explains why a message was not published.
 *
 * @param error the error of the publish
 * @param topic the topic of the message
 */
export function explainPublishFailure(
  error: unknown,
  topic: string,
): LinkError {
  const code = codeOf(error);
  const message = messageOf(error);
  if (typeof code === "number" && code >= MIN_FAILURE_CODE) {
    return new LinkError(
      "refused",
      `Cannot publish to ${topic}: refused by the broker (${message})`,
      {
        hint: "Give this user write access to the topic.",
        cause: error,
      },
    );
  }
  return new LinkError("closed", `Cannot publish to ${topic}: ${message}`, {
    cause: error,
  });
}

/**
 * Explains which topics a client may not subscribe to.
 *
 * @param error the error of the subscribe
 * @param filters the topic filters
 * @returns a LinkError if the broker refused a filter, else the same error
 */
export function explainSubscribeFailure(
  error: unknown,
  filters: readonly string[],
): unknown {
  // The error of mqtt.js has the SUBACK (MQTT 5, 3.9.3).
  const { packet } = error as { packet?: { granted?: unknown } };
  const granted = Array.isArray(packet?.granted) ? packet.granted : [];
  const refused = filters.filter((_, i) => granted[i] >= MIN_FAILURE_CODE);
  if (refused.length === 0) return error;
  return new LinkError(
    "refused",
    `Cannot subscribe to ${refused.join(", ")}: refused by the broker`,
    { hint: "Give this user read access to the topic.", cause: error },
  );
}

function codeOf(error: unknown): string | number | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === "string" || typeof code === "number") return code;
  // An attempt with several addresses fails with an error for each.
  const first = (error as { errors?: unknown[] } | undefined)?.errors?.[0];
  return first === undefined ? undefined : codeOf(first);
}
