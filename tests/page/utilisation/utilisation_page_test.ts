/// <reference lib="dom" />
/** The utilisation mode in a browser, with a history that the test makes up. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import {
  addDays,
  dateOf,
} from "../../../src/page/utilisation/usage_requests.ts";
import { violations } from "../axe.ts";
import { PageSession, type PageSessionOptions } from "../session.ts";
import { putZones, type TestZone } from "../zones/zones_session.ts";
import {
  type FakeCell,
  type FakeHistory,
  routeHistory,
} from "./fake_history.ts";

const NOW = Date.now();
/** The first of the last 7 days. */
const WEEK_START = addDays(dateOf(NOW, "UTC"), -6);
const ADDRESS = "#layer=hall&mode=utilisation";
const HOSTILE = '<img src=x onerror="document.title=1">';

/** 6 × 4 cells: x says how much, the last column is known too little. */
const CELLS: readonly FakeCell[] = Array.from({ length: 24 }, (_, i) => {
  const [x, y] = [i % 6, Math.floor(i / 6)];
  return { x, y, share: x / 5, known: x === 5 ? 0.3 : 1, unknownDays: y };
});

const ZONES: readonly TestZone[] = [
  { name: "west", title: HOSTILE, layer: "hall", box: [0, 0, 3, 4] },
  { name: "=east", title: "=East", layer: "hall", box: [3, 0, 5, 4] },
  { name: "store", title: "Store", layer: "hall", box: [5, 0, 6, 4] },
];

interface Opened extends AsyncDisposable {
  readonly session: PageSession;
  readonly questions: URLSearchParams[];
  /** The question for the whole layer that was asked last. */
  readonly last: () => URLSearchParams;
}

