/** Compares the output of every command with golden texts. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import golden from "./commands.json" with { type: "json" };
import { COMMAND_LINES, runAll } from "./commands.ts";
import { COMMANDS } from "../../src/cli/commands/mod.ts";

// deno-lint-ignore no-control-regex -- escape sequences are control characters
const ESCAPE = /\x1b\[[0-9;?]*[A-Za-z]/g;
const widthOf = (line: string) => [...line.replace(ESCAPE, "")].length;

Deno.test({
  name: "every command prints its golden text, in terminals and in a pipe",
  ...needs("script"),
  fn: async () => {
    const outputs = await runAll();
    assert.deepEqual(
      Object.fromEntries(
        outputs.map(({ name, text }) => [name, text.split("\n")]),
      ),
      golden,
      "If the change is intended: deno run --allow-all tests/golden/update.ts",
    );
    for (const { name, text, plain } of outputs) {
      assert.doesNotMatch(plain, ESCAPE, `${name}, with NO_COLOR`);
      // A map without colours has other characters.
      if (name.includes("--map")) continue;
      assert.equal(plain, text.replace(ESCAPE, ""), `${name}, with NO_COLOR`);
    }
  },
});

Deno.test({
  name: "golden texts: no escape sequences in a pipe, help fits the terminal",
  permissions: "none",
  fn: () => {
    for (const [name, lines] of Object.entries<string[]>(golden)) {
      if (name.startsWith("pipe:")) {
        assert.doesNotMatch(lines.join("\n"), ESCAPE, name);
      }
      const columns = Number(/^(\d+) columns/.exec(name)?.[1] ?? 80);
      if (!name.includes("--help")) continue;
      for (const line of lines) assert.ok(widthOf(line) <= columns, line);
      const text = lines.join("\n");
      assert.match(text, /^.*Usage:/, name);
      assert.match(text, /Examples:[^]*\n( {2,}.*\n)+exit 0$/, name);
    }
  },
});

Deno.test({
  name: "golden texts include the help of every command",
  permissions: "none",
  fn: () => {
    for (const { name } of COMMANDS) {
      assert.ok(COMMAND_LINES.includes(`${name} --help`), name);
    }
  },
});
