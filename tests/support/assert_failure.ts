import assert from "node:assert/strict";
import type { Ended } from "./processes.ts";

/**
 * Asserts that a command failed as people expect it: the exit code, a sentence,
 * a hint if one is given, nothing on stdout, and no stack trace.
 */
export function assertTold(
  ended: Ended,
  code: number,
  sentence: RegExp,
  hint?: RegExp,
): void {
  const { stdout, stderr } = ended;
  assert.equal(ended.code, code, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, sentence);
  if (hint !== undefined) {
    assert.match(/^ {2}hint: (.*)$/m.exec(stderr)?.[1] ?? "", hint);
  }
  assert.doesNotMatch(
    stderr,
    /^ {4}at |^occupancy: Internal error|undefined|\[object/m,
  );
}
