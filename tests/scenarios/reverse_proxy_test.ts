/// <reference lib="dom" />
/**
 * The server behind nginx with the settings of docs/OPERATIONS.md: TLS, a port
 * other than 443, a path's prefix, and frames of another site.
 */
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { SMALL_PNG } from "../http/plans_fixture.ts";
import { launch } from "../page/session.ts";
import { needs } from "../support/needs.ts";
import { startNginx } from "../support/nginx.ts";
import { occupancy, ROOT, Running } from "../support/processes.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const SECRET = "0123456789abcdef-secret";
/** The site of the frame's page: not that of `localhost`. */
const OTHER_HOST = "127.0.0.1";

/** The documented settings, with other ports and certificates. */
function documented(
  values: {
    readonly port: number;
    readonly upstream: number;
    readonly cert: string;
    readonly key: string;
  },
): string {
  const text = Deno.readTextFileSync(`${ROOT}docs/OPERATIONS.md`);
  const block = /```nginx\n([^]*?)```/.exec(text)?.[1];
  assert.ok(block, "OPERATIONS.md has settings of nginx");
  const replacements = [
    ["listen 443 ssl", `listen 127.0.0.1:${values.port} ssl`],
    ["server_name map.example", "server_name localhost"],
    ["/etc/ssl/map.example.pem", values.cert],
    ["/etc/ssl/map.example.key", values.key],
    ["http://127.0.0.1:8080/", `http://127.0.0.1:${values.upstream}/`],
  ] as const;
  return replacements.reduce((config, [from, to]) => {
    assert.ok(config.includes(from), from);
    return config.replace(from, to);
  }, block);
}

interface Scenario extends AsyncDisposable {
  /** The address of the page behind the proxy. */
  readonly url: string;
  /** The pages of another site with the page in a frame. */
  readonly allowed: string;
  readonly refused: string;
  readonly browser: Browser;
  accessLog(): Promise<string>;
}

/** Starts server, nginx and browser. @param prefix of the path */
async function start(prefix: string): Promise<Scenario> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempDir());
  await folder.file("floor.png", SMALL_PNG);
  const [port, allowedPort, refusedPort] = [freePort(), freePort(), freePort()];
  const allowed = `https://${OTHER_HOST}:${allowedPort}`;
  const server = stack.use(occupancy([
    ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
    ...["--http-token-file", await folder.file("token", SECRET)],
    ...["--http-embed", allowed, "--map-file"],
    await folder.file(
      "maps.json",
      '{"layers":{"hall/l2":{"title":"Hall","image":"floor.png"}}}',
    ),
  ]));
  const [, upstream] = await server.waitFor(/http:\/\/127\.0\.0\.1:(\d+)/);
  await server.waitFor(/Ready/);
  const url = `https://localhost:${port}${prefix}`;
  const nginx = stack.use(
    await startNginx(({ cert, key }) => {
      const proxied = documented({
        port,
        upstream: Number(upstream),
        cert,
        key,
      });
      const framing = [allowedPort, refusedPort].map((port) =>
        `server {
          listen ${OTHER_HOST}:${port} ssl;
          ssl_certificate ${cert};
          ssl_certificate_key ${key};
          default_type text/html;
          location / {
            return 200 '<iframe src="${url}?kiosk=1" width="900" height="600"></iframe>';
          }
        }`
      );
      return [
        proxied.replace("location /map/", `location ${prefix}`),
        ...framing,
      ].join("\n");
    }),
  );
  const browser = await launch();
  stack.defer(() => browser.close());
  const parts = stack.move();
  return {
    url,
    allowed,
    refused: `https://${OTHER_HOST}:${refusedPort}`,
    browser,
    accessLog: () => nginx.accessLog(),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function newPage({ browser }: Scenario): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  return await context.newPage();
}

type Frame = Pick<Page, "getByLabel" | "getByRole" | "locator">;

async function logIn(frame: Frame): Promise<void> {
  await frame.getByLabel("Token").fill(SECRET);
  await frame.getByRole("button", { name: "Show the map" }).click();
  await frame.locator('#pill[data-state="live"]').waitFor();
}

