/**
 * Finds the route of a request by method and path.
 *
 * @module
 */
import { excerpt } from "../protocol/mod.ts";
import { Problem } from "./problem.ts";

/** Of a path in a message, in UTF-16 code units; a longer one is cut. */
const MAX_PATH_LENGTH = 200;

/** The values of the names in the path of a route, decoded. */
export type PathParams = Readonly<Record<string, string>>;

/** Methods of routes. HEAD is handled as GET; every path has OPTIONS. */
export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** The method and path of a route. */
export interface RoutePath {
  readonly method: Method;
  /**
   * `/exact`, `/with/{name}/in/it` (one or more segments), or `/open/*` (all
   * paths below).
   */
  readonly path: string;
}

/** A route that matches a request. */
export interface Match<R> {
  readonly route: R;
  readonly params: PathParams;
}

/**
 * Finds the route of a request.
 *
 * @param routes the first that matches is used
 * @param method of the request; HEAD counts as GET
 * @param pathname of its URL, percent-encoded
 * @returns undefined for OPTIONS of a path that exists
 * @throws {Problem} 404 if no route has the path, 405 if none has the method
 */
export function findRoute<R extends RoutePath>(
  routes: readonly R[],
  method: string,
  pathname: string,
): Match<R> | undefined {
  const wanted = method === "HEAD" ? "GET" : method;
  const methods = new Set<string>();
  for (const candidate of routes) {
    const params = matchPath(candidate.path, pathname);
    if (params === undefined) continue;
    if (candidate.method === wanted) return { route: candidate, params };
    methods.add(candidate.method);
  }
  if (methods.size === 0) throw notFound(routes, pathname);
  if (method === "OPTIONS") return undefined;
  const allow = allowHeader(methods);
  throw new Problem({
    status: 405,
    code: "bad-method",
    message: `The method ${excerpt(method)} is not allowed here`,
    hint: `Use ${allow}.`,
    headers: { allow },
  });
}

/** Returns the Allow header of a path (RFC 9110, 10.2.1). */
export function allowedMethods(
  routes: readonly RoutePath[],
  pathname: string,
): string {
  const methods = routes.filter(({ path }) => matchPath(path, pathname))
    .map(({ method }) => method);
  return allowHeader(new Set(methods));
}

function allowHeader(methods: ReadonlySet<string>): string {
  return [...methods]
    .flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method])
    .concat("OPTIONS").join(", ");
}

function matchPath(pattern: string, pathname: string): PathParams | undefined {
  if (pattern.endsWith("/*")) {
    return pathname.startsWith(pattern.slice(0, -1)) ? {} : undefined;
  }
  const [head, name, tail] = pattern.split(/[{}]/);
  if (name === undefined) return pattern === pathname ? {} : undefined;
  const isMatch = pathname.startsWith(head!) && pathname.endsWith(tail!) &&
    pathname.length > head!.length + tail!.length;
  if (!isMatch) return undefined;
  const value = pathname.slice(head!.length, pathname.length - tail!.length);
  try {
    return { [name]: decodeURIComponent(value) };
  } catch {
    return undefined; // not UTF-8
  }
}

function notFound(routes: readonly RoutePath[], pathname: string): Problem {
  return new Problem({
    status: 404,
    code: "not-found",
    message: `Nothing found at ${excerpt(pathname, MAX_PATH_LENGTH)}`,
    hint: "GET /openapi.json describes all paths.",
    extensions: {
      routes: routes.map(({ method, path }) => `${method} ${path}`),
    },
  });
}
