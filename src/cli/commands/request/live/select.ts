/**
 * The first `count` of the numbers below `size` in some order, without sorting
 * the others: costs a comparison for most of them.
 *
 * @param compare Negative if `a` comes before `b`; never 0 for different ones
 */
export function firstOf(
  size: number,
  count: number,
  compare: (a: number, b: number) => number,
): number[] {
  /** A heap: each comes after the two at 2i + 1 and 2i + 2, so the first is the last. */
  const heap: number[] = [];
  for (let one = 0; one < size; one++) {
    if (heap.length < count) {
      heap.push(one);
      rise(heap, compare);
    } else if (count > 0 && compare(one, heap[0]!) < 0) {
      heap[0] = one;
      sink(heap, compare);
    }
  }
  return heap.sort(compare);
}

function rise(heap: number[], compare: (a: number, b: number) => number): void {
  let at = heap.length - 1;
  while (at > 0) {
    const parent = at - 1 >> 1;
    if (compare(heap[at]!, heap[parent]!) < 0) return;
    swap(heap, at, parent);
    at = parent;
  }
}

function sink(heap: number[], compare: (a: number, b: number) => number): void {
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
