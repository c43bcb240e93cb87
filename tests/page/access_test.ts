/// <reference lib="dom" />
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { BLANK, Stage } from "./session.ts";

const NEAR = "#layer=default&at=5,5&scale=40";
const READINGS = { default: "4,4,2\n5,4,0\n6,4,-1\n5,5,1\n", hall: "0,0,1\n" };

Deno.test({
  name: "all can be done with the keyboard alone, and cells are read out",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({ readings: READINGS, address: NEAR });
    const { keyboard } = stage.page;
    await stage.repainted(4, 4, BLANK);
    const viewed = (pattern: RegExp) =>
      until(() => pattern.test(stage.page.url()), {
        what: () => `${pattern} in ${stage.page.url()}`,
      });

    // From the top of the page, the first stop leads to the map.
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    assert.equal(
      await stage.page.evaluate(() => document.activeElement?.id),
      "map",
    );
    await keyboard.press("ArrowRight");
    await viewed(/at=8,5&/);
    await keyboard.press("ArrowLeft");
    await keyboard.press("ArrowDown");
    await viewed(/at=5,8&/);
    await keyboard.press("ArrowUp");
    await viewed(/at=5,5&/);
    await keyboard.press("+");
    await viewed(/scale=64&?/);
    await keyboard.press("-");
    await viewed(/scale=40&?/);

    // A cursor, cell by cell.
    await keyboard.press("Enter");
    await stage.reads("#announcer", /^5, 5: occupied, observed/);
    await keyboard.press("ArrowUp");
    await stage.reads("#announcer", /^5, 4: free, observed/);
    await keyboard.press("ArrowRight");
    await stage.reads("#announcer", /^6, 4: unknown, observed/);
    await keyboard.press("ArrowRight");
    await stage.reads("#announcer", /^7, 4: no data/);
    await stage.reads("#tip", /^No data x 7, y 4/);
    await keyboard.press("ArrowLeft");
    await keyboard.press("ArrowLeft");
    // What changes under the cursor is told.
    await stage.submit("default", "5,4,3\n");
    await stage.reads("#announcer", /^5, 4: occupied, 3 people/);
    await keyboard.press("Shift+ArrowLeft");
    await keyboard.press("Shift+ArrowDown");
    await stage.reads("#selection", /x 4–5, y 4–5 · 3 cells People 6/);
    await keyboard.press("Escape");
    await stage.page.locator("#selection").waitFor({ state: "hidden" });
    await keyboard.press("Escape");
    await stage.page.locator("#tip").waitFor({ state: "hidden" });

    await keyboard.press("g");
    await keyboard.type("4,4");
    await keyboard.press("Enter");
    await stage.reads("#tip", /^Occupied · 2 people x 4, y 4/);
    await keyboard.press("t");
    assert.equal(await theme(stage), "light");
    await keyboard.press("t");
    assert.equal(await theme(stage), "dark");
    await keyboard.press("?");
    await stage.page.locator("#help-dialog[open]").waitFor();
    await keyboard.press("Escape");
    await stage.page.locator("#help-dialog[open]").waitFor({ state: "hidden" });
    await keyboard.press("l");
    assert.equal(
      await stage.page.evaluate(() => document.activeElement?.id),
      "layer",
    );
    await keyboard.press("ArrowDown");
    await viewed(/layer=hall/);
    assert.deepEqual(stage.complaints, []);
  },
});

Deno.test({
  name: "single letters do nothing once a person has turned them off",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({ readings: READINGS, address: NEAR });
    await stage.repainted(4, 4, BLANK);
    const { keyboard } = stage.page;
    await keyboard.press("?");
    await stage.page.getByLabel("Single letters are shortcuts").uncheck();
    await keyboard.press("Escape");
    await keyboard.press("t");
    assert.equal(await theme(stage), "light");
    assert.ok(!stage.page.url().includes("theme="));
    await stage.page.reload();
    await stage.repainted(4, 4, BLANK);
    await keyboard.press("?");
    assert.equal(await stage.page.locator("#help-dialog[open]").count(), 0);
  },
});

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test({
    name: `axe-core finds no serious fault: ${colorScheme}`,
    ...needs("chromium"),
    fn: async () => {
      await using stage = await Stage.open({
        readings: READINGS,
        address: `${NEAR}&box=4,4,6,6`,
        browser: { colorScheme },
      });
      await stage.repainted(4, 4, BLANK);
      await stage.submit("default", "4,5,1\n");
      await stage.reads("#latest", /4, 5/);
      const { left, top } = await stage.place(4, 4);
      await stage.page.mouse.click(left, top);
      await stage.reads("#tip", /^Occupied/);
      await stage.reads("#chart-legend", /people \d/);
      assert.deepEqual(await faults(stage), []);
      await stage.page.getByRole("button", { name: "Help" }).click();
      assert.deepEqual(await faults(stage), []);
      await stage.page.keyboard.press("Escape");
      await stage.killServer();
      await stage.reads("#pill", /^Lost/);
      assert.deepEqual(await faults(stage), []);
    },
  });
}

/** What axe-core has against the page as it is, if it is serious. */
async function faults(stage: Stage): Promise<string[]> {
  // Loaded here: it reads the environment, which tests without permissions must not.
  const { default: axe } = await import("axe-core");
  await stage.page.evaluate(axe.source);
  return await stage.page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations, passes } = await axe.run(document);
    if (passes.length < 20) return ["axe-core has looked at nothing"];
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) =>
          `${id}: ${html} ${failureSummary}`
        )
      );
  });
}

function theme(stage: Stage): Promise<string | undefined> {
  return stage.page.evaluate(() => document.documentElement.dataset["theme"]);
}
