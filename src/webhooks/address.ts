/**
 * Addresses of webhooks: checks them, and hides what may be secret in them.
 *
 * @module
 */

/** Where events are sent. */
export interface WebhookAddress {
  /** Without user and password. */
  readonly url: string;
  /** The value of the header `Authorization`; undefined without a user. */
  readonly authorization: string | undefined;
  /** Scheme, host and port: what people and metrics may see. */
  readonly origin: string;
}

const HINT =
  "Use an address such as https://hooks.example/occupancy (http or https).";
const LOGIN_HINT =
  "In user and password, write % as %25, @ as %40, : as %3A and / as %2F.";

/**
 * Checks the address of a webhook. User and password in it become a header
 * (Basic, RFC 7617).
 *
 * @throws {RangeError} if it is not an address of HTTP; its message is a hint,
 * without the address
 */
export function parseWebhook(text: string): WebhookAddress {
  const url = httpUrl(text);
  // URL would encode a space, also one between two addresses.
  if (url === null || /\s/.test(text)) throw new RangeError(HINT);
  const { username, password, origin } = url;
  const hasLogin = username !== "" || password !== "";
  let login: string;
  try {
    login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    throw new RangeError(LOGIN_HINT);
  }
  url.username = url.password = url.hash = "";
  return {
    url: url.href,
    authorization: hasLogin
      ? `Basic ${new TextEncoder().encode(login).toBase64()}`
      : undefined,
    origin,
  };
}

/**
 * Hides what may be secret: user, password, path and query. Many services have
 * a secret in the path, for example Slack and Home Assistant.
 *
 * @param text an address, several with `, ` between them, or other text
 */
export function redactWebhook(text: string): string {
  return text.split(", ").map((one) => {
    const url = httpUrl(one);
    if (url === null) return "***";
    return url.href === `${url.origin}/` ? url.href : `${url.origin}/***`;
  }).join(", ");
}

function httpUrl(text: string): URL | null {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}