/** Opens the mode. */
async function open(
  options: PageSessionOptions & { readonly history?: Partial<FakeHistory> } =
    {},
): Promise<Opened> {
  const { history, address = ADDRESS, ...others } = options;
  const session = await PageSession.open({
    readings: { hall: CELLS.map(({ x, y }) => `${x},${y},0\n`).join("") },
    ...others,
    address: "",
  });
  const questions: URLSearchParams[] = [];
  try {
    await putZones(session.url, ZONES);
    await routeHistory(
      session.page,
      // Not spread: its members can change.
      Object.assign(Object.create(history ?? null), {
        now: NOW,
        onQuestion: (query: URLSearchParams) => questions.push(query),
        ...(history && "cells" in history ? {} : { cells: CELLS }),
      }),
    );
    session.errors.length = 0;
    await session.page.goto(`${session.url}/${address}`);
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
  return {
    session,
    questions,
    last: () => questions.findLast((query) => !query.has("region"))!,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** The texts of a column of the list. */
async function column(session: PageSession, selector: string) {
  return await session.page.locator(`.usage-list tbody ${selector}`)
    .allInnerTexts().then((texts) => texts.map((one) => one.trim()));
}

Deno.test({
  name: "the mode shows shares of known time, and hatches what is unknown",
  ...needs("chromium"),
  fn: async () => {
    await using opened = await open();
    const { session, last } = opened;
    const { page } = session;
    await session.waitForText(
      ".usage-pill",
      /2\d working days, \d+% known$/,
    );
    assert.equal(last().get("days"), "1-5");
    assert.equal(last().get("hours"), "8-18");
    assert.equal(last().get("layer"), "hall");
    await session.waitForText(".usage-head", /counts neither way/);
    await session.waitForText(
      ".usage-legend",
      /Share of known time occupied.*0% 25% 50% 75% 100%.*known less than 50%/,
    );
    // The colours go from that of free cells to that of the fullest ones.
    const colors = await page.evaluate(() =>
      [...document.querySelectorAll(".usage-list tbody tr")].length
    );
    assert.equal(colors, 24);
    const color = async (x: number, y: number) => {
      const { left, top } = await session.positionOf(x, y);
      return await page.evaluate(([left, top]) => {
        const canvas = document.querySelector<HTMLCanvasElement>(
          "canvas.heat",
        )!;
        const box = canvas.getBoundingClientRect();
        const ratio = canvas.width / box.width;
        return canvas.getContext("2d")!.getImageData(
          Math.floor((left! - box.left) * ratio),
          Math.floor((top! - box.top) * ratio),
          1,
          1,
        ).data.join();
      }, [left, top]);
    };
    assert.equal(await color(0, 0), "214,228,242,255", "0%: as free cells");
    assert.equal(await color(0, 0), await color(0, 3));
    const columns = await Promise.all([0, 1, 2, 3, 4].map((x) => color(x, 0)));
    assert.equal(new Set(columns).size, 5);
    // In zones too, with their shares.
    await page.getByRole("group", { name: "What the map shows" })
      .getByRole("button", { name: "Zones" }).click();
    await until(() => page.url().includes("map=zones"));
    assert.deepEqual(session.errors, []);
    assert.notEqual(await page.title(), "1", "titles are no markup");
  },
});

Deno.test({
  name: "filters ask again, are in the address, and Back returns",
  ...needs("chromium"),
  fn: async () => {
    await using opened = await open();
    const { session, last } = opened;
    const { page } = session;
    await page.locator(".usage-list tbody tr").first().waitFor();
    await page.getByRole("button", { name: "Fri" }).click();
    await until(() => last().get("days") === "1-4");
    await page.getByRole("button", { name: "Sun" }).click();
    await until(() => last().get("days") === "1-4,7");
    await page.getByLabel("From", { exact: true }).selectOption("20");
    await until(() => last().get("hours") === "20-21");
    await page.getByLabel("Period").selectOption("7");
    await until(() => last().get("from") === WEEK_START);
    await until(() => page.url().endsWith("period=7d&days=1-4,7&hours=20-21"));
    await page.getByLabel("Period").selectOption("custom");
    await page.getByLabel("First day").fill("2026-10-05");
    await until(() => last().get("from") === "2026-10-05");
    await page.getByLabel("Last day").fill("2026-10-01");
    assert.equal(
      await page.getByLabel("Last day").getAttribute("aria-invalid"),
      "true",
    );
    await page.getByLabel("Last day").fill("2026-10-09");
    await until(() => last().get("to") === "2026-10-10");
    await page.getByLabel("Show", { exact: true }).selectOption("changes");
    await session.waitForText(".usage-legend", /Changes in a day of known/);
    await session.waitForText(".usage-list thead", /Changes a day/);
    await session.waitForText(".list-panel h2", /^Most changes first$/);
    const address = page.url();
    await page.goBack();
    await session.waitForText(".usage-legend", /Share of known time/);
    await page.goto("about:blank");
    await page.goto(address);
    await until(() => last().get("to") === "2026-10-10");
    await session.waitForText(".usage-legend", /Changes in a day of known/);
    assert.equal(last().get("hours"), "20-21");
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "the last chosen day cannot be taken away",
  ...needs("chromium"),
  fn: async () => {
    await using opened = await open({ address: `${ADDRESS}&days=3` });
    const { session, questions } = opened;
    const wednesday = session.page.getByRole("button", { name: "Wed" });
    await session.page.locator(".usage-list tbody tr").first().waitFor();
    const count = questions.filter((query) => !query.has("region")).length;
    await wednesday.click();
    assert.equal(await wednesday.getAttribute("aria-pressed"), "true");
    assert.equal(
      questions.filter((query) => !query.has("region")).length,
      count,
    );
  },
});

Deno.test({
  name: "the list has the least used first, by any column, and days lazily",
  ...needs("chromium"),
  fn: async () => {
    await using opened = await open();
    const { session, questions } = opened;
    const { page } = session;
    await page.locator(".usage-list tbody tr").first().waitFor();
    const shares = await column(session, "td.occupied");
    assert.deepEqual(shares.slice(0, 5), ["0%", "0%", "0%", "0%", "20%"]);
    assert.deepEqual(shares.slice(-4), Array(4).fill("unknown"));
    await session.waitForText(
      ".list-panel",
      /24 · 4 used less than 15% · 4 unknown/,
    );
    // By day: of the visible rows, in few requests.
    await page.locator('.usage-list td.days [role="img"]').first().waitFor();
    const byDay = questions.filter((query) => query.get("by") === "day");
    assert.ok(byDay.length > 0 && byDay.length <= 6, `${byDay.length}`);
    const name = await page.locator('.usage-list td.days [role="img"]').first()
      .getAttribute("aria-label");
    assert.match(name!, /^Used on 0 of \d+ known days/);

    await page.getByRole("button", { name: "Occupied" }).click();
    await session.waitForText(".list-panel h2", /^Most used first$/);
    assert.equal((await column(session, "td.occupied"))[0], "80%");
    await page.getByRole("button", { name: "Known", exact: true }).click();
    await session.waitForText(".list-panel h2", /^Least known first$/);
    assert.equal((await column(session, "td.occupied"))[0], "unknown");
    assert.ok(page.url().includes("sort=known"));
    await page.getByRole("group", { name: "What to list" })
      .getByRole("button", { name: "Zones 3" }).click();
    const names = await column(session, "b");
    assert.deepEqual([...names].sort(), ["=East", "Store", HOSTILE].sort());
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "a cell has a tooltip, can be selected, and is read out",
  ...needs("chromium"),
  fn: async () => {
    await using opened = await open();
    const { session } = opened;
    const { page } = session;
    await page.locator(".usage-list tbody tr").first().waitFor();
    const { left, top } = await session.positionOf(4, 1);
    await page.mouse.move(left, top);
    await session.waitForText(
      "#tip",
      /^x 4, y 1 · =East 80% of known time \d+ h of \d+ h · known \d+% Last used/,
    );
    await page.mouse.click(left, top);
    await until(() => page.url().includes("cell=4,1"));
    await session.waitForText(".usage-list tr.selected", /^x 4, y 1/);
    await page.locator(".mark.pick").waitFor();
    await session.waitForText(".week-panel h2", /x 4, y 1/);
    // The cursor, with the keyboard.
    await page.locator("#map").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowRight");
    await session.waitForText(
      "#announcer",
      /^x \d, y \d: .*(of known time|Unknown), known/,
    );
    // In the list, with the keyboard.
    await page.locator(".usage-list tbody button").first().focus();
    await page.keyboard.press("Enter");
    await until(() => page.url().includes("cell=0,"));
    const focused = await page.evaluate(() =>
      document.activeElement?.textContent
    );
    assert.match(focused!, /^x 0/, "the focus stays");
    // A zone: its label, or the list.
    await page.getByRole("group", { name: "What to list" })
      .getByRole("button", { name: /Zones/ }).click();
    await page.locator(".usage-list tbody button", { hasText: "Store" })
      .click();
    await until(() => page.url().includes("zone=store"));
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "CSV and PNG are saved, without formulas",
  ...needs("chromium"),
  fn: async () => {
    await using opened = await open({ address: `${ADDRESS}&list=zones` });
    const { session } = opened;
    const { page } = session;
    await page.locator(".usage-list tbody tr").first().waitFor();
    const [csv] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "CSV" }).click(),
    ]);
    assert.match(csv.suggestedFilename(), /^utilisation-hall-20\d\d-.*\.csv$/);
    const text = await Deno.readTextFile((await csv.path())!);
    const lines = text.trimEnd().split("\r\n");
    assert.equal(lines.length, 4);
    assert.match(lines[0]!, /^name,zone,x,y,cells,occupied_share,known_share/);
    assert.ok(lines.some((line) => line.startsWith("'=east,'=East,,,8,0.7")));
    assert.ok(text.includes('"<img src=x onerror=""document.title=1"">"'));
    const [png] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "PNG" }).click(),
    ]);
    const bytes = await Deno.readFile((await png.path())!);
    assert.deepEqual([...bytes.subarray(1, 4)], [
      ...new TextEncoder().encode("PNG"),
    ]);
    assert.ok(bytes.length > 10_000, "the picture has a map");
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "what cannot be answered is said in words, and the page goes on",
  ...needs("chromium"),
  fn: async () => {
    let problem: ReturnType<NonNullable<FakeHistory["problem"]>>;
    await using opened = await open({ history: { problem: () => problem } });
    const { session } = opened;
    const { page } = session;
    await page.locator(".usage-list tbody tr").first().waitFor();
    problem = {
      status: 400,
      detail: "The history begins on 2026-10-01",
      hint: "Ask for a later time.",
    };
    await page.getByLabel("Period").selectOption("90");
    await session.waitForText(
      ".usage-problem",
      /^The history begins on 2026-10-01\. Ask for a later time\.$/,
    );
    problem = undefined;
    await page.getByLabel("Period").selectOption("7");
    await page.locator(".usage-problem").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Live" }).click();
    await session.waitForText("#cards", /Occupied|occupied/);
    assert.equal(await page.locator("canvas.heat").count(), 0);
    assert.equal(await page.locator(".usage-bar").count(), 0);
    assert.ok(!page.url().includes("mode="));
  },
});

