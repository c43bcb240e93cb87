/** Which requests a real server allows, and its security headers. */
import assert from "node:assert/strict";
import { type Plan, Token } from "../../src/http/mod.ts";
import { LoginFailures } from "../../src/common/login_failures.ts";
import { needs } from "../support/needs.ts";
import { rawRequest } from "./raw_http.ts";
import { startServer } from "./support.ts";

const SECRET = "correct-horse-battery-staple";

Deno.test({
  name: "without a token only host names of this machine are allowed",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const { port } = new URL(server.url);
    for (
      const [host, status] of [
        [`127.0.0.1:${port}`, 200],
        [`localhost:${port}`, 200],
        ["localhost", 200],
        ["map.localhost", 200],
        [`[::1]:${port}`, 200],
        ["evil.example", 421],
        [`evil.example:${port}`, 421],
        ["127.0.0.1.evil.example", 421],
        ["localhost.evil.example", 421],
        ["evil-localhost", 421],
        ["192.168.1.5", 421],
      ] as const
    ) {
      const answer = await rawRequest(server.url, [
        "GET /api/v1/layers HTTP/1.1",
        `Host: ${host}`,
      ]);
      assert.equal(answer.status, status, host);
    }
  },
});

Deno.test({
  name: "a page of another origin can neither send readings nor open the feed",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const { host } = new URL(server.url);
    const post = (headers: string[]) =>
      rawRequest(server.url, [
        "POST /api/v1/readings HTTP/1.1",
        `Host: ${host}`,
        "Content-Type: text/plain",
        "Content-Length: 5",
        ...headers,
      ], "1,1,1");
    for (
      const [headers, status] of [
        [[], 200],
        [[`Origin: http://${host}`], 200],
        [[`Origin: http://${host}`, "Sec-Fetch-Site: same-origin"], 200],
        [["Origin: https://map.example", "X-Forwarded-Host: map.example"], 200],
        // Behind a proxy on a port other than 443.
        [[
          "Origin: https://map.example:8443",
          "X-Forwarded-Host: map.example:8443",
        ], 200],
        [[
          "Origin: https://map.example:8443",
          "X-Forwarded-Host: map.example",
        ], 403],
        // Proxies that add the usual port, and a chain of proxies.
        [[
          "Origin: https://map.example",
          "X-Forwarded-Host: map.example:443, inner",
        ], 200],
        [["Origin: https://map.example", "X-Forwarded-Host: [::1"], 403],
        [["Origin: http://evil.example"], 403],
        [["Origin: http://localhost:1"], 403],
        [["Origin: null"], 403],
        [["Sec-Fetch-Site: cross-site"], 403],
        [["Sec-Fetch-Site: same-site"], 403],
        [[`Origin: http://${host}`, "Sec-Fetch-Site: cross-site"], 403],
      ] as const
    ) {
      assert.equal((await post([...headers])).status, status, String(headers));
    }
    const live = await rawRequest(server.url, [
      "GET /live HTTP/1.1",
      `Host: ${host}`,
      "Origin: http://evil.example",
      "Upgrade: websocket",
    ]);
    assert.equal(live.status, 403);
    assert.match(live.body, /foreign-origin/);
  },
});

Deno.test({
  name:
    "a page of another site can only link to the map, unless it has the token",
  ...needs(),
  fn: async () => {
    await using open = await startServer();
    await using closed = await startServer({ token: new Token(SECRET) });
    const status = async (
      { url }: { url: string },
      path: string,
      headers: string,
    ) => {
      const lines = headers === "" ? [] : headers.split(", ");
      const { host } = new URL(url);
      const first = `GET ${path} HTTP/1.1`;
      return (await rawRequest(url, [first, `Host: ${host}`, ...lines])).status;
    };
    const site = "Sec-Fetch-Site: cross-site";
    const link = `${site}, Sec-Fetch-Mode: navigate, Sec-Fetch-Dest: document`;
    const frame = `${site}, Sec-Fetch-Mode: navigate, Sec-Fetch-Dest: iframe`;
    const image = `${site}, Sec-Fetch-Mode: no-cors, Sec-Fetch-Dest: image`;
    for (
      const [path, headers, expected] of [
        ["/api/v1/cells", "", 200], // programs
        ["/api/v1/cells", "Sec-Fetch-Site: none", 200],
        ["/api/v1/cells", "Sec-Fetch-Site: same-origin", 200],
        ["/api/v1/cells", "Sec-Fetch-Site: same-site", 200],
        ["/api/v1/cells", image, 403],
        ["/api/v1/cells", frame, 403],
        ["/api/v1/cells", link, 403], // by a script
        ["/api/v1/cells", `${link}, Sec-Fetch-User: ?1`, 200],
        ["/", link, 200], // for example after a login elsewhere
        ["/", frame, 200], // --http-embed decides whether it is shown
        ["/", image, 403],
        ["/metrics", image, 403],
        ["/healthz", image, 200],
      ] as const
    ) {
      assert.equal(await status(open, path, headers), expected, headers);
    }
    const bearer = `Authorization: Bearer ${SECRET}`;
    const cookie = new Token(SECRET).cookieHeader({
      secure: true,
      embedded: true,
    }).split(";")[0];
    for (
      const [headers, expected] of [
        [`${site}, ${bearer}`, 200], // for example over a proxy with CORS
        [`${site}, Authorization: Bearer wrong`, 403],
        [`${site}, Cookie: ${cookie}`, 403],
        [site, 403],
      ] as const
    ) {
      assert.equal(await status(closed, "/api/v1/cells", headers), expected);
    }
  },
});

