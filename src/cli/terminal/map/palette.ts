import { Level, LEVELS } from "../../../grid/status.ts";

/** How many colours there are: 24-bit, the 256 of xterm, or none at all. */
export type ColorDepth = "truecolor" | "256" | "none";

/**
 * The colours, as numbers that fit a {@linkcode Style}. Free and occupied are
 * blue and orange, which all kinds of colour vision tell apart, and as far apart
 * in lightness; stale is a darker shade of either.
 */
export const Color = {
  /** The terminal's own. */
  Default: 0,
  /** Text that is less important. */
  Dim: 1,
  Free: 2,
  StaleFree: 3,
  /** The lines of the hatching … */
  Unknown: 4,
  /** … and what is between them. */
  UnknownBack: 5,
  StaleOccupied: 6,
  /** Occupied with value 1; each number above is one more, up to 10. */
  Occupied: 7,
  /** The same in the same order, where fewer than half of some cells are. */
  Sparse: 17,
} as const;

type Rgb = readonly [red: number, green: number, blue: number];

/** In the order of {@linkcode Color}: 24-bit, and the nearest that suits of the 256. */
const COLORS: readonly (readonly [Rgb, number])[] = [
  [[0, 0, 0], 0], // never used: the terminal's own has a code of its own
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
];

const COLOR_BITS = 8;
const COLOR_MASK = (1 << COLOR_BITS) - 1;
const BOLD_BIT = 1 << (2 * COLOR_BITS);

/** A foreground, a background and a weight as one number; 0 is plain text. */
export type Style = number;

/** Plain text. */
export const PLAIN: Style = 0;
/** Text that is less important. */
export const DIM: Style = Color.Dim;
/** Text that is more important. */
export const BOLD: Style = BOLD_BIT;

/** The style of two of the {@linkcode Color}s. */
export function styleOf(ink: number, paper: number = Color.Default): Style {
  return ink | paper << COLOR_BITS;
}

/** The foreground of a style. */
export function inkOf(style: Style): number {
  return style & COLOR_MASK;
}

/** The background of a style. */
export function paperOf(style: Style): number {
  return style >> COLOR_BITS & COLOR_MASK;
}

/** Whether a style is bold. */
export function isBold(style: Style): boolean {
  return (style & BOLD_BIT) !== 0;
}

/** The parameters of SGR (ECMA-48, 8.3.117) that set a foreground or a background. */
export function sgrColor(
  color: number,
  ground: "ink" | "paper",
  depth: ColorDepth,
): string {
  const set = ground === "ink" ? 38 : 48;
  if (color === Color.Default) return String(set + 1);
  const [rgb, index] = COLORS[color]!;
  return depth === "truecolor"
    ? `${set};2;${rgb.join(";")}`
    : `${set};5;${index}`;
}

/**
 * The colour of a level; {@linkcode Color.Default} where there is nothing.
 *
 * @param sparse Whether fewer than half of the cells meant are occupied
 */
export function colorOfLevel(level: number, sparse: boolean = false): number {
  const color = LEVEL_COLORS[level]!;
  return sparse && level >= Level.Occupied
    ? color - Color.Occupied + Color.Sparse
    : color;
}

/** The character of a level where there are no colours: each has a shape of its own. */
export function glyphOfLevel(level: number): string {
  return LEVEL_GLYPHS[level]!;
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
