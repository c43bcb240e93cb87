/// <reference lib="dom" />
/** Login in a browser, and what the page does when it has to be reloaded. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { PageSession } from "./session.ts";

const OLD = "0123456789abcdef-old";
const NEW = "0123456789abcdef-new";
const VIEW = "?kiosk=1#layer=default&at=5,5&scale=40";

async function logIn(session: PageSession, token: string): Promise<void> {
  await session.page.getByLabel("Token").fill(token);
  await session.page.getByRole("button", { name: "Show the map" }).click();
}

Deno.test({
  name:
    "login keeps ?kiosk=1 and the view, and the token is in no address; a new token asks again",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file("token", OLD);
    await using session = await PageSession.open({
      server: ["--http-token-file", file],
      address: VIEW,
    });
    const { page } = session;
    // The login page looks like the dashboard.
    const background = () =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await background(), "rgb(243, 245, 249)");
    assert.equal(
      await page.evaluate(() => document.activeElement?.id),
      "token",
    );
    await logIn(session, "wrong");
    await session.waitForText("#problem", /This token is wrong/);
    await logIn(session, OLD);
    await session.waitForText("#pill", /^Live/);
    assert.equal(await background(), "rgb(243, 245, 249)");
    assert.equal(page.url(), `${session.url}/${VIEW}`);
    assert.ok(await page.evaluate(() => document.body.matches(".kiosk")));

    await folder.file("token", NEW);
    session.signal("SIGHUP");
    await page.getByLabel("Token").waitFor();
    await logIn(session, NEW);
    await session.waitForText("#pill", /^Live/);
    assert.equal(page.url(), `${session.url}/${VIEW}`);
    const sent = session.requests.join("\n");
    assert.ok(!sent.includes(OLD) && !sent.includes(NEW), sent);
  },
});

Deno.test({
  name: "two servers of one host: the login of one does not log the other out",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await using one = await PageSession.open({
      server: ["--http-token-file", await folder.file("one", OLD)],
    });
    await using two = await PageSession.open({
      server: ["--http-token-file", await folder.file("two", NEW)],
    });
    await logIn(one, OLD);
    await one.waitForText("#pill", /^Live/);
    await one.page.goto(two.url);
    await logIn(one, NEW);
    await one.waitForText("#pill", /^Live/);
    await one.page.goto(one.url);
    await one.waitForText("#pill", /^Live/);
  },
});

Deno.test({
  name: "a page of another version reloads itself once, then says to reload it",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({ address: VIEW });
    const { page } = session;
    await session.waitForText("#pill", /^Live/);
    let connections = 0;
    await page.routeWebSocket(/\/live$/, (route) => {
      connections++;
      const server = route.connectToServer();
      server.onMessage((message) => {
        route.send(
          typeof message === "string"
            ? message.replace(/("type":"hello".*"protocol":)\d+/, "$199")
            : message,
        );
      });
    });
    let loads = 0;
    page.on("load", () => void loads++);
    await page.reload();
    await session.waitForText("#pill", /^Not connected/);
    await session.waitForText("#notice", /another one\. Reload the page/);
    await until(() => connections >= 3, { deadline: 30_000 });
    assert.equal(loads, 2, "the test's reload, and one of the page");
    assert.equal(page.url(), `${session.url}/${VIEW}`);
  },
});
