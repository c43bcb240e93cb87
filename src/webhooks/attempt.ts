/**
 * One HTTP request to a webhook, and what its answer means.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import { excerpt } from "../common/printable.ts";
import type { WebhookAddress } from "./address.ts";
import { parseRetryAfter } from "./retry.ts";

/** What a try has led to. */
export type Outcome =
  | { readonly kind: "delivered" }
  /** The receiver does not want the event: no other try. */
  | { readonly kind: "refused"; readonly reason: string }
  | {
    /** To be tried again. */
    readonly kind: "failed";
    /** For people. */
    readonly reason: string;
    /**
     * True if the receiver has failed at this event, but may work for others;
     * false if it cannot be reached, or asks to wait.
     */
    readonly byEvent: boolean;
    /** What the receiver asks for, in ms. */
    readonly retryAfterMs?: number | undefined;
  };

/** Limits of {@linkcode attempt}. */
export interface AttemptLimits {
  /** Maximum time until the head of the answer, in ms. Default 10 s. */
  readonly timeoutMs: number;
  /** Maximum time for the body of the answer, in ms. Default 1 s. */
  readonly bodyMs: number;
  /** Maximum bytes of it; after either the connection is closed. */
  readonly bodyBytes: number;
}

/** The limits without options. */
export const DEFAULT_ATTEMPT_LIMITS: AttemptLimits = {
  timeoutMs: 10_000,
  bodyMs: 1000,
  bodyBytes: 64 * 1024,
};

const MAX_REASON_LENGTH = 200;
/** Statuses of receivers, or proxies before them, that do not work now. */
const OUTAGES = new Set([408, 429, 502, 503, 504]);

/**
 * Sends a request. Redirects are not followed: they could lead to any address
 * that this machine can reach.
 *
 * @param signal ends the request
 * @returns never rejects
 */
export async function attempt(
  address: WebhookAddress,
  request: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  },
  { timeoutMs, bodyMs, bodyBytes }: AttemptLimits,
  signal: AbortSignal,
): Promise<Outcome> {
  const abort = new AbortController();
  const onAbort = () => abort.abort();
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  let isLate = false;
  let timer = setTimeout(() => {
    isLate = true;
    abort.abort();
  }, timeoutMs);
  try {
    const response = await fetch(address.url, {
      method: "POST",
      ...request,
      redirect: "manual",
      signal: abort.signal,
    });
    clearTimeout(timer);
    timer = setTimeout(onAbort, bodyMs);
    await discard(response.body, bodyBytes);
    return outcomeOf(response);
  } catch (error) {
    const reason = signal.aborted
      ? "interrupted by the end of the server"
      : isLate
      ? `no answer within ${timeoutMs / 1000} s`
      : reasonOf(error, address);
    return { kind: "failed", reason, byEvent: false };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Reads a body, so that the connection can be used again. */
async function discard(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<void> {
  if (body === null) return;
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxBytes) return; // closes the connection
    }
  } catch {
    // The status has said whether the event was delivered.
  }
}

function outcomeOf({ status, ok, headers }: Response): Outcome {
  if (ok) return { kind: "delivered" };
  const reason = `status ${status}`;
  if (status >= 500 || OUTAGES.has(status)) {
    return {
      kind: "failed",
      reason,
      byEvent: !OUTAGES.has(status),
      retryAfterMs: parseRetryAfter(headers.get("retry-after"), Date.now()),
    };
  }
  if (status < 300 || status >= 400) {
    const advice = status === 401 || status === 403
      ? "Check user and password in --webhook, or --webhook-secret-file"
      : "Check --webhook, and the log of the receiver";
    return { kind: "refused", reason: `${reason}. ${advice}` };
  }
  const origin = URL.parse(headers.get("location") ?? "")?.origin;
  const target = origin === undefined || origin === "null"
    ? ""
    : ` to ${excerpt(origin, MAX_REASON_LENGTH)}`;
  return {
    kind: "refused",
    reason:
      `${reason}: a redirect${target}, which is not followed. Write the new address into --webhook`,
  };
}

/** Deno's messages contain the address, which may have a secret in its path. */
function reasonOf(error: unknown, { url }: WebhookAddress): string {
  const { cause } = error as { readonly cause?: unknown };
  const message = messageOf(cause ?? error);
  const reason = /.*client error \(\w+\): (.+)$/s.exec(message)?.[1] ?? message;
  if (reason.includes(url)) return "the connection failed";
  const advice = reason.startsWith("invalid peer certificate")
    ? " (docs/WEBHOOKS.md: how to trust its authority)"
    : "";
  return excerpt(reason, MAX_REASON_LENGTH) + advice;
}
