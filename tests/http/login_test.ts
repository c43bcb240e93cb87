/** Login in a browser: the page, its form and the cookie. */
import assert from "node:assert/strict";
import { Token } from "../../src/http/mod.ts";
import { LoginFailures } from "../../src/common/login_failures.ts";
import { needs } from "../support/needs.ts";
import { startServer, type TestServer } from "./support.ts";

const SECRET = "correct-horse-battery-staple";
const NAVIGATION = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

/** Requests a page as a browser does, without following redirects. */
function open(server: TestServer, path: string, headers: HeadersInit = {}) {
  return server.get(path, {
    redirect: "manual",
    headers: { ...NAVIGATION, ...headers },
  });
}

/** Sends the form of the login page. */
function submit(
  server: TestServer,
  path: string,
  token: string,
  headers: HeadersInit = {},
) {
  return server.get(path, {
    method: "POST",
    redirect: "manual",
    headers: { ...NAVIGATION, ...headers },
    body: new URLSearchParams({ token }),
  });
}

Deno.test({
  name: "login: a POST of the token sets a cookie, which opens the map",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ token: new Token(SECRET) });
    const page = await open(server, "/");
    assert.equal(page.status, 401);
    assert.equal(page.headers.get("cache-control"), "no-store");
    const html = await page.text();
    assert.match(html, /<form method="post" action="">/);
    assert.match(html, /name="token" type="password"/);
    assert.doesNotMatch(html, /%/, "all values are filled in");

    const welcome = await submit(server, "/", SECRET);
    assert.equal(welcome.status, 303);
    assert.equal(welcome.headers.get("location"), "./");
    const cookie = welcome.headers.get("set-cookie")!;
    assert.match(cookie, /; HttpOnly; SameSite=Lax$/);
    assert.ok(
      !cookie.includes(SECRET),
      "the cookie does not contain the token",
    );
    const layers = await server.get("/api/v1/layers", {
      headers: { cookie: `other=1; ${cookie.split(";")[0]}` },
    });
    assert.equal(layers.status, 200);
  },
});

Deno.test({
  name: "login: a wrong token shows the page again, with the reason",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      token: new Token(SECRET),
      wrongTokens: new LoginFailures({ firstDelayMs: 0 }),
    });
    for (const token of ["", `${SECRET}x`, SECRET.slice(1), "ü"]) {
      const wrong = await submit(server, "/", token);
      assert.equal(wrong.status, 401, token);
      assert.equal(wrong.headers.get("set-cookie"), null);
      assert.match(await wrong.text(), /This token is wrong\./);
    }
    // A copied token may have a line break.
    assert.equal((await submit(server, "/", `${SECRET}\n`)).status, 303);
  },
});

Deno.test({
  name: "login: the query is kept, and a redirect stays on this server",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ token: new Token(SECRET) });
    for (
      const [path, location] of [
        ["/?kiosk=1", "./?kiosk=1"],
        ["/?to=api/v1/cells%3Flayer%3Da%252Fb", "./api/v1/cells?layer=a%2Fb"],
        ["/?to=", "./"],
      ] as const
    ) {
      const { status, headers } = await submit(server, path, SECRET);
      assert.equal(status, 303, path);
      assert.equal(headers.get("location"), location);
    }
    for (
      const target of [
        ...["//evil.example/x", "https://evil.example/x", "\\\\evil.example"],
        ...[
          "/\\evil.example",
          "javascript:alert(1)",
          "../../x",
          "?",
          "http://[",
        ],
        ...["a\r\nX-Evil: 1", "\0", "%", "%2f%2fevil.example", "\ud800"],
      ]
    ) {
      const query = new URLSearchParams({ to: target });
      const { status, headers } = await submit(server, `/?${query}`, SECRET);
      assert.equal(status, 303, target);
      const base = "https://map.example/map/";
      const { href } = new URL(headers.get("location")!, base);
      assert.ok(href.startsWith(base), `${target}: ${href}`);
    }
  },
});

