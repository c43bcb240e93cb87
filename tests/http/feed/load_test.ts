/** The live feed at 10,000 changes per second on 100,000 cells. */
import assert from "node:assert/strict";
import { startServer } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { assertSame, type ViewerModel } from "./viewer_model.ts";
import { DEFAULT_LAYER_VIEW, RecordingViewer } from "./recording_viewer.ts";

const SIDE_CELLS = 320;
const CHANGES_PER_SECOND = 10_000;
const DURATION_MS = 3000;
const INTERVAL_MS = 20;

Deno.test({
  name: "viewers receive 10,000 changes per second without missing one",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const cells = Array.from({ length: SIDE_CELLS * SIDE_CELLS }, (_, i) => i);
    server.publish(
      cells.map((i) => `${i % SIDE_CELLS},${i / SIDE_CELLS | 0},0`).join("\n"),
    );
    const region = { x0: 50, y0: 60, x1: 149, y1: 159 };
    const part = { layer: "default", region };
    await using whole = new RecordingViewer(server.url);
    await using partial = new RecordingViewer(server.url, { view: part });
    await whole.waitUntilComplete();
    await partial.waitUntilComplete();
    let changes = 0;
    await new Promise<void>((resolve) => {
      const began = performance.now();
      let value = 0;
      const timer = setInterval(() => {
        const passed = performance.now() - began;
        const lines: string[] = [];
        for (; changes < passed / 1000 * CHANGES_PER_SECOND; changes++) {
          const i = changes * 7919 % (SIDE_CELLS * SIDE_CELLS);
          if (changes % (SIDE_CELLS * SIDE_CELLS) === 0) value++;
          lines.push(`${i % SIDE_CELLS},${i / SIDE_CELLS | 0},${value}`);
        }
        if (lines.length > 0) server.publish(lines.join("\n"));
        if (passed < DURATION_MS) return;
        clearInterval(timer);
        resolve();
      }, INTERVAL_MS);
    });
    const end = performance.now();
    const { revision } = server.map;
    await until(() => whole.revision >= revision);
    const behind = performance.now() - end;
    await until(() =>
      partial.model.deltas > 0 && haveSameSums(partial.model, server, region)
    );
    assertSame(whole.model, server.map, DEFAULT_LAYER_VIEW, { times: true });
    assertSame(partial.model, server.map, part, { times: true });
    assert.ok(
      changes >= CHANGES_PER_SECOND * DURATION_MS / 1000 * 0.9,
      `${changes} changes`,
    );
    assert.ok(behind < 1000, `${behind} ms behind at the end`);
    assert.equal(whole.model.snapshots, 1, "deltas only");
    assert.ok(whole.model.deltas > 10, `${whole.model.deltas} deltas`);
    const lags = whole.lags.toSorted((a, b) => a - b);
    const median = lags[lags.length >> 1]!;
    assert.ok(median < 250, `median lag ${median} ms`);
  },
});

type Rectangle = NonNullable<typeof DEFAULT_LAYER_VIEW.region>;

/** Returns true if the values of a viewer and of the map have the same sum. */
function haveSameSums(
  { cells }: ViewerModel,
  { map }: Awaited<ReturnType<typeof startServer>>,
  region: Rectangle,
): boolean {
  let ofViewer = 0;
  for (const [value] of cells.values()) ofViewer += value;
  let ofMap = 0;
  map.layer("default")!.scan((_x, _y, value) => void (ofMap += value), {
    region,
  });
  return ofViewer === ofMap;
}