Deno.test({
  name: "the figures of a server that has just begun to record are shown",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { hall: "0,0,1\n1,0,0\n2,0,-1\n" },
      address: `${ADDRESS}&days=1-7&hours=0-24&list=cells`,
    });
    await until(async () => {
      await session.page.reload();
      await session.page.locator(".usage-list tbody tr").first().waitFor();
      const shares = await column(session, "td.occupied");
      return shares.join() === "0%,100%,unknown";
    }, { what: "shares of the first seconds" });
    await session.waitForText(".usage-pill", /1 day, \d+% known/);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "another layer is asked for, and the cells of the first are removed",
  ...needs("chromium"),
  fn: async () => {
    let cells: readonly FakeCell[] = CELLS;
    await using opened = await open({
      readings: { hall: "0,0,1\n", roof: "0,0,1\n5,5,0\n" },
      history: {
        get cells() {
          return cells;
        },
      },
    });
    const { session, last } = opened;
    const { page } = session;
    await page.locator(".usage-list tbody tr").first().waitFor();
    cells = [{ x: 5, y: 5, share: 0.5, known: 1 }];
    await page.locator("#layer").selectOption("roof");
    await until(() => last().get("layer") === "roof");
    await session.waitForText(".list-panel", /Cells 1\b.* x 5, y 5 /);
    await session.waitForText(".usage-head", /Every cell of roof/);
    assert.ok(page.url().includes("layer=roof&mode=utilisation"));
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "a layer of which nothing was recorded says so",
  ...needs("chromium"),
  fn: async () => {
    await using opened = await open({ history: { cells: [] } });
    await opened.session.waitForText(".usage-problem", /Nothing was recorded/);
    await opened.session.waitForText(".list-panel", /Cells 0/);
    assert.deepEqual(opened.session.errors, []);
  },
});

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test({
    name: `axe-core finds no serious violation in the mode: ${colorScheme}`,
    ...needs("chromium"),
    fn: async () => {
      await using opened = await open({ browser: { colorScheme } });
      const { session } = opened;
      await session.page.locator('.usage-list td.days [role="img"]').first()
        .waitFor();
      assert.deepEqual(await violations(session), []);
      await session.page.getByLabel("Period").selectOption("custom");
      await session.page.locator(".usage-list tbody button").first().click();
      await session.page.locator(".usage-list tr.selected").waitFor();
      assert.deepEqual(await violations(session), [], "a cell is selected");
    },
  });
}

