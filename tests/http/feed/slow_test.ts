/** Viewers that are slower than the map. */
import assert from "node:assert/strict";
import { DEFAULT_LIMITS } from "../../../src/http/feed/limits.ts";
import { live, LiveFeed, showOver } from "../../../src/http/feed/mod.ts";
import { startServer } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { assertSame } from "./viewer_model.ts";
import { RawViewer } from "./raw_viewer.ts";
import { ALL, Watcher } from "./recording_viewer.ts";

/** All cells of a square: noise, which cannot be deflated, and `corner` at the last. */
function square(size: number, corner: number): string {
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

/** What the server may have sent to someone who takes nothing. */
const MOST_UNDER_WAY = DEFAULT_LIMITS.bytesUnderWay + 512 * 1024;

Deno.test({
  name: "a viewer that stops reading costs nothing, and gets a fresh snapshot",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ parts: { live } });
    server.publish(square(300, 0));
    using frozen = await RawViewer.connect(server.url);
    await frozen.look(ALL);
    while (frozen.mirror.snapshots === 0) await frozen.read();

    await using quick = new Watcher(server.url);
    await quick.live();
    const beforeAll = server.context.viewers.sentBytes;
    let toQuick = 0;
    for (let value = 1; value <= 10; value++) {
      server.publish(square(300, value));
      await quick.sees(299, 299, value);
      toQuick = quick.mirror.snapshots;
    }
    assert.ok(toQuick > 5, "who reads is shown all of it");
    const sent = server.context.viewers.sentBytes - beforeAll;

    // One more round with nobody but the frozen one.
    await quick.client.close();
    await until(() => server.context.viewers.current === 1);
    const before = server.context.viewers.sentBytes;
    for (let value = 11; value <= 30; value++) {
      server.publish(square(300, value));
      await until(() =>
        server.map.layer("default")!.get(299, 299)!.value === value
      );
    }
    const toFrozen = server.context.viewers.sentBytes - before;
    assert.ok(
      toFrozen < MOST_UNDER_WAY,
      `${toFrozen} bytes to the frozen, ${sent} to both`,
    );

    const { snapshots } = frozen.mirror;
    while (frozen.mirror.cells.get("299,299")?.[0] !== 30) await frozen.read();
    assert.ok(frozen.mirror.snapshots > snapshots, "a fresh snapshot");
    assertSame(frozen.mirror, server.map, ALL);
  },
});

Deno.test({
  name:
    "a viewer that falls a little behind gets one delta for all that changed",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ parts: { live } });
    server.publish(square(100, 0));
    const gate = { open: Promise.resolve() };
    await using viewer = new Watcher(server.url, { onFrame: () => gate.open });
    await viewer.live();
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.open = promise;
    for (let value = 1; value <= 30; value++) {
      const before = server.context.viewers.sentBytes;
      server.publish(`1,1,${value}\n${value},2,1`);
      await until(() =>
        value <= DEFAULT_LIMITS.framesUnderWay
          ? server.context.viewers.sentBytes > before
          : server.map.layer("default")!.get(1, 1)!.value === value
      );
    }
    resolve();
    await viewer.sees(1, 1, 30);
    assertSame(viewer.mirror, server.map, ALL);
    assert.equal(viewer.mirror.snapshots, 1);
    assert.ok(
      viewer.mirror.deltas <= DEFAULT_LIMITS.framesUnderWay + 2,
      `${viewer.mirror.deltas} deltas`,
    );
  },
});

Deno.test({
  name: "while a snapshot is on its way in many parts, changes are not lost",
  ...needs(),
  fn: async () => {
    let feed: LiveFeed | undefined;
    await using server = await startServer({
      parts: {
        live: (request, context) =>
          showOver(
            request,
            feed ??= new LiveFeed(context, { partCells: 1024 }),
          ),
      },
    });
    server.publish(square(300, 0));
    let parts = 0;
    await using viewer = new Watcher(server.url, {
      onFrame: () => {
        // Behind and before the part that is being read, and where nothing was.
        if (parts++ < 60) {
          server.publish(
            `0,0,${parts}\n299,299,${parts}\n${1000 + parts},${-parts},1`,
          );
        }
      },
    });
    await viewer.sees(0, 0, 60);
    await viewer.sees(299, 299, 60);
    assertSame(viewer.mirror, server.map, ALL);
    assert.equal(viewer.mirror.snapshots, 1);
    assert.ok(parts > 80, `${parts} parts`);
  },
});
