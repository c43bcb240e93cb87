import { excerpt } from "../../protocol/mod.ts";
import { Problem } from "../problem.ts";

const LOCAL_NAME =
  /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** True for an address or name that only this machine can reach. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.toLowerCase();
  return LOCAL_NAME.test(bare) || bare === "::1";
}

/**
 * Refuses names that are not this machine's own. A page from elsewhere whose
 * name is made to lead to 127.0.0.1 (DNS rebinding) is of one origin with us as
 * far as a browser can tell; its Host header gives it away.
 *
 * @throws {Problem} 421
 */
export function checkHost(request: Request): void {
  const host = request.headers.get("host") ?? "";
  if (isLoopback(host.replace(/:\d{1,5}$/, ""))) return;
  throw new Problem({
    status: 421,
    code: "bad-host",
    message: `This server is not known as ${excerpt(host)}`,
    hint:
      "Ask for it as localhost, or start it with --http-token-file to let it be known by other names.",
  });
}

/**
 * Refuses what a page of another origin has a browser send. Programs that are no
 * browsers send neither header and pass.
 *
 * `Sec-Fetch-Site` is the browser's own word (Fetch Metadata); older ones have
 * only `Origin` (RFC 6454). Behind a proxy the name that the browser knows is in
 * `X-Forwarded-Host`, which no page can set for another origin.
 *
 * @throws {Problem} 403
 */
export function checkSameOrigin(request: Request): void {
  const { headers } = request;
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  const own = site === null
    ? origin === null || isOwn(origin, headers)
    : site === "same-origin" || site === "none";
  if (own) return;
  throw new Problem({
    status: 403,
    code: "foreign-origin",
    message: `Pages of ${
      origin === null ? "another origin" : excerpt(origin)
    } may not do this`,
    hint: "Send it from a page of this server, or from a program.",
  });
}

function isOwn(origin: string, headers: Headers): boolean {
  let host: string;
  try {
    host = new URL(origin).host; // "null", of a sandbox, is no URL
  } catch {
    return false;
  }
  return host === headers.get("host") ||
    host === headers.get("x-forwarded-host");
}