Deno.test({
  name:
    "with a token every route requires it, except /healthz, the login and the files of the page",
  ...needs(),
  fn: async () => {
    const token = new Token(SECRET);
    await using server = await startServer({
      token,
      wrongTokens: new LoginFailures({ firstDelayMs: 0 }),
    });
    const [cookie = ""] = token
      .cookieHeader({ secure: false, embedded: false }).split(";");
    const document = await server.json("/openapi.json", {
      headers: { authorization: `Bearer ${SECRET}` },
    });
    const paths = Object.keys(document.paths);
    assert.ok(paths.length > 10);
    const open = ["GET /healthz", "POST /", "GET /assets/{file}"];
    const routes = paths.flatMap((path) =>
      Object.keys(document.paths[path]).map((method) =>
        `${method.toUpperCase()} ${path}`
      )
    );
    for (const route of [...routes, "GET /nothing", "POST /nothing"]) {
      if (open.includes(route)) continue;
      const [method = "", path = ""] = route.split(" ");
      for (
        const headers of [
          {},
          { authorization: `Bearer ${SECRET}x` },
          { authorization: `Basic ${btoa(`x:${SECRET}`)}` },
          { cookie: `occupancy_session=${SECRET}` },
          { cookie: cookie.replace(/.$/, "x") },
        ]
      ) {
        const response = await server.get(path, { method, headers });
        assert.equal(response.status, 401, route);
      }
    }
    assert.equal((await server.get("/healthz")).status, 200);
    // A file of the page has no secret.
    assert.equal((await server.get("/assets/none.js")).status, 404);
    const answer = await server.get("/api/v1/layers");
    assert.match(answer.headers.get("www-authenticate")!, /^Bearer /);
    assert.equal((await answer.json()).code, "no-token");
    const good = await server.get("/api/v1/layers", {
      headers: { authorization: `Bearer ${SECRET}` },
    });
    assert.equal(good.status, 200);
  },
});

Deno.test({
  name: "every response has the security headers",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (const path of ["/api/v1/cells", "/nothing", "/healthz", "/metrics"]) {
      const { headers } = await server.get(path);
      const policy = headers.get("content-security-policy")!;
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.ok(!/https?:|\*|unsafe/.test(policy), policy);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("referrer-policy"), "no-referrer");
      assert.equal(headers.get("access-control-allow-origin"), null);
    }
  },
});

Deno.test({
  name: "paths with .. return no file",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (
      const path of [
        "/assets/../deno.json",
        "/assets/%2e%2e/deno.json",
        "/assets/..%2fdeno.json",
        "/../../etc/passwd",
        "/api/v1/plans/..%2f..%2fetc%2fpasswd/image",
        "/api/v1/plans/%00/image",
        "/api/v1/plans/%ff/image",
        "//etc/passwd",
      ]
    ) {
      const answer = await rawRequest(server.url, [
        `GET ${path} HTTP/1.1`,
        "Host: localhost",
      ]);
      assert.equal(answer.status, 404, path);
      assert.match(answer.body, /"code":"(?:not-found|no-plan)"/, path);
    }
  },
});

Deno.test({
  name:
    "--http-embed: only pages of these origins may show the page in a frame",
  ...needs(),
  fn: async () => {
    const embedOrigins = ["https://home.example:8123", "http://panel.example"];
    await using server = await startServer({ embedOrigins });
    const { headers } = await server.get("/");
    assert.match(
      headers.get("content-security-policy")!,
      /; frame-ancestors https:\/\/home\.example:8123 http:\/\/panel\.example$/,
    );
    // It cannot name origins, and some browsers use it beside the policy.
    assert.equal(headers.get("x-frame-options"), null);
    // Their pages still may not send requests.
    const foreign = await server.post("1,1,1", "", {
      headers: { origin: "https://home.example:8123" },
    });
    assert.equal(foreign.status, 403);
  },
});

class BrokenPlans extends Map<string, Plan> {
  override values(): never {
    throw new Error("a secret detail");
  }
}

Deno.test({
  name: "an internal error is in the log, not in the response",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ plans: new BrokenPlans() });
    const response = await server.get("/api/v1/plans");
    assert.equal(response.status, 500);
    assert.ok(!(await response.text()).includes("secret"));
    assert.match(server.log.join("\n"), /a secret detail/);
  },
});

Deno.test({
  name: "invalid HTTP does not stop the server",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (const line of ["\0\0\0", "GET", "GET / HTTP/9.9", "BREW / HTTP/1.1"]) {
      await rawRequest(server.url, [line, "Host: localhost"]).catch(() => {});
    }
    assert.equal((await server.get("/healthz")).status, 200);
  },
});
