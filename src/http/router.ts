import { Problem } from "./problem.ts";

/** Names in a path that stand for one segment, decoded. */
export type PathParams = Readonly<Record<string, string>>;

/** What can be asked of a path. HEAD goes with GET, OPTIONS is always there. */
export type Method = "GET" | "POST";

/** The part of a route that the router looks at. */
export interface Routed {
  readonly method: Method;
  /**
   * `/exact`, `/with/{name}` where a name stands for one segment, or `/open/*`
   * for all that is below.
   */
  readonly path: string;
}

/** A route that was found, and what its path says. */
export interface Match<R> {
  readonly route: R;
  readonly params: PathParams;
}

/**
 * Finds the route of a request.
 *
 * @param routes in order: the first that fits
 * @param method of the request; HEAD is taken for GET
 * @param pathname of its URL, still percent-encoded
 * @returns undefined for OPTIONS, with which a route need not deal
 * @throws {Problem} 404 if there is no such path, 405 if it cannot be asked so
 */
export function route<R extends Routed>(
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
  const allow = allowOf(methods);
  throw new Problem({
    status: 405,
    code: "bad-method",
    message: `${pathname} cannot be asked with ${method}`,
    hint: `It takes ${allow}.`,
    headers: { allow },
  });
}

/** What the Allow header says of a path (RFC 9110, 10.2.1). */
export function allowed(
  routes: readonly Routed[],
  pathname: string,
): string {
  const methods = routes.filter(({ path }) => matchPath(path, pathname))
    .map(({ method }) => method);
  return allowOf(new Set(methods));
}

function allowOf(methods: ReadonlySet<string>): string {
  return [...methods]
    .flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method])
    .concat("OPTIONS").join(", ");
}

function matchPath(pattern: string, pathname: string): PathParams | undefined {
  if (pattern.endsWith("/*")) {
    return pathname.startsWith(pattern.slice(0, -1)) ? {} : undefined;
  }
  if (!pattern.includes("{")) return pattern === pathname ? {} : undefined;
  const wanted = pattern.split("/");
  const segments = pathname.split("/");
  if (wanted.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of segments.entries()) {
    const name = /^\{(\w+)\}$/.exec(wanted[i]!)?.[1];
    if (name === undefined) {
      if (segment !== wanted[i]) return undefined;
      continue;
    }
    try {
      params[name] = decodeURIComponent(segment);
    } catch {
      return undefined; // not UTF-8: there is no such path
    }
  }
  return params;
}

function notFound(routes: readonly Routed[], pathname: string): Problem {
  return new Problem({
    status: 404,
    code: "not-found",
    message: `There is nothing at ${pathname}`,
    hint: "GET /openapi.json describes what there is.",
    more: {
      routes: routes.map(({ method, path }) => `${method} ${path}`),
    },
  });
}
