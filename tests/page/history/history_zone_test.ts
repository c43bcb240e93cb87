/** A zone in the address, with a mode: the map shows it whole. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import type { PageSession } from "../session.ts";
import { openWithZones } from "../zones/zones_session.ts";
import { FakeHistory } from "./fake_history.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.now();
const TIME = Math.floor(NOW / HOUR_MS) * HOUR_MS - 5 * HOUR_MS;
/** Tall: a map that has become lower shows a part only. */
const ROOM = { title: "Room", box: [10, 20, 14, 60] } as const;
const READINGS = Array.from(
  { length: 100 },
  (_, index) => `${index},${index},0\n`,
).join("");

/** Opens the page at a zone. */
async function open(animated: boolean): Promise<PageSession> {
  const session = await openWithZones([{ name: "room", ...ROOM }], {
    readings: { default: READINGS },
    browser: {
      reducedMotion: animated ? "no-preference" : "reduce",
      viewport: { width: 1280, height: 720 },
    },
  });
  const fake = new FakeHistory({
    cells: [[0, 0, 1], [99, 99, 1], [12, 40, 1]],
    oldest: TIME - 48 * HOUR_MS,
    now: NOW,
    zones: { room: ROOM },
  });
  await fake.install(session.page);
  const time = new Date(TIME).toISOString().replace(".000", "");
  await session.page.goto("about:blank");
  await session.page.goto(
    `${session.url}/?zone=room#mode=history&time=${time}`,
  );
  return session;
}

/** Whether the map has come to rest with the whole zone on it, zoomed in. */
async function showsZone(session: PageSession): Promise<boolean> {
  const { scale } = await session.camera();
  const box = (await session.page.locator("#map").boundingBox())!;
  const [x0, y0, x1, y1] = ROOM.box;
  const from = await session.positionOf(x0, y0);
  const to = await session.positionOf(x1 - 1, y1 - 1);
  const half = scale / 2;
  return from.left - half >= box.x && from.top - half >= box.y &&
    to.left + half <= box.x + box.width &&
    to.top + half <= box.y + box.height &&
    (y1 - y0) * scale > 0.4 * box.height;
}

for (const animated of [true, false]) {
  Deno.test({
    name: `a zone in the address is shown whole in the history${
      animated ? ", after an animation" : ""
    }`,
    ...needs("chromium"),
    fn: async () => {
      await using session = await open(animated);
      await session.waitForText(".past-pill", /Viewing/);
      await session.waitForText("#zones", /Room/);
      await until(() => showsZone(session), {
        what: "the whole zone on the map",
      });
      // The chart of the zone and the curve of the day take their space.
      await session.page.locator(".zone-chart canvas").first().waitFor();
      await session.page.locator(".timeline canvas").waitFor();
      await until(() => showsZone(session), { what: "the zone at the end" });
      await session.page.setViewportSize({ width: 1280, height: 640 });
      await until(() => showsZone(session), { what: "the zone, resized" });
      assert.deepEqual(session.errors, []);
    },
  });
}
