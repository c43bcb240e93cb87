import assert from "node:assert/strict";
import { Level, LEVELS } from "../../../src/grid/status.ts";
import {
  colorsOf,
  contrast,
  type PaletteName,
  PALETTES,
  textColorOn,
  TEXTURE_PIXELS,
  texturesOf,
  type Theme,
} from "../../../src/page/map/palette.ts";

const options = { permissions: "none" } as const;
const EACH = (Object.keys(PALETTES) as PaletteName[]).flatMap((palette) =>
  (["light", "dark"] as const).map((theme) => ({ palette, theme }))
);

Deno.test(
  "texturesOf() returns a different texture for each level, in every palette",
  options,
  () => {
    for (const { palette, theme } of EACH) {
      const textures = new Set(
        Array.from(
          { length: LEVELS },
          (_, level) => textureOf(level, palette, theme).join(),
        ),
      );
      assert.equal(textures.size, LEVELS, `${palette} ${theme}`);
    }
  },
);

Deno.test(
  "texturesOf() varies the pixels of stale and unknown levels only",
  options,
  () => {
    const textured: number[] = [
      Level.StaleFree,
      Level.Unknown,
      Level.StaleOccupied,
    ];
    for (const { palette, theme } of EACH) {
      for (let level = 1; level < LEVELS; level++) {
        const pixels = new Set(textureOf(level, palette, theme));
        assert.equal(
          pixels.size > 1,
          textured.includes(level),
          `level ${level}`,
        );
      }
      assert.ok(textureOf(0, palette, theme).every((pixel) => pixel === 0));
    }
  },
);

Deno.test(
  "free and occupied differ in lightness, not only in colour",
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

Deno.test(
  "occupied cells and the line of the chart differ from the background, in every palette",
  options,
  () => {
    for (const { palette, theme } of EACH) {
      const { ramp, background } = colorsOf(palette, theme);
      const name = `${palette} ${theme}`;
      for (const color of ramp) {
        const ratio = contrast(color, background);
        assert.ok(ratio >= 2, `${name}: ${color} is ${ratio}`);
      }
      // The cards, bars and lines (WCAG 2, 1.4.11).
      const ratio = contrast(ramp[3]!, background);
      assert.ok(ratio >= 3, `${name}: ${ratio}`);
    }
  },
);

Deno.test(
  "textColorOn() returns a colour with enough contrast (WCAG 2, 1.4.3)",
  options,
  () => {
    for (const { palette, theme } of EACH) {
      for (const color of colorsOf(palette, theme).ramp) {
        const ratio = contrast(textColorOn(color), color);
        assert.ok(ratio >= 4.5, `${palette} ${theme}: ${color} is ${ratio}`);
      }
    }
  },
);

/** The pixels of one level. */
function textureOf(
  level: number,
  palette: PaletteName,
  theme: Theme,
): Uint32Array {
  return texturesOf(colorsOf(palette, theme), false)
    .slice(level * TEXTURE_PIXELS, (level + 1) * TEXTURE_PIXELS);
}
