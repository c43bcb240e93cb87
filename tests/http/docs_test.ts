/** The examples of docs/HTTP.md, run one after the other on a fresh server. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { ROOT, Running } from "../support/processes.ts";
import { startServer } from "./support.ts";

/** What is another at each run. */
const VOLATILE = ["time", "began", "age"];

interface Example {
  readonly command: string;
  /** What it prints, if the page says so. */
  readonly expected: string | undefined;
  readonly form: string | undefined;
}

function examples(): Example[] {
  const page = Deno.readTextFileSync(`${ROOT}docs/HTTP.md`);
  const block = /```sh\n([^`]+)```\n(?:\n```(json|text)\n([^`]+)```)?/g;
  return [...page.matchAll(block)].map(([, command, form, expected]) => ({
    command: command!,
    form,
    expected,
  }));
}

Deno.test({
  name: "every example of docs/HTTP.md does what the page says",
  ...needs("curl", "sh"),
  fn: async () => {
    await using server = await startServer();
    const all = examples();
    assert.ok(all.length >= 10, `${all.length} examples`);
    for (const { command, expected, form } of all) {
      const here = command.replaceAll("http://127.0.0.1:8080", server.url);
      await using shell = new Running("sh", ["-c", here]);
      const { code, stdout, stderr } = await shell.ended();
      assert.equal(code, 0, `${command}${stderr}`);
      if (form === "json") {
        assert.deepEqual(
          steady(JSON.parse(stdout)),
          steady(JSON.parse(expected!)),
          command,
        );
      } else if (form === "text") {
        assert.deepEqual(timeless(stdout), timeless(expected!), command);
      }
    }
  },
});

/** Without what is another at each run. */
function steady(value: unknown): unknown {
  const text = JSON.stringify(
    value,
    (key, inner) => VOLATILE.includes(key) ? 0 : inner,
  );
  return JSON.parse(timeless(text));
}

function timeless(text: string): string {
  return text.trim().replace(/\d{13}/g, "0");
}
