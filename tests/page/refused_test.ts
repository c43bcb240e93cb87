import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { PageSession } from "./session.ts";

Deno.test({
  name: "the page does not connect for ever when its script is refused",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({});
    const { page } = session;
    await page.route(/app-.*\.js$/, (route) => route.abort());
    await page.reload();
    await session.waitForText("#pill", /Not started$/);
    await session.waitForText("#boot-notice", /app\.js, was refused/);
    assert.ok(await page.locator("#boot-notice").isVisible());
  },
});

Deno.test({
  name: "the page says why its script failed",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({});
    const { page } = session;
    await page.addInitScript(() => {
      Object.defineProperty(globalThis, "WebSocket", { value: undefined });
    });
    await page.reload();
    await session.waitForText("#notice", /failed: .*WebSocket/);
    await session.waitForText("#pill", /^Not started$/);
    assert.ok(await page.locator("#boot-notice").isHidden());
  },
});

Deno.test({
  name: "the page says what was refused when its WebSocket is",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({});
    const { page } = session;
    let refusal: (() => Response) | undefined = undefined;
    // As a proxy that does not pass WebSockets on.
    await using proxy = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const { pathname, search } = new URL(request.url);
        if (pathname === "/live" && refusal) return refusal();
        const answer = await fetch(session.url + pathname + search);
        return new Response(answer.body, {
          status: answer.status,
          headers: { "content-type": answer.headers.get("content-type") ?? "" },
        });
      },
    );
    await page.goto(`http://127.0.0.1:${proxy.addr.port}/`);
    await session.waitForText("#pill", /^Not connected · retrying$/);
    await session.waitForText("#notice", /A proxy .* must pass WebSockets on/);
    refusal = () =>
      Response.json({ detail: "No seats are left", hint: "Come back later." }, {
        status: 403,
      });
    await session.waitForText(
      "#notice",
      /cannot open its live connection\. \/live was refused with status 403: No seats are left\. Come back later\.$/,
    );
    assert.match(await page.title(), /^⚠ Not connected · /);
    refusal = () =>
      Response.json({ detail: "No token.", hint: "Send a header." }, {
        status: 401,
      });
    await session.waitForText(
      "#notice",
      /refused with status 401: No token\. Reload the page to log in again\.$/,
    );
  },
});
