/**
 * Returns a generator of integers from 0 to `below` - 1, for `below` up to
 * 2^32. The same seed gives the same numbers (xorshift32; Marsaglia 2003).
 *
 * @param seed an int32; 0 is used as 1
 */
export function randomIntegers(seed: number): (below: number) => number {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
