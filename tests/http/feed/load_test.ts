/** Ten thousand changes a second on a hundred thousand cells, seen as they come. */
import assert from "node:assert/strict";
import { live } from "../../../src/http/feed/mod.ts";
import { startServer } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { assertSame, type Mirror } from "./viewer_model.ts";
import { ALL, Watcher } from "./recording_viewer.ts";

const SIDE = 320;
const PER_SECOND = 10_000;
const MS = 3000;
const EVERY = 20;

Deno.test({
  name: "10,000 changes a second are shown as they come, and none is missed",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ parts: { live } });
    const cells = Array.from({ length: SIDE * SIDE }, (_, i) => i);
    server.publish(
      cells.map((i) => `${i % SIDE},${i / SIDE | 0},0`).join("\n"),
    );
    const region = { x0: 50, y0: 60, x1: 149, y1: 159 };
    const part = { layer: "default", region };
    await using whole = new Watcher(server.url);
    await using partial = new Watcher(server.url, { view: part });
    await whole.live();
    await partial.live();
    // Compared as sums while it runs: each change adds one.
    let changes = 0;
    await new Promise<void>((resolve) => {
      const began = performance.now();
      let value = 0;
      const timer = setInterval(() => {
        const passed = performance.now() - began;
        const lines: string[] = [];
        for (; changes < passed / 1000 * PER_SECOND; changes++) {
          const i = changes * 7919 % (SIDE * SIDE);
          if (changes % (SIDE * SIDE) === 0) value++;
          lines.push(`${i % SIDE},${i / SIDE | 0},${value}`);
        }
        if (lines.length > 0) server.publish(lines.join("\n"));
        if (passed < MS) return;
        clearInterval(timer);
        resolve();
      }, EVERY);
    });
    const late = performance.now();
    const { revision } = server.map;
    await until(() => whole.revision >= revision);
    const behind = performance.now() - late;
    await until(() =>
      partial.mirror.deltas > 0 && sameSums(partial.mirror, server, region)
    );
    assertSame(whole.mirror, server.map, ALL, { times: true });
    assertSame(partial.mirror, server.map, part, { times: true });
    assert.ok(changes >= PER_SECOND * MS / 1000 * 0.9, `${changes} changes`);
    assert.ok(behind < 1000, `${behind} ms behind at the end`);
    assert.equal(whole.mirror.snapshots, 1, "deltas were enough");
    assert.ok(whole.mirror.deltas > 10, `${whole.mirror.deltas} deltas`);
    const lags = whole.lags.toSorted((a, b) => a - b);
    const median = lags[lags.length >> 1]!;
    assert.ok(median < 250, `${median} ms behind, as a rule`);
  },
});

type Rectangle = NonNullable<typeof ALL.region>;

/** Whether a viewer has come as far as the server. */
function sameSums(
  { cells }: Mirror,
  { map }: Awaited<ReturnType<typeof startServer>>,
  region: Rectangle,
): boolean {
  let here = 0;
  for (const [value] of cells.values()) here += value;
  let there = 0;
  map.layer("default")!.scan((_x, _y, value) => void (there += value), {
    region,
  });
  return here === there;
}