for (const prefix of ["/", "/map/"]) {
  Deno.test({
    name:
      `behind nginx at https://HOST:PORT${prefix} all of the page and the API work`,
    ...needs("nginx", "openssl", "chromium", "curl"),
    fn: async () => {
      await using scenario = await start(prefix);
      const { url } = scenario;
      const page = await newPage(scenario);
      const problems: string[] = [];
      page.on("pageerror", (error) => void problems.push(String(error)));
      page.on("response", (response) => {
        const inside = response.url().startsWith(url);
        if (!inside || response.status() >= 400) {
          problems.push(`${response.status()} ${response.url()}`);
        }
      });

      const view = "?kiosk=1#layer=hall/l2&at=5,5&scale=40";
      await page.goto(url.replace(/\/$/, "") + "/" + view);
      assert.deepEqual(problems.splice(0), [`401 ${url}?kiosk=1`]);
      const plan = page.waitForResponse(/\/image$/);
      await logIn(page);
      assert.equal(page.url(), url + view);
      // Before the next page load, which asks with the ETag: 304.
      const image = await plan;
      assert.equal(image.url(), `${url}api/v1/plans/hall/l2/image`);
      assert.equal(image.status(), 200);
      const [cookie] = await page.context().cookies();
      assert.equal(cookie!.path, prefix.replace(/(.)\/$/, "$1"));
      assert.ok(cookie!.secure && cookie!.httpOnly);
      await page.goto(`${url}#layer=hall/l2`); // with its controls

      // From the page: POST, the live feed, one cell.
      const stored = await page.evaluate(async () => {
        const response = await fetch("api/v1/readings?layer=hall/l2", {
          method: "POST",
          body: "5,5,7",
        });
        return await response.json();
      });
      assert.equal(stored.accepted, 1, JSON.stringify(stored));
      const event = await page.evaluate(async () => {
        const source = new EventSource("api/v1/changes?layer=hall/l2");
        const { promise, resolve } = Promise.withResolvers<string>();
        source.addEventListener("changes", ({ data }) => resolve(data));
        const first = await promise;
        source.close();
        return first;
      });
      assert.match(event, /"cells":\[\[5,5,7,/);
      const details = page.waitForResponse(/\/api\/v1\/cell\?/);
      await page.keyboard.press("g");
      await page.keyboard.type("5,5");
      await page.keyboard.press("Enter");
      assert.equal((await details).status(), 200);
      const layers = await page.evaluate(async () => {
        const response = await fetch("openapi.json");
        const { servers, paths } = await response.json();
        const base = new URL(servers[0].url, response.url).href;
        const path = Object.keys(paths).find((one) => one.endsWith("/layers"))!;
        return (await fetch(base.replace(/\/$/, "") + path)).status;
      });
      assert.equal(layers, 200);
      assert.deepEqual(problems, []);

      const { origin } = new URL(url);
      await page.goto(origin + prefix.replace(/\/$/, ""));
      assert.equal(page.url().replace(/#.*/, ""), url);

      // Browsers that send no Sec-Fetch-Site.
      for (
        const [from, status] of [
          [origin, "200"],
          ["https://localhost", "403"], // another port
          ["https://evil.example", "403"],
        ] as const
      ) {
        await using curl = new Running("curl", [
          ...["-sk", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"],
          ...["-H", `Authorization: Bearer ${SECRET}`],
          ...["-H", `Origin: ${from}`, "--data-binary", "1,1,1"],
          `${url}api/v1/readings`,
        ]);
        assert.equal((await curl.ended()).stdout, `1.1 ${status}`, from);
      }

      const log = await until(async () => {
        const log = await scenario.accessLog();
        return log.includes("/api/v1/changes") && log;
      });
      assert.ok(!log.includes(SECRET), "the token is not in the log");
    },
  });
}

Deno.test({
  name:
    "behind nginx with --http-embed: a page of another site shows the dashboard in a frame, with its own login",
  ...needs("nginx", "openssl", "chromium"),
  fn: async () => {
    await using scenario = await start("/map/");
    const page = await newPage(scenario);
    await page.goto(scenario.allowed);
    const frame = page.frameLocator("iframe");
    await logIn(frame);
    const cookies = await page.context().cookies(scenario.url);
    assert.equal(cookies[0]!.sameSite, "None");
    await page.reload();
    await frame.locator('#pill[data-state="live"]').waitFor();

    const problems: string[] = [];
    page.on("console", (message) => void problems.push(message.text()));
    await page.goto(scenario.refused);
    await until(() => problems.some((text) => /frame-ancestors/.test(text)), {
      what: () => problems.join("\n"),
    });
    assert.equal(await frame.locator("#pill").count(), 0);
  },
});