Deno.test({
  name:
    "the mode fits from 320 to 1920 pixels, and nothing moves when it loads",
  ...needs("chromium"),
  fn: async () => {
    await using opened = await open();
    const { session } = opened;
    const { page } = session;
    await page.locator(".usage-list tbody tr").first().waitFor();
    for (const width of [320, 390, 760, 761, 1024, 1180, 1181, 1440, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      assert.equal(wide, 0, `${width} px: the page scrolls to the side`);
      const cut = await page.locator(
        ".usage-bar :is(button, select, input):visible, .usage-head button, .week-panel td",
      ).evaluateAll((all) =>
        all.filter((one) => one.scrollWidth > one.clientWidth + 1)
          .map((one) => one.textContent)
      );
      assert.deepEqual(cut, [], `${width} px`);
      if (width >= 761 && width !== 1181) {
        const rest = await page.locator(".usage-pill span").evaluate((one) =>
          one.scrollWidth - one.clientWidth
        );
        assert.ok(rest <= 0, `${width} px: ${rest} px of the dates are cut`);
      }
      const scroll = await page.locator(".usage-scroll").evaluate((one) =>
        one.scrollWidth - one.clientWidth
      );
      assert.ok(scroll <= 1, `${width} px: the list is ${scroll} px too wide`);
      const map = (await page.locator("#map").boundingBox())!;
      assert.ok(map.width >= 280 && map.height >= 240, `${width} px: map`);
    }
    // A new answer moves nothing, and only the rows of the list scroll.
    await page.setViewportSize({ width: 1280, height: 800 });
    const note = (await page.locator(".list-panel .omitted").boundingBox())!;
    assert.ok(note.y + note.height <= 800, `the list ends at ${note.y}`);
    const boxes = () =>
      page.evaluate(() =>
        [".usage-bar", "#map", ".week-panel", ".list-panel"].map((one) => {
          const box = document.querySelector(one)!.getBoundingClientRect();
          return [box.left, box.top, box.width, box.height].map(Math.round)
            .join();
        })
      );
    const before = await boxes();
    await page.getByLabel("Period").selectOption("7");
    await until(() => opened.last().get("from") === WEEK_START);
    await page.locator("body:not(.usage-busy)").waitFor();
    assert.deepEqual(await boxes(), before);
  },
});
