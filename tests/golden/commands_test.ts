/** What every command prints is held against texts that somebody has looked at. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import kept from "./commands.json" with { type: "json" };
import { COMMAND_LINES, printAll } from "./commands.ts";
import { COMMANDS } from "../../src/cli/commands/mod.ts";

// deno-lint-ignore no-control-regex -- the escapes are what is looked for
const ESCAPE = /\x1b\[[0-9;?]*[A-Za-z]/g;
const widthOf = (line: string) => [...line.replace(ESCAPE, "")].length;

Deno.test({
  name: "every command prints what is kept, in terminals and in a pipe",
  ...needs("script"),
  fn: async () => {
    const printed = await printAll();
    assert.deepEqual(
      Object.fromEntries(
        printed.map(({ name, text }) => [name, text.split("\n")]),
      ),
      kept,
      "If this was meant: deno run --allow-all tests/golden/keep.ts",
    );
    for (const { name, text, plain } of printed) {
      assert.doesNotMatch(plain, ESCAPE, `${name}, with NO_COLOR`);
      // A map has other characters where it has no colours.
      if (name.includes("--map")) continue;
      assert.equal(plain, text.replace(ESCAPE, ""), `${name}, with NO_COLOR`);
    }
  },
});

Deno.test({
  name:
    "the kept texts: no escape in a pipe, and help no wider than the terminal",
  permissions: "none",
  fn: () => {
    for (const [name, lines] of Object.entries<string[]>(kept)) {
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
  name: "help of every command is among the kept texts",
  permissions: "none",
  fn: () => {
    for (const { name } of COMMANDS) {
      assert.ok(COMMAND_LINES.includes(`${name} --help`), name);
    }
  },
});
