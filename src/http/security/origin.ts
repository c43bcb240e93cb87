/**
 * Refuses requests with a Host name of another machine, and requests that a
 * page of another origin sends.
 *
 * @module
 */
import type { WebRequest } from "../listener/incoming.ts";
import { isLoopback } from "../../feed/hosts.ts";
import { quote } from "../../protocol/text.ts";
import { Problem } from "../problem.ts";
import { parseHost } from "../request_url.ts";

/**
 * Refuses host names other than this machine's own, against DNS rebinding: a
 * page of another site can make its name resolve to 127.0.0.1. For a browser it
 * then has the same origin, but the request has the name of that site.
 *
 * @param url the URL of the request, from `urlOf`
 * @throws {Problem} 421
 */
export function checkHost({ headers }: WebRequest, url: URL): void {
  const header = headers.get("host");
  const named = header === null ? url : parseHost(header);
  // They differ if the request has an absolute address.
  if (isLoopback(url.hostname) && isLoopback(named?.hostname ?? "")) return;
  throw new Problem({
    status: 421,
    code: "bad-host",
    message: `The host name ${quote(header ?? url.host)} is not allowed`,
    hint:
      "Use localhost, or start the server with --http-token-file to allow other names.",
  });
}

/**
 * Refuses requests that a page of another origin makes a browser send.
 *
 * Browsers send `Sec-Fetch-Site` (Fetch Metadata) to addresses with TLS and to
 * this machine; otherwise only `Origin` (RFC 6454). Requests with neither are
 * from other programs and are allowed. Behind a proxy the name that the browser
 * uses is in `X-Forwarded-Host`, which no page can set for another origin.
 *
 * @param url the URL of the request, from `urlOf`
 * @throws {Problem} 403
 */
export function checkSameOrigin({ headers }: WebRequest, url: URL): void {
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  const own = site === null
    ? origin === null || isOwn(origin, [
      url.host,
      ...(headers.get("x-forwarded-host") ?? "").split(","),
    ])
    : site === "same-origin" || site === "none";
  if (own) return;
  throw new Problem({
    status: 403,
    code: "foreign-origin",
    message: `Pages of ${
      origin === null ? "other origins" : quote(origin)
    } may not send this request`,
    hint:
      "Send it from a page of this server or from a program. A proxy must send X-Forwarded-Host with the port, if it is not the usual one.",
  });
}

/**
 * Refuses requests that a page of another site makes a browser send: it cannot
 * read the answers, but it could load the server with them.
 *
 * Browsers send `Sec-Fetch-Site: cross-site` (Fetch Metadata) to addresses with
 * TLS and to this machine; other programs do not send it. Allowed are the page
 * itself (a link, or a frame of `--http-embed`), links to other addresses that
 * a user follows, and requests with a token in `Authorization`, which no page
 * can send without knowing it.
 *
 * @param url the URL of the request, from `urlOf`
 * @param hasToken true for a request with the right token in a header
 * @throws {Problem} 403
 */
export function checkCrossSite(
  { method, headers }: WebRequest,
  url: URL,
  hasToken: boolean,
): void {
  if (headers.get("sec-fetch-site") !== "cross-site" || hasToken) return;
  const isNavigation = (method === "GET" || method === "HEAD") &&
    headers.get("sec-fetch-mode") === "navigate";
  const isOfUser = headers.get("sec-fetch-dest") === "document" &&
    headers.get("sec-fetch-user") === "?1";
  if (isNavigation && (url.pathname === "/" || isOfUser)) return;
  throw new Problem({
    status: 403,
    code: "foreign-origin",
    message: "Pages of other sites may not send this request",
    hint:
      "Open the address in the browser, or send the request from a program or a page of this server.",
  });
}

/** @param hosts own names, each with its port, if it is not the usual one */
function isOwn(origin: string, hosts: readonly string[]): boolean {
  const page = URL.parse(origin); // null for "null", the origin of a sandbox
  return page !== null &&
    hosts.some((host) =>
      parseHost(host.trim(), page.protocol)?.host === page.host
    );
}
