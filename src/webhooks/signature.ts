/**
 * Identifies and signs requests as in the specification Standard Webhooks 1.0
 * (https://www.standardwebhooks.com), so that a receiver can check with one of
 * its libraries that a request is from this server, is unchanged and new.
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";

const PREFIX = "whsec_";
const MIN_BYTES = 24;
const MAX_BYTES = 64;
/** Enough that two events never have the same. */
const ID_BYTES = 18;

/** A secret that the server and the receivers have. */
export class WebhookSecret {
  readonly #key: Uint8Array;

  /**
   * @param text `whsec_`, then 24 to 64 bytes in Base64
   * @throws {RangeError} if it is not; its message says so, without the secret
   */
  constructor(text: string) {
    const key = text.startsWith(PREFIX)
      ? decodeBase64(text.slice(PREFIX.length))
      : undefined;
    if (key === undefined) {
      throw new RangeError(`it is not ${PREFIX} followed by Base64`);
    }
    if (key.length < MIN_BYTES || key.length > MAX_BYTES) {
      throw new RangeError(
        `it has ${key.length} bytes instead of ${MIN_BYTES} to ${MAX_BYTES}`,
      );
    }
    this.#key = key;
  }

  /**
   * Returns the value of the header `webhook-signature`.
   *
   * @param id the header `webhook-id`
   * @param seconds the header `webhook-timestamp`, seconds since 1970
   * @param body of the request
   */
  sign(id: string, seconds: number, body: string): string {
    const signature = createHmac("sha256", this.#key)
      .update(`${id}.${seconds}.${body}`).digest("base64");
    return `v1,${signature}`;
  }
}

/**
 * Returns the header `webhook-id`: the same for each try of an event, also when
 * the server sends the event again after a crash.
 */
export function eventId(topic: string, body: string): string {
  const hash = createHash("sha256").update(`${topic}\n${body}`).digest();
  return `evt_${hash.subarray(0, ID_BYTES).toString("base64url")}`;
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
