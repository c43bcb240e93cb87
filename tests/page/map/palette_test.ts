import assert from "node:assert/strict";
import { Level, LEVELS } from "../../../src/grid/status.ts";
import {
  colorsOf,
  contrast,
  inkOn,
  type PaletteName,
  PALETTES,
  pixelsOf,
  TEXTURE,
} from "../../../src/page/map/palette.ts";

const options = { permissions: "none" } as const;
const EACH = (Object.keys(PALETTES) as PaletteName[]).flatMap((palette) =>
  (["light", "dark"] as const).map((theme) => ({ palette, theme }))
);

Deno.test(
  "pixelsOf() gives every level a look of its own, in every palette",
  options,
  () => {
    for (const { palette, theme } of EACH) {
      const pixels = pixelsOf(colorsOf(palette, theme), false);
      const looks = new Set<string>();
      for (let level = 0; level < LEVELS; level++) {
        looks.add(pixels.slice(level * TEXTURE, (level + 1) * TEXTURE).join());
      }
      assert.equal(looks.size, LEVELS, `${palette} ${theme}`);
    }
  },
);

Deno.test(
  "pixelsOf() has texture for what is not sure, and none for what is",
  options,
  () => {
    const textured: number[] = [
      Level.StaleFree,
      Level.Unknown,
      Level.StaleOccupied,
    ];
    for (const { palette, theme } of EACH) {
      const pixels = pixelsOf(colorsOf(palette, theme), false);
      for (let level = 1; level < LEVELS; level++) {
        const look = new Set(
          pixels.slice(level * TEXTURE, (level + 1) * TEXTURE),
        );
        assert.equal(look.size > 1, textured.includes(level), `level ${level}`);
      }
      assert.ok(pixels.slice(0, TEXTURE).every((pixel) => pixel === 0));
    }
  },
);

Deno.test(
  "free and occupied differ in lightness too: colour alone says nothing",
  options,
  () => {
    for (const { palette, theme } of EACH) {
      const { free, ramp } = colorsOf(palette, theme);
      for (const color of ramp) {
        const ratio = contrast(free, color);
        assert.ok(ratio >= 1.5, `${palette} ${theme}: ${color} is ${ratio}`);
      }
    }
  },
);

Deno.test("the numbers in cells can be read (WCAG 2, 1.4.3)", options, () => {
  for (const { palette, theme } of EACH) {
    for (const color of colorsOf(palette, theme).ramp) {
      const ratio = contrast(inkOn(color), color);
      assert.ok(ratio >= 4.5, `${palette} ${theme}: ${color} is ${ratio}`);
    }
  }
});
