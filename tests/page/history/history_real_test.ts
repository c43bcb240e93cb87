/// <reference lib="dom" />
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { BLANK, PageSession } from "../session.ts";

const VIEW = "layer=default&at=1,1&scale=40";

Deno.test({
  name: "the page shows what a server has recorded, and is live again",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      server: ["--history-resolution", "1s"],
      readings: { default: "0,0,1\n1,0,0\n" },
    });
    const { page, url } = session;
    const info = async () =>
      await (await fetch(`${url}/api/v1/history`)).json() as {
        oldest?: number;
        newest?: number;
      };
    // The readings were before this second.
    const first = Math.ceil(Date.now() / 1000) * 1000 + 1000;
    await until(async () => (await info()).oldest !== undefined);
    await until(() => Date.now() > first + 1000);
    await session.submit("default", "0,0,0\n1,0,1\n");
    await until(() => Date.now() > first + 4000);
    await page.goto("about:blank");
    await page.goto(`${url}/#${VIEW}`);
    await session.waitForColorChange(0, 0, BLANK);
    const [freeNow, occupiedNow] = [
      await session.colorOf(0, 0),
      await session.colorOf(1, 0),
    ];
    assert.notEqual(freeNow, occupiedNow);

    const time = new Date(first).toISOString().replace(".000", "");
    await page.goto("about:blank");
    await page.goto(`${url}/#${VIEW}&mode=history&time=${time}`);
    await session.waitForText(".past-cards", /Cells occupied 1/);
    await until(async () =>
      await session.colorOf(0, 0) === occupiedNow &&
      await session.colorOf(1, 0) === freeNow
    );
    await session.waitForText(".curve-head", /on this day most 1/);

    await page.getByRole("button", { name: "Back to live" }).click();
    await until(async () =>
      await session.colorOf(0, 0) === freeNow &&
      await session.colorOf(1, 0) === occupiedNow
    );
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "a server without a history says so in the page",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      server: ["--no-history"],
      readings: { default: "0,0,1\n" },
      address: "#layer=default&mode=history",
    });
    await session.waitForText("#mode-problem", /history.*--no-history/);
    await session.waitForText("#pill", /^Live/);
    await until(() => !session.page.url().includes("mode="));
  },
});
