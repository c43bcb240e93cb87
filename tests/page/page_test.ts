import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { dashboardResponse, loginHtml } from "../../src/http/dashboard/mod.ts";
import { needs } from "../support/needs.ts";
import { BLANK, PageSession } from "./session.ts";

const options = { permissions: "none" } as const;
const MAX_BYTES = 150 * 1024;

function get(path: string, headers: Record<string, string> = {}) {
  return dashboardResponse(new Request(`http://localhost${path}`, { headers }));
}

async function assets(): Promise<string[]> {
  const html = await get("/")!.text();
  // Relative addresses: a proxy may add a prefix.
  const named = [...html.matchAll(/"(assets\/[^"]+)"/g)];
  return [...new Set(named.map(([, path]) => `/${path}`))];
}

Deno.test(
  "dashboardResponse() serves the files of the page, and no others",
  options,
  async () => {
    const named = await assets();
    assert.deepEqual(
      named.map((path) => path.replace(/-[0-9a-f]{12}/, "")).sort(),
      [
        "/assets/app.css",
        "/assets/app.js",
        "/assets/icon.svg",
        "/assets/shared.js",
      ],
    );
    for (const path of named) assert.equal(get(path)?.status, 200, path);
    for (
      const path of [
        "/index.html",
        "/assets/",
        "/assets/app.js",
        "/assets/../mod.ts",
        "/assets/%2e%2e/mod.ts",
        "/constructor",
      ]
    ) assert.equal(get(path), undefined, path);
  },
);

Deno.test(
  "the scripts name the scripts that they import as they are served",
  options,
  async () => {
    const named = (text: string) =>
      [...text.matchAll(/"\.\/([a-z]+-[0-9a-f]{12}\.js)"/g)]
        .map(([, name]) => `/assets/${name}`);
    const path = (await assets()).find((one) => /\/app-.*js$/.test(one))!;
    const imports = named(await get(path)!.text());
    const later = imports.find((one) => one.includes("/later-"))!;
    const shared = imports.find((one) => one.includes("/shared-"))!;
    assert.ok((await assets()).includes(shared), "it is loaded ahead");
    const laterText = await get(later)!.text();
    assert.deepEqual(named(laterText), [shared]);
    const styles = /"\.\/(later-[0-9a-f]{12}\.css)"/.exec(laterText)![1]!;
    assert.equal(get(`/assets/${styles}`)?.status, 200);
    assert.equal(get(shared)?.status, 200);
  },
);

Deno.test(
  "dashboardResponse() sets no-cache for the page and immutable for files with a hash",
  options,
  async () => {
    const start = get("/")!;
    assert.equal(start.headers.get("cache-control"), "no-cache");
    const etag = start.headers.get("etag")!;
    for (const list of [etag, `"other", W/${etag}`, "*"]) {
      const again = get("/", { "if-none-match": list })!;
      assert.equal(again.status, 304);
      assert.equal(await again.text(), "");
    }
    assert.equal(get("/", { "if-none-match": '"other"' })!.status, 200);
    for (const path of await assets()) {
      assert.match(get(path)!.headers.get("cache-control")!, /immutable/);
    }
  },
);

Deno.test(
  "dashboardResponse() compresses if the client accepts gzip",
  options,
  async () => {
    const [path] = await assets();
    const plain = get(path!)!;
    assert.equal(plain.headers.get("content-encoding"), null);
    const text = await plain.text();
    for (const accepted of ["gzip", "br, gzip;q=0.5", "*"]) {
      const zipped = get(path!, { "accept-encoding": accepted })!;
      assert.equal(zipped.headers.get("content-encoding"), "gzip");
      const bytes = new Uint8Array(await zipped.arrayBuffer());
      assert.equal(String(bytes.length), zipped.headers.get("content-length"));
      assert.equal(new TextDecoder().decode(gunzipSync(bytes)), text);
    }
    for (const accepted of ["", "br", "gzip;q=0"]) {
      const sent = get(path!, { "accept-encoding": accepted })!;
      assert.equal(sent.headers.get("content-encoding"), null, accepted);
    }
  },
);

Deno.test(
  "dashboardResponse() answers HEAD like GET, without a body",
  options,
  async () => {
    const asked = new Request("http://localhost/", { method: "HEAD" });
    const response = dashboardResponse(asked)!;
    assert.equal(await response.text(), "");
    assert.equal(
      response.headers.get("content-length"),
      get("/")!.headers.get("content-length"),
    );
  },
);

Deno.test("loginHtml() escapes its values", options, () => {
  const html = loginHtml({ action: `./?a="&$'`, problem: "<b>$&</b>" });
  assert.match(html, /action="\.\/\?a=&#34;&#38;\$&#39;"/);
  assert.match(html, />&#60;b&#62;\$&#38;&#60;\/b&#62;</);
});

Deno.test("the compressed page is at most 150 KB", options, async () => {
  let bytes = 0;
  for (const path of ["/", ...await assets()]) {
    const sent = get(path, { "accept-encoding": "gzip" })!;
    bytes += (await sent.arrayBuffer()).byteLength;
  }
  assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`);
});

Deno.test(
  "the markup has no inline script or style, and no absolute address",
  options,
  async () => {
    const login = loginHtml({ action: "", problem: "" });
    for (const html of [await get("/")!.text(), login]) {
      assert.doesNotMatch(
        html,
        /\son\w+=|\sstyle=|<style|javascript:|https?:\/\//i,
      );
      assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/i);
      assert.doesNotMatch(html, /(?:href|src|action)="\//i);
    }
  },
);

Deno.test({
  name:
    "the page requests nothing from other servers, and complies with its policy",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { default: "5,5,2\n" },
      address: "#layer=default&at=5,5&scale=40",
    });
    const start = await fetch(session.url);
    await start.body?.cancel();
    const policy = start.headers.get("content-security-policy")!;
    assert.doesNotMatch(policy, /unsafe|http/);
    assert.match(policy, /default-src 'none'/);
    await session.waitForColorChange(5, 5, BLANK);
    await session.page.keyboard.press("?");
    await session.page.keyboard.press("Escape");
    await session.waitForText("#chart-legend", /people \d/);
    assert.ok(session.requests.length >= 4);
    assert.deepEqual(
      session.requests.filter((url) => new URL(url).origin !== session.url),
      [],
    );
    assert.deepEqual(session.errors, []);
  },
});
