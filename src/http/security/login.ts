/**
 * Login in a browser: shows a form for the token, and sets a cookie for a valid
 * token.
 *
 * @module
 */
import type { Token } from "./token.ts";

const HTML = { "content-type": "text/html; charset=utf-8" } as const;

/**
 * Answers `GET /?token=TOKEN`: sets the cookie and forwards to the page without
 * the token in its address.
 *
 * Forwards with a page, not with a redirect: after a link from another site a
 * browser would follow a redirect without the cookie (SameSite=Strict).
 *
 * @returns undefined for any other request; 401 if the token is wrong
 */
export function login(
  request: Request,
  url: URL,
  token: Token,
): Response | undefined {
  const given = url.searchParams.get("token");
  if (given === null || url.pathname !== "/" || request.method !== "GET") {
    return undefined;
  }
  if (!token.matches(given)) return tokenForm("This token is wrong.");
  const secure = request.headers.get("x-forwarded-proto") === "https";
  return new Response(
    page(
      '<meta http-equiv="refresh" content="0; url=/">',
      '<p><a href="/">Open the map</a></p>',
    ),
    {
      headers: {
        ...HTML,
        "cache-control": "no-store",
        "set-cookie": token.cookieHeader(secure),
      },
    },
  );
}

/** Returns true if a browser requests a page to show. */
export function isNavigation(request: Request): boolean {
  return request.method === "GET" &&
    (request.headers.get("accept") ?? "").includes("text/html");
}

/**
 * Returns a page with a form for the token, status 401.
 *
 * @param problem why an earlier token was refused, as a sentence
 */
export function tokenForm(problem = ""): Response {
  return new Response(
    page(
      "",
      `<h1>This map requires a token</h1>
<p>${problem} The token is in the file of the server's option --http-token-file.</p>
<form action="/" method="get">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Show the map</button>
</form>`,
    ),
    {
      status: 401,
      headers: {
        ...HTML,
        "cache-control": "no-store",
        "www-authenticate": 'Bearer realm="occupancy"',
      },
    },
  );
}

function page(head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>occupancy</title>
${head}
</head>
<body>
<main>${body}</main>
</body>
</html>
`;
}