Deno.test({
  name: "login: every other page redirects to the login, and back after it",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ token: new Token(SECRET) });
    for (
      const [path, location] of [
        ["/metrics", "./?to=metrics"],
        [
          "/api/v1/cells?layer=a%2Fb",
          "../../?to=api%2Fv1%2Fcells%3Flayer%3Da%252Fb",
        ],
      ] as const
    ) {
      const asked = await open(server, path);
      assert.equal(asked.status, 303, path);
      assert.equal(asked.headers.get("location"), location);
      const login = new URL(location, server.url + path);
      assert.equal(login.pathname, "/");
      const back = await submit(server, login.pathname + login.search, SECRET);
      const target = new URL(back.headers.get("location")!, login);
      assert.equal(target.pathname + target.search, path);
    }
    // Programs receive 401.
    const program = await server.get("/metrics", { redirect: "manual" });
    assert.equal(program.status, 401);
  },
});

Deno.test({
  name: "login: a token in the address does not log in, and is not sent again",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ token: new Token(SECRET) });
    const page = await open(server, `/?token=${SECRET}&kiosk=1`);
    assert.equal(page.status, 401);
    assert.equal(page.headers.get("set-cookie"), null);
    const html = await page.text();
    assert.ok(!html.includes(SECRET));
    assert.match(html, /action="\.\/\?kiosk=1"/);
    assert.match(html, /The token in the address was ignored/);
    const sent = await submit(server, `/?token=${SECRET}&kiosk=1`, SECRET);
    assert.equal(sent.headers.get("location"), "./?kiosk=1");
    const api = await server.get(`/api/v1/layers?token=${SECRET}`);
    assert.equal(api.status, 401);
  },
});

Deno.test({
  name:
    "login: the cookie has Secure behind a proxy with TLS, and works in frames with --http-embed",
  ...needs(),
  fn: async () => {
    const token = new Token(SECRET);
    await using plain = await startServer({ token });
    await using embedded = await startServer({
      token,
      embedOrigins: ["https://home.example"],
    });
    for (
      const [server, proto, attributes] of [
        [plain, "https", /SameSite=Lax; Secure$/],
        [plain, "HTTPS, http", /SameSite=Lax; Secure$/],
        [plain, "http", /SameSite=Lax$/],
        [embedded, "https", /SameSite=None; Secure; Partitioned$/],
        [embedded, "http", /SameSite=Lax$/],
      ] as const
    ) {
      const { headers } = await submit(server, "/", SECRET, {
        "x-forwarded-proto": proto,
      });
      assert.match(headers.get("set-cookie")!, attributes);
    }
  },
});

Deno.test({
  name:
    "login: other bodies, large ones and pages of other origins are refused",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ token: new Token(SECRET) });
    const post = (body: BodyInit, headers: HeadersInit = {}) =>
      server.get("/", { method: "POST", body, headers });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    for (
      const [body, headers, status] of [
        [SECRET, {}, 415],
        [`{"token":"${SECRET}"}`, { "content-type": "application/json" }, 415],
        ["1,2,3", { "content-type": "text/csv" }, 415],
        [`token=${"x".repeat(5000)}`, form, 413],
        [`token=${SECRET}`, { ...form, "content-encoding": "gzip" }, 415],
        [`token=${SECRET}`, { ...form, origin: "https://evil.example" }, 403],
        [`token=${SECRET}`, { ...form, "sec-fetch-site": "cross-site" }, 403],
      ] as const
    ) {
      const answer = await post(body, headers);
      assert.equal(answer.status, status, await answer.text());
    }
    // Without a length, so without a limit known in advance.
    const stream = new Blob([`token=${SECRET}`]).stream();
    assert.equal((await post(stream, form)).status, 413);
  },
});

Deno.test({
  name: "login: without a token there is nothing to log in to",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const { status, headers } = await submit(server, "/?kiosk=1", "x");
    assert.equal(status, 303);
    assert.equal(headers.get("location"), "./?kiosk=1");
    assert.equal(headers.get("set-cookie"), null);
    assert.equal((await open(server, "/")).status, 200);
  },
});
