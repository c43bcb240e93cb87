/**
 * Selects the first of many items without sorting all of them.
 *
 * @module
 */

/** Returns a negative number if a comes before b. Never 0 for different items. */
type Compare = (a: number, b: number) => number;

/**
 * Returns the first `count` of the numbers 0 to `size - 1`, in order. Costs one
 * comparison for most of the numbers.
 */
export function firstOf(
  size: number,
  count: number,
  compare: Compare,
): number[] {
  /** A heap: each item comes after its children at 2i + 1 and 2i + 2. */
  const heap: number[] = [];
  for (let item = 0; item < size; item++) {
    if (heap.length < count) {
      heap.push(item);
      moveUp(heap, compare);
    } else if (count > 0 && compare(item, heap[0]!) < 0) {
      heap[0] = item;
      moveDown(heap, compare);
    }
  }
  return heap.sort(compare);
}

/** Restores the heap after its last item was added. */
function moveUp(heap: number[], compare: Compare): void {
  let at = heap.length - 1;
  while (at > 0) {
    const parent = at - 1 >> 1;
    if (compare(heap[at]!, heap[parent]!) < 0) return;
    swap(heap, at, parent);
    at = parent;
  }
}

/** Restores the heap after its first item was replaced. */
function moveDown(heap: number[], compare: Compare): void {
  for (let at = 0;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) return;
    const right = left + 1;
    const child = right < heap.length && compare(heap[right]!, heap[left]!) > 0
      ? right
      : left;
    if (compare(heap[child]!, heap[at]!) < 0) return;
    swap(heap, at, child);
    at = child;
  }
}

function swap(heap: number[], a: number, b: number): void {
  [heap[a], heap[b]] = [heap[b]!, heap[a]!];
}
