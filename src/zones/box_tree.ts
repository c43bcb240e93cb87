/**
 * A tree of rectangles over items that are in a useful order: a packed R-tree
 * that is built once and never changed.
 *
 * Groups of 8 items that follow each other have a box, groups of 8 groups have
 * one, and so on up to one box. So the items near a place are found in about as
 * many steps as there are such items.
 *
 * @module
 */

/** Items of a group, and groups of a group. */
const GROUP_BITS = 3;

/** A rectangle with its edges, x0 <= x1, y0 <= y1. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** The box of nothing: touches no other, and is part of all. */
const NO_BOX: Box = {
  x0: Infinity,
  y0: Infinity,
  x1: -Infinity,
  y1: -Infinity,
};

/** Chooses the groups that {@linkcode BoxTree.visit} enters. */
export interface BoxVisitor {
  /**
   * Receives the box of the items from `first` to before `end`.
   *
   * @returns true if the groups, or the items, in it are to be visited
   */
  enter(
    x0: number,
    y0: number,
    x1: number,
    y1: number,
    first: number,
    end: number,
  ): boolean;
  /** Receives an item of an entered group. */
  item(item: number): void;
}

/** A tree over the boxes of items 0, 1, 2... */
export class BoxTree {
  /** Number of items. */
  readonly length: number;
  /**
   * The boxes of groups of 8 items, of 64 items..., the last level with one
   * group. Four numbers a box: x0, y0, x1, y1.
   */
  readonly #levels: Float64Array[] = [];

  /**
   * @param length number of items
   * @param boxOf returns the box of an item
   */
  constructor(length: number, boxOf: (item: number) => Box) {
    this.length = length;
    if (length === 0) return;
    let level = emptyBoxes(groups(length));
    for (let item = 0; item < length; item++) {
      const { x0, y0, x1, y1 } = boxOf(item);
      include(level, item >> GROUP_BITS, x0, y0, x1, y1);
    }
    this.#levels.push(level);
    for (let count = level.length / 4; count > 1; count = groups(count)) {
      const below = level;
      level = emptyBoxes(groups(count));
      for (let i = 0; i < count; i++) {
        const [x0, y0, x1, y1] = below.subarray(4 * i, 4 * i + 4);
        include(level, i >> GROUP_BITS, x0!, y0!, x1!, y1!);
      }
      this.#levels.push(level);
    }
  }

  /** The box of all items. */
  get bounds(): Box {
    const top = this.#levels.at(-1);
    if (top === undefined) return NO_BOX;
    return { x0: top[0]!, y0: top[1]!, x1: top[2]!, y1: top[3]! };
  }

  /** Visits the items of the groups that a visitor enters, in their order. */
  visit(visitor: BoxVisitor): void {
    if (this.length > 0) this.#visit(this.#levels.length - 1, 0, visitor);
  }

  #visit(level: number, group: number, visitor: BoxVisitor): void {
    const boxes = this.#levels[level]!;
    const box = 4 * group;
    const shift = (level + 1) * GROUP_BITS;
    const entered = visitor.enter(
      boxes[box]!,
      boxes[box + 1]!,
      boxes[box + 2]!,
      boxes[box + 3]!,
      group << shift,
      Math.min(group + 1 << shift, this.length),
    );
    if (!entered) return;
    const first = group << GROUP_BITS;
    const end = first + (1 << GROUP_BITS);
    if (level === 0) {
      const last = Math.min(end, this.length);
      for (let item = first; item < last; item++) visitor.item(item);
    } else {
      const last = Math.min(end, this.#levels[level - 1]!.length / 4);
      for (let i = first; i < last; i++) this.#visit(level - 1, i, visitor);
    }
  }
}

function groups(count: number): number {
  return Math.ceil(count / (1 << GROUP_BITS));
}

function emptyBoxes(count: number): Float64Array {
  const boxes = new Float64Array(4 * count);
  for (let i = 0; i < boxes.length; i++) {
    boxes[i] = (i & 2) === 0 ? Infinity : -Infinity;
  }
  return boxes;
}

/** Grows a box to include another. */
function include(
  boxes: Float64Array,
  group: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  const box = 4 * group;
  boxes[box] = Math.min(boxes[box]!, x0);
  boxes[box + 1] = Math.min(boxes[box + 1]!, y0);
  boxes[box + 2] = Math.max(boxes[box + 2]!, x1);
  boxes[box + 3] = Math.max(boxes[box + 3]!, y1);
}

/**
 * Returns the numbers of boxes in an order in which neighbours in space are
 * near each other: along a Z-order curve (Morton, 1966) through their centres.
 */
export function spatialOrder(boxes: readonly Box[]): number[] {
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x0, y0, x1, y1 } of boxes) {
    left = Math.min(left, x0 + x1);
    bottom = Math.min(bottom, y0 + y1);
    right = Math.max(right, x0 + x1);
    top = Math.max(top, y0 + y1);
  }
  // 16 bits for each axis. Without an extent, all boxes get 0.
  const scaleX = 0xffff / Math.max(right - left, Number.MIN_VALUE);
  const scaleY = 0xffff / Math.max(top - bottom, Number.MIN_VALUE);
  const codes = boxes.map(({ x0, y0, x1, y1 }) =>
    spread((x0 + x1 - left) * scaleX) +
    2 * spread((y0 + y1 - bottom) * scaleY)
  );
  return boxes.map((_, i) => i).sort((a, b) => codes[a]! - codes[b]!);
}

/** Puts a zero before each of the lowest 16 bits of a number. */
function spread(value: number): number {
  let bits = value & 0xffff;
  bits = (bits | bits << 8) & 0x00ff00ff;
  bits = (bits | bits << 4) & 0x0f0f0f0f;
  bits = (bits | bits << 2) & 0x33333333;
  return (bits | bits << 1) & 0x55555555;
}
