/**
 * A sorted list of numbers in blocks, so that a change moves few of them.
 *
 * @module
 */

/** A block with more is divided. */
const MAX_BLOCK = 512;

/** The elements before and after another; undefined at an end. */
export type Neighbours = [
  before: number | undefined,
  after: number | undefined,
];

/**
 * A list that an order of its elements keeps sorted, with O(log n) comparisons
 * for each change.
 */
export class SortedBlocks {
  readonly #compare: (a: number, b: number) => number;
  /** None is empty. */
  readonly #blocks: number[][] = [];

  /** @param compare the order: below 0 if `a` is before `b` */
  constructor(compare: (a: number, b: number) => number) {
    this.#compare = compare;
  }

  /** Adds an element. Returns its neighbours. */
  add(element: number): Neighbours {
    if (this.#blocks.length === 0) {
      this.#blocks.push([element]);
      return [undefined, undefined];
    }
    const [block, at] = this.#find(element);
    const elements = this.#blocks[block]!;
    elements.splice(at, 0, element);
    const neighbours = this.#around(block, at);
    if (elements.length > MAX_BLOCK) {
      this.#blocks.splice(block + 1, 0, elements.splice(MAX_BLOCK / 2));
    }
    return neighbours;
  }

  /** Removes an element. Returns the elements between which it was. */
  remove(element: number): Neighbours {
    let [block, at] = this.#find(element);
    if (this.#blocks[block]?.[at] !== element) {
      // The order is not one: rounding can make a before b before c before a.
      block = this.#blocks.findIndex((elements) => elements.includes(element));
      if (block < 0) throw new RangeError("not an element");
      at = this.#blocks[block]!.indexOf(element);
    }
    const neighbours = this.#around(block, at);
    const elements = this.#blocks[block]!;
    elements.splice(at, 1);
    if (elements.length === 0) this.#blocks.splice(block, 1);
    return neighbours;
  }

  /** Where an element is, or would be: the first place not before it. */
  #find(element: number): [block: number, at: number] {
    const blocks = this.#blocks;
    const block = Math.max(
      0,
      countBefore(
        blocks.length,
        (i) => this.#compare(blocks[i]![0]!, element) <= 0,
      ) - 1,
    );
    const elements = blocks[block] ?? [];
    const at = countBefore(
      elements.length,
      (i) => this.#compare(elements[i]!, element) < 0,
    );
    return [block, at];
  }

  #around(block: number, at: number): Neighbours {
    const elements = this.#blocks[block]!;
    return [
      at > 0 ? elements[at - 1] : this.#blocks[block - 1]?.at(-1),
      at + 1 < elements.length
        ? elements[at + 1]
        : this.#blocks[block + 1]?.[0],
    ];
  }
}

/** Binary search: how many of the first places fulfil a condition. */
function countBefore(length: number, isBefore: (i: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
