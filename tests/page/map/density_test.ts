/** Pixels that stand for several cells. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Level, LEVELS } from "../../../src/grid/status.ts";
import {
  BlockCounter,
  PixelTally,
  Shades,
  strengthOf,
} from "../../../src/page/map/density.ts";
import {
  colorsOf,
  type PaletteName,
  PALETTES,
  texturesOf,
} from "../../../src/page/map/palette.ts";

const options = { permissions: "none" } as const;
const anyLevels = fc.array(fc.nat(LEVELS - 1), {
  minLength: 16,
  maxLength: 16,
});

Deno.test(
  "BlockCounter.count() has the share of the highest class and another class below",
  options,
  () => {
    const block = new BlockCounter();
    const count = (...levels: number[]) => {
      block.count(Uint8Array.from(levels), 2, 0, 2, Math.max(...levels));
      return [block.share, block.base];
    };
    const { None, Free, StaleFree, Unknown, Occupied } = Level;
    assert.deepEqual(count(Free, Free, Occupied, Free), [0.25, Free]);
    // Any value is occupied; coordinates without data do not count.
    assert.deepEqual(
      count(None, Free, Occupied, Occupied + 7),
      [2 / 3, Free],
    );
    assert.deepEqual(count(Unknown, Unknown, Free, Occupied), [0.25, Unknown]);
    assert.deepEqual(count(StaleFree, None, None, None), [1, None]);
    assert.deepEqual(count(Free, Unknown, Free, Free), [0.25, Free]);
  },
);

Deno.test(
  "PixelTally.add() has the same highest level and share as BlockCounter, in any order",
  options,
  () => {
    fc.assert(fc.property(anyLevels, (levels) => {
      const block = new BlockCounter();
      const highest = Math.max(...levels);
      if (highest === Level.None) return;
      block.count(Uint8Array.from(levels), 4, 0, 4, highest);
      const tally = new PixelTally(1);
      for (const level of levels) {
        if (level !== Level.None) tally.add(0, level);
      }
      assert.equal(tally.levels[0], highest);
      assert.equal(tally.share(0), block.share);
      assert.equal(tally.bases[0] === Level.None, block.base === Level.None);
    }));
  },
);

Deno.test(
  "a pixel with few occupied cells is faint, but differs from one without, in every palette",
  options,
  () => {
    assert.ok(strengthOf(0.03) < 0.25);
    assert.equal(strengthOf(1), 1);
    for (const palette of Object.keys(PALETTES) as PaletteName[]) {
      for (const theme of ["light", "dark"] as const) {
        const shades = new Shades(texturesOf(colorsOf(palette, theme), false));
        const free = bytesOf(shades.plain(Level.Free, 0));
        for (const level of [Level.Occupied, Level.OccupiedMax]) {
          const full = distance(free, bytesOf(shades.plain(level, 0)));
          let last = 0;
          for (const share of [1 / 65536, 0.03, 0.25, 0.5, 0.9]) {
            const pixel = bytesOf(
              shades.shaded(level, Level.Free, share, 0),
            );
            const now = distance(free, pixel);
            const name = `${palette} ${theme} ${level}: ${share} is ${now}`;
            assert.ok(now >= 12 && now >= last && now < full, name);
            last = now;
          }
          const few = distance(
            free,
            bytesOf(shades.shaded(level, Level.Free, 0.03, 0)),
          );
          assert.ok(few < 0.3 * full, `${palette} ${theme}: ${few} of ${full}`);
        }
      }
    }
  },
);

function bytesOf(pixel: number): number[] {
  return [...new Uint8Array(Uint32Array.of(pixel).buffer)].slice(0, 3);
}

/** The largest difference of a channel, 0 to 255, in all three together. */
function distance(one: number[], other: number[]): number {
  return Math.hypot(...one.map((channel, i) => channel - other[i]!));
}
