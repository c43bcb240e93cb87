import { messageOf } from "../common/errors.ts";
import { LinkError } from "./link.ts";

/** CONNACK codes of MQTT 3.1.1 (3.2.2.3) and reason codes of MQTT 5 (3.2.2.2). */
const REFUSALS: Record<number, { message: string; hint: string }> = {
  2: {
    message: "refuses this client id",
    hint: "Choose another name with --name.",
  },
  3: { message: "is not available", hint: "Try again later." },
  4: {
    message: "refuses the user name or password",
    hint: "Put them in the address: mqtt://user:password@host.",
  },
  5: {
    message: "does not let this client in",
    hint: "Put user and password in the address: mqtt://user:password@host.",
  },
};
REFUSALS[0x85] = REFUSALS[2]!;
REFUSALS[0x88] = REFUSALS[3]!;
REFUSALS[0x86] = REFUSALS[4]!;
REFUSALS[0x87] = REFUSALS[5]!;

const UNSUPPORTED_VERSION = new Set([1, 0x84]);
const NETWORK_FAILURES = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
]);

/** True if another protocol version may succeed where this attempt failed. */
export function isVersionRefusal(error: unknown): boolean {
  if (error instanceof LinkError) return false;
  const code = codeOf(error);
  if (typeof code === "number") return UNSUPPORTED_VERSION.has(code);
  if (typeof code === "string" && NETWORK_FAILURES.has(code)) return false;
  // Some brokers of 3.1.1 just hang up on a CONNECT of MQTT 5, or answer in its form.
  const message = messageOf(error);
  return /closed before CONNACK|parse|packet|header|properties/i.test(
    message,
  ) ||
    code === "ECONNRESET";
}

/** Says in words for people why a broker cannot be joined, and what to do. */
export function explainConnectFailure(
  error: unknown,
  address: string,
): LinkError {
  const code = codeOf(error);
  const message = messageOf(error);
  const cause = error;
  if (typeof code === "number" && code !== 0) {
    const known = REFUSALS[code];
    const asked = code === 4 || code === 5 || code === 0x86 || code === 0x87;
    const hint = asked && /:\/\/[^/]*@/.test(address)
      ? "Check the user and the password in the address."
      : known?.hint;
    return new LinkError(
      "refused",
      `The broker at ${address} ${known?.message ?? `refuses: ${message}`}`,
      hint === undefined ? { cause } : { hint, cause },
    );
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new LinkError("unreachable", `No such host: ${address}`, {
      hint: "Check the spelling of the broker's address.",
      cause,
    });
  }
  if (code === "ECONNREFUSED") {
    return new LinkError("unreachable", `No broker answers at ${address}`, {
      hint:
        "Start one (occupancy server has one built in), or name another with --broker.",
      cause,
    });
  }
  if (
    /certificate|self.signed|UnknownIssuer|TLS|SSL/i.test(`${code} ${message}`)
  ) {
    return new LinkError(
      "tls",
      `No trusted TLS connection to ${address}: ${message}`,
      {
        hint: "Name the certificate authority with --ca FILE, or use mqtt://.",
        cause,
      },
    );
  }
  if (
    /closed before CONNACK|parse|packet|header|connack timeout|Unexpected server response/i
      .test(message) || code === "ECONNRESET"
  ) {
    return new LinkError(
      "not-mqtt",
      `What answers at ${address} does not speak MQTT`,
      {
        hint: "Check the port: MQTT is usually at 1883, over TLS at 8883.",
        cause,
      },
    );
  }
  return new LinkError(
    "unreachable",
    `Cannot reach the broker at ${address}: ${message}`,
    { hint: "Check the address and the network.", cause },
  );
}

/** Says in words for people why a message could not be published. */
export function explainPublishFailure(
  error: unknown,
  topic: string,
): LinkError {
  const code = codeOf(error);
  const message = messageOf(error);
  if (typeof code === "number" && code >= 0x80) { // MQTT 5, 3.4.2.1
    return new LinkError(
      "refused",
      `The broker refused a message to ${topic}: ${message}`,
      {
        hint: "Give this user write access to that topic on the broker.",
        cause: error,
      },
    );
  }
  return new LinkError("closed", `Cannot publish to ${topic}: ${message}`, {
    cause: error,
  });
}

/** Says in words for people which topics may not be subscribed to; another error stays. */
export function explainSubscribeFailure(
  error: unknown,
  filters: readonly string[],
): unknown {
  // What mqtt.js rejects with carries the SUBACK (MQTT 5, 3.9.3).
  const { packet } = error as { packet?: { granted?: unknown } };
  const granted = Array.isArray(packet?.granted) ? packet.granted : [];
  const refused = filters.filter((_, index) => granted[index] >= 0x80);
  if (refused.length === 0) return error;
  return new LinkError(
    "refused",
    `The broker does not let this client subscribe to ${refused.join(", ")}`,
    {
      hint: "Give this user read access to that topic on the broker.",
      cause: error,
    },
  );
}

function codeOf(error: unknown): string | number | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === "string" || typeof code === "number") return code;
  // An attempt over several addresses fails with one error for each.
  const first = (error as { errors?: unknown[] } | undefined)?.errors?.[0];
  return first === undefined ? undefined : codeOf(first);
}
