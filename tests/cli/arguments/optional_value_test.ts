/** Options whose value is optional, such as `--home-assistant[=PREFIX]`. */
import assert from "node:assert/strict";
import { AppError } from "../../../src/common/errors.ts";
import { readWords } from "../../../src/cli/arguments/parse.ts";
import { parsePrefix } from "../../../src/cli/arguments/name_values.ts";
import {
  flagsOf,
  resolveSettings,
} from "../../../src/cli/arguments/settings.ts";
import type { OptionSpec } from "../../../src/cli/arguments/spec.ts";
import { meaningOf, usageOf } from "../../../src/cli/help/option_text.ts";

const HOME: OptionSpec = {
  name: "home",
  value: "prefix",
  implied: "standard",
  summary: "show it",
  parse: parsePrefix,
};
const QUIET: OptionSpec = { name: "quiet", short: "q", summary: "be quiet" };
const OPTIONS = [HOME, QUIET];

/** Returns the value of --home. */
function valueOf(
  words: readonly string[],
  { env = {}, file = {} }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly file?: Readonly<Record<string, string | boolean>>;
  } = {},
): unknown {
  const settings = resolveSettings(OPTIONS, {
    flags: readWords(words, OPTIONS, "occupancy x").flags,
    env: (name) => env[name],
    file: new Map(
      Object.entries(file).map(([key, value]) => [key, { value, where: key }]),
    ),
  });
  return flagsOf(settings).home;
}

Deno.test({
  name: "an option with an optional value: words",
  permissions: "none",
  fn: () => {
    assert.equal(valueOf([]), undefined);
    assert.equal(valueOf(["--home"]), "standard");
    assert.equal(valueOf(["--home=other"]), "other");
    assert.equal(valueOf(["--home=a/b", "--quiet"]), "a/b");
    assert.equal(valueOf(["--home", "--quiet"]), "standard");
    assert.equal(valueOf(["--no-home"]), undefined);
    assert.equal(valueOf(["--home=true"]), "standard");
  },
});

Deno.test({
  name: "an option with an optional value: variables and the file",
  permissions: "none",
  fn: () => {
    const OCCUPANCY_HOME = "other";
    assert.equal(valueOf([], { env: { OCCUPANCY_HOME } }), "other");
    assert.equal(valueOf(["--home"], { env: { OCCUPANCY_HOME } }), "standard");
    assert.equal(
      valueOf(["--no-home"], { env: { OCCUPANCY_HOME } }),
      undefined,
    );
    for (const on of ["1", "true", "YES", "on"]) {
      assert.equal(valueOf([], { env: { OCCUPANCY_HOME: on } }), "standard");
    }
    for (const off of ["0", "false", "no", ""]) {
      assert.equal(valueOf([], { env: { OCCUPANCY_HOME: off } }), undefined);
    }
    assert.equal(valueOf([], { file: { home: true } }), "standard");
    assert.equal(valueOf([], { file: { home: false } }), undefined);
    assert.equal(valueOf([], { file: { home: "other" } }), "other");
    assert.equal(
      valueOf([], { env: { OCCUPANCY_HOME: "no" }, file: { home: true } }),
      undefined,
      "a variable wins over the file",
    );
  },
});

Deno.test({
  name: "an option with an optional value: errors say what to write",
  permissions: "none",
  fn: () => {
    const cases: [words: string[], message: RegExp, hint: RegExp][] = [
      [["--home", "other"], /Unexpected argument: other/, /--home=other/],
      [["--home="], /Missing value of --home/, /--home, or --home=<prefix>/],
      [["--home=a#"], /Invalid --home|wildcard/, /topic levels/],
      [["--no-home=a"], /does not take a value/, /without "="/],
      [["--home", "--no-home"], /Cannot use --home with --no-home/, /one of/],
      [["--home=a", "--home=b"], /Cannot use --home twice/, /once/],
      [["--home=a", "--home"], /Cannot use --home twice/, /once/],
      [["--home", "--home=a"], /Cannot use --home twice/, /once/],
    ];
    for (const [words, message, hint] of cases) {
      assert.throws(() => valueOf(words), (error) => {
        assert.ok(error instanceof AppError, String(error));
        assert.match(error.message, message);
        assert.match(error.hint ?? "", hint, words.join(" "));
        return true;
      });
    }
  },
});

Deno.test({
  name: "an option with an optional value: help",
  permissions: "none",
  fn: () => {
    assert.equal(usageOf(HOME), "--home[=<prefix>]");
    assert.equal(meaningOf(HOME), "show it (without a value: standard)");
  },
});
