/**
 * The colors of the map and of text, as styles and as SGR parameters.
 *
 * @module
 */
import { Level, LEVELS } from "../../../grid/status.ts";

/** The colors of a terminal: 24-bit, the 256 of xterm, or none. */
export type ColorDepth = "truecolor" | "256" | "none";

/**
 * The colors, by number. Free is blue and occupied orange: they differ in
 * lightness too, and in every kind of color vision. Stale is a darker shade.
 */
export const Color = {
  /** The default color of the terminal. */
  Default: 0,
  /** Less important text. */
  Dim: 1,
  Free: 2,
  StaleFree: 3,
  /** Foreground of the hatching of unknown cells. */
  Unknown: 4,
  /** Background of the hatching. */
  UnknownBack: 5,
  StaleOccupied: 6,
  /** Occupied with value 1; each higher number is one more, up to 10. */
  Occupied: 7,
  /** The same, for a pixel of which fewer than half of the cells are occupied. */
  Sparse: 17,
  /** Text on occupied cells. */
  Ink: 27,
} as const;

type Rgb = readonly [red: number, green: number, blue: number];

/** By {@linkcode Color}: 24-bit, and a similar one of the 256. */
const COLORS: readonly (readonly [Rgb, number])[] = [
  [[0, 0, 0], 0], // not used: the default color has its own SGR parameter
  [[138, 147, 163], 245],
  [[36, 64, 95], 24],
  [[24, 36, 54], 17],
  [[142, 150, 165], 247],
  [[72, 79, 93], 240],
  [[96, 62, 26], 94],
  [[224, 122, 26], 172],
  [[236, 138, 44], 208],
  [[244, 153, 66], 208],
  [[249, 167, 88], 215],
  [[251, 180, 110], 215],
  [[252, 192, 132], 216],
  [[253, 203, 153], 222],
  [[254, 214, 174], 223],
  [[254, 224, 195], 223],
  [[255, 239, 220], 230],
  [[165, 104, 48], 137],
  [[170, 113, 60], 137],
  [[176, 123, 72], 179],
  [[181, 132, 85], 179],
  [[187, 141, 97], 179],
  [[192, 151, 109], 180],
  [[198, 160, 121], 180],
  [[203, 169, 134], 180],
  [[209, 179, 146], 187],
  [[214, 188, 158], 187],
  [[18, 18, 22], 233],
];

const COLOR_BITS = 8;
const COLOR_MASK = (1 << COLOR_BITS) - 1;
const BOLD_BIT = 1 << (2 * COLOR_BITS);

/** Foreground, background and weight of text, as one number. */
export type Style = number;

/** Plain text. */
export const PLAIN: Style = 0;
/** Less important text. */
export const DIM: Style = Color.Dim;
/** More important text. */
export const BOLD: Style = BOLD_BIT;

/** Returns the style of two {@linkcode Color}s. */
export function styleOf(
  foreground: number,
  background: number = Color.Default,
): Style {
  return foreground | background << COLOR_BITS;
}

/** Returns the foreground of a style. */
export function foregroundOf(style: Style): number {
  return style & COLOR_MASK;
}

/** Returns the background of a style. */
export function backgroundOf(style: Style): number {
  return style >> COLOR_BITS & COLOR_MASK;
}

/** Returns true if a style is bold. */
export function isBold(style: Style): boolean {
  return (style & BOLD_BIT) !== 0;
}

/** Returns the parameters of SGR that set a color (ECMA-48, 8.3.117). */
export function sgrParameters(
  color: number,
  ground: "foreground" | "background",
  depth: ColorDepth,
): string {
  const set = ground === "foreground" ? 38 : 48;
  if (color === Color.Default) return String(set + 1);
  const [rgb, index] = COLORS[color]!;
  return depth === "truecolor"
    ? `${set};2;${rgb.join(";")}`
    : `${set};5;${index}`;
}

/**
 * Returns the color of a level; {@linkcode Color.Default} if no cell was
 * reported.
 *
 * @param sparse whether fewer than half of the cells are occupied
 */
export function colorOfLevel(level: number, sparse: boolean = false): number {
  const color = LEVEL_COLORS[level]!;
  return sparse && level >= Level.Occupied
    ? color - Color.Occupied + Color.Sparse
    : color;
}

/** Returns the character of a level for terminals without colors. */
export function glyphOfLevel(level: number): string {
  return LEVEL_GLYPHS[level]!;
}

/**
 * The characters of shares of occupied cells, for terminals without colors: each
 * up to a share, exclusive.
 */
export const SHARE_GLYPHS:
  readonly (readonly [glyph: string, below: number])[] = [
    [":", 0.1],
    ["░", 0.25],
    ["▒", 0.5],
    ["▓", 0.75],
    ["█", Infinity],
  ];

/** Not `▒`, which is a share here. */
const STALE_OCCUPIED_OF_MANY = "=";

/**
 * Returns the character for many cells, for terminals without colors. Its ink
 * grows with the share of occupied cells.
 *
 * @param level the highest level of the cells
 * @param occupied number of occupied cells
 * @param cells number of all cells
 */
export function glyphOfMany(
  level: number,
  occupied: number,
  cells: number,
): string {
  if (level === Level.StaleOccupied) return STALE_OCCUPIED_OF_MANY;
  if (level < Level.Occupied) return glyphOfLevel(level);
  const share = occupied / cells;
  return SHARE_GLYPHS.find(([, below]) => share < below)![0];
}

const LEVEL_COLORS = Array.from({ length: LEVELS }, (_, level): number => {
  switch (level) {
    case Level.None:
      return Color.Default;
    case Level.Free:
      return Color.Free;
    case Level.StaleFree:
      return Color.StaleFree;
    case Level.Unknown:
      return Color.Unknown;
    case Level.StaleOccupied:
      return Color.StaleOccupied;
    default:
      return Color.Occupied + level - Level.Occupied;
  }
});

const LEVEL_GLYPHS = Array.from({ length: LEVELS }, (_, level): string => {
  switch (level) {
    case Level.None:
      return " ";
    case Level.Free:
      return "·";
    case Level.StaleFree:
      return "-";
    case Level.Unknown:
      return "?";
    case Level.StaleOccupied:
      return "▒";
    case Level.OccupiedMax:
      return "█";
    default:
      return String(level - Level.Occupied + 1);
  }
});
