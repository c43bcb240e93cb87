/// <reference lib="dom" />
/**
 * `deno run -A bench/page_replay.ts --store PATH --time TIME`: replays a history
 * in the page of a real server, in Chromium, at 60 times real time, and prints
 * how many times a second the page shows. First make the history:
 * `deno run -A bench/history_month.ts --scene campus --days 2 --store PATH`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { delay } from "../src/common/async.ts";
import { launch } from "../tests/page/session.ts";
import { occupancy } from "../tests/support/processes.ts";

/** How long the replay is measured, ms. */
const MEASURE_MS = 20_000;

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    /** RFC 3339: where the replay begins, a working hour. */
    time: { type: "string" },
    /** A folder for pictures of the page. */
    pictures: { type: "string" },
  },
});
if (values.store === undefined || values.time === undefined) {
  throw new Error(
    "Pass --store PATH and --time TIME, such as 2026-11-24T09:00Z",
  );
}

await using server = occupancy([
  ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
  ...["--store", `sqlite:${values.store}`, "--timezone", "UTC"],
]);
const [url] = await server.waitFor(/http:\/\/127\.0\.0\.1:\d+/);
await server.waitFor(/Ready/);
const browser = await launch();
try {
  const page = await browser.newPage({
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
  });
  await page.goto(`${url}/#layer=default&mode=history&time=${values.time}`);
  await page.locator(".past-cards").waitFor();
  await delay(2000); // the hours beside it are loaded
  await page.locator(".play").click();
  const figures = await page.evaluate(async (ms) => {
    const when = document.querySelector(".past-pill strong")!;
    const time = () => Date.parse(`${when.textContent} UTC`);
    let shown = 0;
    new MutationObserver(() => shown++).observe(when, {
      childList: true,
      characterData: true,
      subtree: true,
    });
    const [start, first] = [performance.now(), time()];
    await new Promise((resolve) => setTimeout(resolve, ms));
    const seconds = (performance.now() - start) / 1000;
    return {
      timesShownPerSecond: shown / seconds,
      timesRealTime: (time() - first) / 1000 / seconds,
    };
  }, MEASURE_MS);
  console.log(JSON.stringify(figures));
  if (values.pictures !== undefined) {
    await page.screenshot({ path: `${values.pictures}/history.png` });
    await page.goto("about:blank");
    await page.goto(`${url}/#layer=default&mode=utilisation&days=1-7`);
    await page.locator(".usage-list tbody tr").first().waitFor();
    await delay(1500);
    await page.screenshot({ path: `${values.pictures}/utilisation.png` });
  }
} finally {
  await browser.close();
}
