/**
 * The URL of a request.
 *
 * @module
 */
import { quote } from "../protocol/text.ts";
import { Problem } from "./problem.ts";

/** Printable ASCII without `# / ? @ \`, which end a host in a URL. */
const HOST = /^[!"$-.0->A-[\]-~]+$/;

/** The parts of a request that make its URL. */
export interface RequestAddress {
  /** As in the request line: a path with query, an address, or `*`. */
  readonly target: string;
  readonly headers: Headers;
  /** The own address of the connection, such as `127.0.0.1:8080`. */
  readonly ownHost: string;
}

/**
 * Returns the URL of a request, with the host that the request names: in an
 * absolute address, or in its Host header. A request without a host (HTTP/1.0)
 * has the host of the server's own address.
 *
 * @throws {Problem} 400 if the host or the address is malformed
 */
export function urlOf({ target, headers, ownHost }: RequestAddress): URL {
  const host = headers.get("host");
  // Such a host would become a part of the path.
  if (host !== null && !HOST.test(host)) throw malformed(quote(host));
  const url = URL.parse(
    /^https?:\/\//i.test(target)
      ? target
      : `http://${host ?? ownHost}${
        target.startsWith("/") ? "" : "/"
      }${target}`,
  );
  if (url === null || (host !== null && parseHost(host) === null)) {
    throw malformed(host === null ? "of the request" : quote(host));
  }
  return url;
}

/**
 * Returns the URL of a host with an optional port; null if it is malformed.
 *
 * @param host such as `map.example:8080`
 * @param scheme removes the default port of this scheme
 */
export function parseHost(host: string, scheme = "http:"): URL | null {
  return HOST.test(host) ? URL.parse(`${scheme}//${host}`) : null;
}

function malformed(host: string): Problem {
  return new Problem({
    status: 400,
    code: "malformed-host",
    message: `The host name ${host} is malformed`,
    hint: "Send a Host header like localhost:8080.",
  });
}
