/**
 * Input and output of a program of `bench/programs`: commands and reports of
 * the harness, as lines of JSON, with times of one clock.
 *
 * @module
 */

/** The time, ms since 1970 with µs, comparable between processes. */
export function epoch(): number {
  return performance.timeOrigin + performance.now();
}

/** Prints a report, which the harness reads. */
export function report(message: unknown): void {
  console.log(JSON.stringify(message));
}

/** Reads the commands of the harness, one at a time. */
export async function* commands<T>(): AsyncGenerator<T> {
  let rest = "";
  for await (
    const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}
