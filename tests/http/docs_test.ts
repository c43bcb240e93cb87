/** Runs the examples of docs/HTTP.md in order on a new server. */
import assert from "node:assert/strict";
import { MemoryHistory } from "../support/memory_history.ts";
import { needs } from "../support/needs.ts";
import { ROOT, Running } from "../support/processes.ts";
import { startServer } from "./support.ts";

/** Members that differ in each run. */
const VARYING_MEMBERS = [
  "time",
  "began",
  "age",
  "lastReading",
  "since",
  "version",
  "rate",
];

interface Example {
  readonly command: string;
  /** The output in the document; undefined if it has none. */
  readonly expected: string | undefined;
  /** Language of the output's code block. */
  readonly format: string | undefined;
}

function examples(): Example[] {
  const page = Deno.readTextFileSync(`${ROOT}docs/HTTP.md`);
  const block = /```sh\n([^`]+)```\n(?:\n```(json|text)\n([^`]+)```)?/g;
  return [...page.matchAll(block)].map(([, command, format, expected]) => ({
    command: command!,
    format,
    expected,
  }));
}

Deno.test({
  name: "every example of docs/HTTP.md has the documented output",
  ...needs("curl", "sh"),
  fn: async () => {
    const now = Date.now();
    const history = new MemoryHistory({
      records: [{ at: now - 5_400_000, x: 1, y: 2, value: 3 }],
      ...{ oldest: 0, now: () => now + 86_400_000, zones: ["lobby"] },
    });
    await using server = await startServer({ history });
    const all = examples();
    assert.ok(all.length >= 10, `${all.length} examples`);
    for (const { command, expected, format } of all) {
      const localCommand = command.replaceAll(
        "http://127.0.0.1:8080",
        server.url,
      );
      await using shell = new Running("sh", ["-c", localCommand]);
      const { code, stdout, stderr } = await shell.ended();
      assert.equal(code, 0, `${command}${stderr}`);
      if (format === "json") {
        assert.deepEqual(
          maskMembers(JSON.parse(stdout)),
          maskMembers(JSON.parse(expected!)),
          command,
        );
      } else if (format === "text") {
        assert.deepEqual(maskTimes(stdout), maskTimes(expected!), command);
      }
    }
  },
});

/** Replaces values that differ in each run. */
function maskMembers(value: unknown): unknown {
  const text = JSON.stringify(
    value,
    (key, inner) => VARYING_MEMBERS.includes(key) ? 0 : inner,
  );
  return JSON.parse(maskTimes(text));
}

function maskTimes(text: string): string {
  return text.trim().replace(/\d{13}/g, "0");
}
