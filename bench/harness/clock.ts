/** Milliseconds since 1970, to the microsecond, the same in all processes of a machine. */
export function epoch(): number {
  return performance.timeOrigin + performance.now();
}
