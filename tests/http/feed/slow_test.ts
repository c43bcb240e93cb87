/** The live feed with viewers that are slower than the changes. */
import assert from "node:assert/strict";
import { DEFAULT_FEED_LIMITS } from "../../../src/http/feed/limits.ts";
import { startServer } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { assertSame } from "./viewer_model.ts";
import { RawViewer } from "./raw_viewer.ts";
import { DEFAULT_LAYER_VIEW, RecordingViewer } from "./recording_viewer.ts";

/**
 * Returns readings for a square of cells: random values, which do not compress,
 * and `corner` in the last cell.
 */
function noiseSquare(size: number, corner: number): string {
  const lines: string[] = [];
  let noise = corner;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      noise = Math.imul(noise, 1_664_525) + 1_013_904_223 | 0;
      lines.push(`${x},${y},${noise >>> 1}`);
    }
  }
  lines.push(`${size - 1},${size - 1},${corner}`);
  return lines.join("\n");
}

/** Maximum bytes sent to a viewer that does not read. */
const MAX_BYTES_SENT = DEFAULT_FEED_LIMITS.bytesInFlight + 512 * 1024;

Deno.test({
  name:
    "a viewer that stops reading is sent a bounded number of bytes, then a snapshot",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.publish(noiseSquare(300, 0));
    using frozen = await RawViewer.connect(server.url);
    await frozen.requestView(DEFAULT_LAYER_VIEW);
    while (frozen.model.snapshots === 0) await frozen.read();

    await using quick = new RecordingViewer(server.url);
    await quick.waitUntilComplete();
    const beforeAll = server.viewers.sentBytes;
    let toQuick = 0;
    for (let value = 1; value <= 10; value++) {
      server.publish(noiseSquare(300, value));
      await quick.waitForValue(299, 299, value);
      toQuick = quick.model.snapshots;
    }
    assert.ok(toQuick > 5, "a reading viewer receives each state");
    const sent = server.viewers.sentBytes - beforeAll;

    // Again, with only the frozen viewer.
    await quick.client.close();
    await until(() => server.viewers.current === 1);
    const before = server.viewers.sentBytes;
    for (let value = 11; value <= 30; value++) {
      server.publish(noiseSquare(300, value));
      await until(() =>
        server.map.layer("default")!.get(299, 299)!.value === value
      );
    }
    const toFrozen = server.viewers.sentBytes - before;
    assert.ok(
      toFrozen < MAX_BYTES_SENT,
      `${toFrozen} bytes to the frozen viewer, ${sent} to both`,
    );

    const { snapshots } = frozen.model;
    while (frozen.model.cells.get("299,299")?.[0] !== 30) await frozen.read();
    assert.ok(frozen.model.snapshots > snapshots, "a new snapshot");
    assertSame(frozen.model, server.map, DEFAULT_LAYER_VIEW);
  },
});

Deno.test({
  name: "a viewer that is slightly behind receives one delta for all changes",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.publish(noiseSquare(100, 0));
    const gate = { open: Promise.resolve() };
    await using viewer = new RecordingViewer(server.url, {
      onFrame: () => gate.open,
    });
    await viewer.waitUntilComplete();
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.open = promise;
    for (let value = 1; value <= 30; value++) {
      const before = server.viewers.sentBytes;
      server.publish(`1,1,${value}\n${value},2,1`);
      await until(() =>
        value <= DEFAULT_FEED_LIMITS.framesInFlight
          ? server.viewers.sentBytes > before
          : server.map.layer("default")!.get(1, 1)!.value === value
      );
    }
    resolve();
    await viewer.waitForValue(1, 1, 30);
    assertSame(viewer.model, server.map, DEFAULT_LAYER_VIEW);
    assert.equal(viewer.model.snapshots, 1);
    assert.ok(
      viewer.model.deltas <= DEFAULT_FEED_LIMITS.framesInFlight + 2,
      `${viewer.model.deltas} deltas`,
    );
  },
});

Deno.test({
  name: "changes during a snapshot of many parts are not lost",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ feedLimits: { partCells: 1024 } });
    server.publish(noiseSquare(300, 0));
    await until(() => server.map.size === 300 * 300);
    let parts = 0;
    await using viewer = new RecordingViewer(server.url, {
      onFrame: () => {
        // Changes parts that are read, parts that are not, and new cells.
        if (parts++ < 60) {
          server.publish(
            `0,0,${parts}\n299,299,${parts}\n${1000 + parts},${-parts},1`,
          );
        }
      },
    });
    await viewer.waitForValue(0, 0, 60);
    await viewer.waitForValue(299, 299, 60);
    assertSame(viewer.model, server.map, DEFAULT_LAYER_VIEW);
    assert.equal(viewer.model.snapshots, 1);
    assert.ok(parts > 80, `${parts} parts`);
  },
});
