import type { Token } from "./token.ts";

const HTML = { "content-type": "text/html; charset=utf-8" } as const;

/**
 * A browser opens the page with `?token=` once: it gets the cookie, and is sent
 * on to the page without the token.
 *
 * By a page of ours, not by a redirect: after a link from elsewhere a browser
 * would follow the redirect without the cookie (SameSite=Strict).
 *
 * @returns undefined if it is not such a request; 401 if the token is wrong
 */
export function login(
  request: Request,
  url: URL,
  token: Token,
): Response | undefined {
  const shown = url.searchParams.get("token");
  if (shown === null || url.pathname !== "/" || request.method !== "GET") {
    return undefined;
  }
  if (!token.matches(shown)) return askForToken("That is not the token.");
  const secure = request.headers.get("x-forwarded-proto") === "https";
  return new Response(
    page(
      '<meta http-equiv="refresh" content="0; url=/">',
      '<p><a href="/">Go on to the map</a></p>',
    ),
    {
      headers: {
        ...HTML,
        "cache-control": "no-store",
        "set-cookie": token.cookie(secure),
      },
    },
  );
}

/** True if it is a person with a browser who asks, not a program. */
export function isNavigation(request: Request): boolean {
  return request.method === "GET" &&
    (request.headers.get("accept") ?? "").includes("text/html");
}

/** Asks a person for the token, with 401. */
export function askForToken(problem = ""): Response {
  return new Response(
    page(
      "",
      `<h1>This map asks for a token</h1>
<p>${problem} It is in the file that the server was started with (--http-token-file).</p>
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
