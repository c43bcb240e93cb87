/**
 * Login in a browser: a page with a form for the token. The form is sent with
 * POST, so that the token is neither in an address nor in the log of a proxy.
 *
 * @module
 */
import type { WebRequest } from "../listener/incoming.ts";
import { type BodyContext, readBody } from "../api/body.ts";
import { FixedResponse } from "../fixed_response.ts";
import { Problem } from "../problem.ts";

/** Maximum size of the form's data. */
const MAX_FORM_BYTES = 4096;
/** Maximum time in which it must arrive. */
const FORM_TIMEOUT_MS = 5000;
/** When to try again after too many wrong tokens: their longest delay. */
export const RETRY_AFTER_S = "4";
/** The parameter with the path and the query of the page to show. */
const TARGET = "to";

/** Returns true if a browser requests a page to show. */
export function isNavigation({ method, headers }: WebRequest): boolean {
  return method === "GET" &&
    (headers.get("accept") ?? "").includes("text/html");
}

/** Returns true if the browser uses TLS, to the server's proxy. */
export function usesTls({ headers }: WebRequest): boolean {
  const [scheme = ""] = (headers.get("x-forwarded-proto") ?? "").split(",");
  return scheme.trim().toLowerCase() === "https";
}

/**
 * Answers a navigation without a token: at `/` with the login page, elsewhere
 * with a redirect to it.
 */
export async function askForToken(url: URL): Promise<Response> {
  if (url.pathname === "/") {
    return await loginPage(
      url,
      url.searchParams.has("token") ? IN_ADDRESS : "",
    );
  }
  const query = new URLSearchParams({
    [TARGET]: url.pathname.slice(1) + url.search,
  });
  return redirect(`${rootOf(url)}?${query}`);
}

/** Why a login page is shown that was not the first. */
export const WRONG_TOKEN = "This token is wrong.";
export const TOO_MANY_WRONG_TOKENS =
  "Too many wrong tokens from your address. Try again in a moment.";
const IN_ADDRESS =
  "The token in the address was ignored: proxies and browsers store addresses. Enter it here.";

/**
 * Returns the login page.
 *
 * The form is sent to the page's own address, so that its query and the part
 * after `#` are kept; except if the address has a token.
 *
 * @param problem for people, a sentence; empty for none
 * @param status 401 or 429
 */
export async function loginPage(
  url: URL,
  problem = "",
  status = 401,
): Promise<Response> {
  const { loginHtml } = await import("../dashboard/mod.ts");
  const query = new URLSearchParams(url.searchParams);
  query.delete("token");
  const action = url.searchParams.has("token") ? `./?${query}` : "";
  return new FixedResponse(loginHtml({ action, problem }), {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "www-authenticate": 'Bearer realm="occupancy"',
      ...(status === 429 && { "retry-after": RETRY_AFTER_S }),
    },
  });
}

/**
 * Returns a redirect to the page that the browser requested before the login.
 * It keeps the part of the address after `#`.
 *
 * @param url the address to which the form was sent
 */
export function redirectAfterLogin(url: URL): Response {
  const query = new URLSearchParams(url.searchParams);
  const target = query.get(TARGET);
  query.delete(TARGET);
  query.delete("token");
  if (target === null) {
    return redirect(`./${query.size > 0 ? `?${query}` : ""}`);
  }
  // "./" makes any text a path of this server.
  const { pathname, search } = new URL(`./${target}`, "http://server/");
  return redirect(`.${pathname}${search}`);
}

/**
 * Reads the token of a login form.
 *
 * @throws {Problem} 400 to 415 if the body is not that of the form
 */
export async function readToken(context: BodyContext): Promise<string> {
  const { headers } = context.request;
  const type = (headers.get("content-type") ?? "").split(";", 1)[0]!.trim();
  if (type.toLowerCase() !== "application/x-www-form-urlencoded") {
    throw new Problem({
      status: 415,
      code: "bad-content-type",
      message: "The login accepts the form of the login page only",
      hint:
        "Programs send the header Authorization: Bearer TOKEN. Readings are sent to /api/v1/readings.",
    });
  }
  const length = headers.get("content-length");
  if (length === null || Number(length) > MAX_FORM_BYTES) {
    throw new Problem({
      status: 413,
      code: "too-large",
      message: `The form has more than ${MAX_FORM_BYTES} bytes or no length`,
      hint: "Send the token only.",
    });
  }
  const body = await readBody(context, { timeoutMs: FORM_TIMEOUT_MS });
  body.release();
  const form = new URLSearchParams(new TextDecoder().decode(body.bytes));
  return (form.get("token") ?? "").trim();
}

/** Returns a redirect with GET to an address that is relative to the request. */
function redirect(location: string): Response {
  return new Response(null, {
    status: 303,
    headers: { location, "cache-control": "no-store" },
  });
}

/** The root of the server, relative to an address of it. */
function rootOf({ pathname }: URL): string {
  return "../".repeat(pathname.split("/").length - 2) || "./";
}
