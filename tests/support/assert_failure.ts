import assert from "node:assert/strict";
import type { Ended } from "./processes.ts";

/**
 * Asserts that a command failed with the exit code, a message and, if given, a
 * hint, and printed nothing to stdout and no stack trace.
 *
 * @param ended the command
 * @param code the expected exit code
 * @param message what stderr must match
 * @param hint what the hint must match
 */
export function assertFailure(
  ended: Ended,
  code: number,
  message: RegExp,
  hint?: RegExp,
): void {
  const { stdout, stderr } = ended;
  assert.equal(ended.code, code, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, message);
  if (hint !== undefined) {
    assert.match(/^ {2}hint: (.*)$/m.exec(stderr)?.[1] ?? "", hint);
  }
  assert.doesNotMatch(
    stderr,
    /^ {4}at |^occupancy: Internal error|undefined|\[object/m,
  );
}
