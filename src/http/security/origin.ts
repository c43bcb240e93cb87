/**
 * Refuses requests with a Host name of another machine, and requests that a
 * page of another origin sends.
 *
 * @module
 */
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
export function checkHost({ headers }: Request, url: URL): void {
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
export function checkSameOrigin({ headers }: Request, url: URL): void {
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

/** @param hosts own names, each with its port, if it is not the usual one */
function isOwn(origin: string, hosts: readonly string[]): boolean {
  const page = URL.parse(origin); // null for "null", the origin of a sandbox
  return page !== null &&
    hosts.some((host) =>
      parseHost(host.trim(), page.protocol)?.host === page.host
    );
}
