/// <reference lib="dom" />
/** A page of another site that loads the server with a user's browser. */
import assert from "node:assert/strict";
import { startServer } from "../http/support.ts";
import { launch } from "../page/session.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { limited } from "./http_client.ts";

/** What the page sends without a click of the user. */
const ATTACKS = 6;

/** A page that requests the map in every way that needs no permission. */
function hostilePage(url: string): string {
  const cells = `${url}/api/v1/cells`;
  return `<!doctype html><title>hostile</title>
<img src="${cells}?format=csv">
<script src="${cells}"></script>
<iframe src="${cells}"></iframe>
<form method="post" enctype="text/plain" target="hidden"
  action="${url}/api/v1/readings"><input name="1,1,7" value=""></form>
<iframe name="hidden"></iframe>
<script>
  document.forms[0].submit();
  fetch("${cells}", { mode: "no-cors" }).catch(() => {});
  fetch("${url}/metrics", { mode: "no-cors", credentials: "include" })
    .catch(() => {});
</script>
<a href="${url}/">dashboard</a>
<a href="${url}/api/v1/layers">layers</a>`;
}

Deno.test({
  name:
    "a page of another site can link to the map, but not send requests to it",
  ...needs("chromium"),
  fn: async () => {
    await using server = await startServer();
    await server.post("5,5,1");
    const hostile = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () =>
        new Response(hostilePage(server.url), {
          headers: { "content-type": "text/html" },
        }),
    );
    const browser = await launch();
    try {
      const page = await browser.newPage();
      // Another site than 127.0.0.1.
      const address = `http://localhost:${hostile.addr.port}/`;
      await page.goto(address);
      let refused = 0;
      await until(async () => {
        refused = await limited(server.url, "http-foreign-origin");
        return refused === ATTACKS;
      }, { what: () => `${refused} refused` });
      assert.equal(server.map.size, 1);
      assert.equal(await answered(server.url, "/api/v1/cells"), 0);

      // The user follows the links.
      await page.getByText("layers").click();
      await page.getByText('"name":"default"').waitFor();
      await page.goto(address);
      await page.getByText("dashboard").click();
      await page.locator("#pill-title", { hasText: "Live" }).waitFor();
    } finally {
      await browser.close();
      await hostile.shutdown();
    }
  },
});

/** Returns how many requests for a path the server has answered. */
async function answered(url: string, path: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const count = /^occupancy_http_request_duration_seconds_count\{(.*)\} (\d+)$/;
  return text.split("\n").map((line) => count.exec(line))
    .filter((line) => line?.[1]?.includes(`route="${path}"`))
    .reduce((sum, line) => sum + Number(line![2]), 0);
}
