/** Settings from flags, variables and the configuration file. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { AppError } from "../../../src/common/errors.ts";
import type { OptionSpec } from "../../../src/cli/arguments/spec.ts";
import {
  flagsOf,
  resolveSettings,
  type Source,
} from "../../../src/cli/arguments/settings.ts";
import { readWords } from "../../../src/cli/arguments/parse.ts";
import { parseWait } from "../../../src/cli/arguments/number_values.ts";
import { assertFailure } from "../../support/assert_failure.ts";
import { needs } from "../../support/needs.ts";
import { runOccupancy } from "../../support/processes.ts";
import { tempDir } from "../../support/temp.ts";

const WAIT: OptionSpec = {
  name: "max-wait",
  short: "w",
  value: "duration",
  summary: "how long",
  default: "5s",
  parse: parseWait,
};
const LOUD: OptionSpec = { name: "loud", short: "l", summary: "be loud" };
const ASK: OptionSpec = { name: "ask", summary: "do not ask", defaultOn: true };
const SOFT: OptionSpec = {
  name: "soft",
  summary: "be soft",
  conflictsWith: ["loud"],
  conflictHint: "Loud is not soft.",
};
const OPTIONS = [WAIT, LOUD, ASK, SOFT];

/** Settings by their source. */
interface Given {
  readonly words?: string[];
  readonly env?: Record<string, string>;
  readonly file?: Record<string, string | boolean>;
}

function settled({ words = [], env = {}, file }: Given) {
  return resolveSettings(OPTIONS, {
    flags: readWords(words, OPTIONS, "occupancy test").flags,
    env: (name) => env[name],
    file: file && new Map(
      Object.entries(file).map(([key, value]) => [key, {
        value,
        where: `${key} in x.toml`,
      }]),
    ),
  });
}

function refused(run: () => unknown, message: RegExp, hint: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.exitClass, "usage");
    assert.match(error.message, message);
    assert.match(error.hint ?? "", hint);
    return true;
  });
}

Deno.test({
  name:
    "resolveSettings(): flags win over variables, variables over the file, the file over defaults",
  permissions: "none",
  fn: () => {
    const sources = fc.record({
      flag: fc.boolean(),
      environment: fc.boolean(),
      file: fc.boolean(),
    });
    fc.assert(fc.property(sources, ({ flag, environment, file }) => {
      const { source, value } = settled({
        words: flag ? ["--max-wait", "1s"] : [],
        env: environment ? { OCCUPANCY_MAX_WAIT: "2s" } : {},
        ...(file && { file: { "max-wait": "3s" } }),
      })[0]!;
      const expected: [Source, number] = flag
        ? ["flag", 1000]
        : environment
        ? ["environment", 2000]
        : file
        ? ["file", 3000]
        : ["default", 5000];
      assert.deepEqual([source, value], expected);
    }));
  },
});

Deno.test({
  name: "resolveSettings() reports an invalid value with its place and a hint",
  permissions: "none",
  fn: () => {
    const cases: [Given, RegExp][] = [
      [{ words: ["--max-wait", "soon"] }, /^Invalid --max-wait "soon"$/],
      [
        { env: { OCCUPANCY_MAX_WAIT: "x" } },
        /^Invalid OCCUPANCY_MAX_WAIT "x"$/,
      ],
      [{ file: { "max-wait": "x" } }, /^Invalid max-wait in x\.toml "x"$/],
    ];
    for (const [given, message] of cases) {
      refused(() => settled(given), message, /500ms/);
    }
    refused(
      () => settled({ env: { OCCUPANCY_LOUD: "maybe" } }),
      /Invalid OCCUPANCY_LOUD "maybe"/,
      /true or false/,
    );
  },
});

Deno.test({
  name: "resolveSettings() reads switches; --no-NAME overrides other sources",
  permissions: "none",
  fn: () => {
    const flags = (given: Given) => flagsOf(settled(given));
    assert.deepEqual(flags({}), { maxWait: 5000, ask: true });
    assert.equal(flags({ words: ["--no-ask"] })["ask"], false);
    assert.equal(flags({ env: { OCCUPANCY_ASK: "off" } })["ask"], false);
    assert.equal(flags({ file: { ask: false } })["ask"], false);
    assert.equal(flags({ words: ["-l"] })["loud"], true);
    assert.equal(flags({ env: { OCCUPANCY_LOUD: "1" } })["loud"], true);
    const off = flags({ words: ["--no-loud"], file: { loud: true } });
    assert.equal("loud" in off, false);
    // An empty variable counts as not set.
    assert.equal("loud" in flags({ env: { OCCUPANCY_LOUD: "" } }), false);
  },
});

Deno.test({
  name:
    "resolveSettings() resolves a conflict in favour of the stronger source",
  permissions: "none",
  fn: () => {
    const loud = flagsOf(settled({ words: ["--loud"], file: { soft: true } }));
    assert.deepEqual([loud["loud"], loud["soft"]], [true, undefined]);
    const soft = flagsOf(
      settled({ words: ["--soft"], env: { OCCUPANCY_LOUD: "1" } }),
    );
    assert.deepEqual([soft["loud"], soft["soft"]], [undefined, true]);
    refused(
      () => settled({ words: ["--loud", "--soft"] }),
      /Cannot use --soft with --loud/,
      /Loud is not soft/,
    );
  },
});

Deno.test({
  name: "readWords() reads negative numbers as values, and options as options",
  permissions: "none",
  fn: () => {
    const read = (...words: string[]) =>
      readWords(words, OPTIONS, "occupancy test");
    assert.equal(read("--max-wait", "-1,4").flags.get("max-wait"), "-1,4");
    assert.equal(read("-w", "3").flags.get("max-wait"), "3");
    assert.equal(read("-lw3").flags.get("max-wait"), "3");
    assert.equal(read("--max-wait=--x").flags.get("max-wait"), "--x");
    assert.deepEqual(read("a", "--", "--loud").operands, ["a", "--loud"]);
    refused(
      () => read("--max-wait", "--loud"),
      /Missing value of --max-wait/,
      /duration/,
    );
    refused(
      () => read("--max-wait"),
      /Missing value of --max-wait/,
      /occupancy test --help/,
    );
    refused(() => read("--lowd"), /Unknown option: --lowd/, /--loud/);
    refused(() => read("--aks"), /Unknown option: --aks/, /--ask/);
    refused(() => read("--no-akk"), /Unknown option: --no-akk/, /--no-ask/);
    refused(() => read("--no-max-wait"), /Unknown option: --no-max-wait/, /./);
    refused(() => read("--loud=1"), /does not take a value/, /--loud without/);
    assert.equal(read("--nonsense", "--help").flags.get("help"), true);
  },
});

Deno.test({
  name: "readWords() refuses an option that is given twice",
  permissions: "none",
  fn: () => {
    const cases: [words: string[], message: RegExp][] = [
      [["--max-wait", "1", "--max-wait", "2"], /Cannot use --max-wait twice/],
      [["-w", "1", "--max-wait=1"], /Cannot use --max-wait twice/],
      [["--loud", "--no-loud"], /Cannot use --loud with --no-loud/],
    ];
    for (const [words, message] of cases) {
      assert.throws(() => readWords(words, OPTIONS, "occupancy x"), (error) => {
        assert.ok(error instanceof AppError);
        assert.match(error.message, message);
        assert.match(error.hint!, /once|one of them/);
        return true;
      });
    }
    // A switch twice means the same.
    const { flags } = readWords(["--loud", "--loud"], OPTIONS, "occupancy x");
    assert.equal(flags.get("loud"), true);
  },
});

Deno.test({
  name: "the variable of an option with words has several values",
  permissions: "none",
  fn: () => {
    const option = { name: "url", value: "u", summary: "x" };
    const fromEnv = (option: OptionSpec, variable: string) => {
      const env = (name: string) => name === "OCCUPANCY_URL" ? variable : "";
      return flagsOf(resolveSettings([option], { flags: new Map(), env }))[
        "url"
      ];
    };
    const words = { ...option, multiple: true, words: true } as const;
    assert.deepEqual(fromEnv(words, " a  b\tc\n"), ["a", "b", "c"]);
    assert.deepEqual(fromEnv(words, "a"), ["a"]);
    assert.deepEqual(fromEnv({ ...option, multiple: true }, "a b"), ["a b"]);
  },
});

Deno.test({
  name: "readWords() collects the values and operands of a repeatable option",
  permissions: "none",
  fn: () => {
    const options: OptionSpec[] = [
      { name: "file", short: "f", value: "p", summary: "x", multiple: true },
      { name: "layer", value: "n", summary: "x" },
    ];
    const { flags, operands } = readWords(
      ["a", "--file", "b", "--layer", "l", "-f", "c", "-"],
      options,
      "occupancy x",
      { operandOption: "file" },
    );
    assert.deepEqual(flags.get("file"), ["a", "b", "c", "-"]);
    assert.deepEqual(operands, []);
    const settings = resolveSettings(options, {
      flags,
      env: (name) => name === "OCCUPANCY_FILE" ? "of the environment" : "",
    });
    assert.deepEqual(flagsOf(settings), {
      file: ["a", "b", "c", "-"],
      layer: "l",
    });
    const fromEnv = resolveSettings(options, {
      flags: new Map(),
      env: (name) => name === "OCCUPANCY_FILE" ? "one" : "",
    });
    assert.deepEqual(flagsOf(fromEnv), { file: ["one"] });
    const file = new Map([
      ["file", { value: ["a", "b"], where: "file in x.toml" }],
    ]);
    const fromFile = resolveSettings(options, {
      flags: new Map(),
      env: () => undefined,
      file,
    });
    assert.deepEqual(flagsOf(fromFile), { file: ["a", "b"] });
    assert.throws(
      () =>
        resolveSettings(options, {
          flags: new Map(),
          env: () => undefined,
          file: new Map([
            ["layer", { value: ["a"], where: "layer in x.toml" }],
          ]),
        }),
      /Invalid layer in x.toml: a list/,
    );
  },
});

Deno.test({
  name: "a --config file that is not UTF-8, or a --layer, is a usage error",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const latin1 = Uint8Array.from(
      'layer = "B\xfcro"\n',
      (character) => character.charCodeAt(0),
    );
    const config = await folder.file("latin1.toml", latin1);
    assertFailure(
      await runOccupancy(["request", "--config", config]),
      2,
      /Cannot read \S+latin1\.toml: it is not valid UTF-8/,
      /Save the file as UTF-8/,
    );
    // As Deno passes an argument of the bytes of latin1.
    assertFailure(
      await runOccupancy(["request", "--layer", "B\ufffdro"]),
      2,
      /The layer name "B\ufffdro" is not valid UTF-8/,
      /Use a name/,
    );
  },
});

Deno.test({
  name: "all names in a --config file are checked: exit 2 and a hint",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const cases: [toml: string, message: RegExp, hint: RegExp][] = [
      ["brokr = 'x'", /Unknown setting: brokr/, /Did you mean broker\?/],
      ["stale_after = 5", /Unknown setting: stale_after/, /stale-after\?/],
      [
        "[sever]\nname = 'x'",
        /Unknown command: \[sever\]/,
        /Did you mean server\?/,
      ],
      [
        "[server]\nregion = 'x'",
        /Unknown setting: server\.region/,
        /flags|mean/,
      ],
      ["[client]\nfile = ", /line 2, column \d+: /, /TOML/],
      [
        "timeout = 1979-05-27",
        /Invalid timeout in \S+: a date/,
        /text, a number/,
      ],
      [
        "[request]\ntimeout = 0",
        /Invalid request\.timeout in \S+ "0"/,
        /more/,
      ],
      [
        "broker = 'http://a:b@c'",
        /Invalid scheme http.*\*\*\*.* \(broker in /,
        /mqtts/,
      ],
      ["json = 'maybe'", /Invalid json in \S+ "maybe"/, /true or false/],
    ];
    for (const [i, [toml, message, hint]] of cases.entries()) {
      const file = await folder.file(`${i}.toml`, toml);
      const ended = await runOccupancy(["request", "--config", file]);
      assertFailure(ended, 2, message, hint);
    }
    const absent = await runOccupancy(["request"], {
      env: { OCCUPANCY_CONFIG: `${folder.path}/absent.toml` },
    });
    assertFailure(absent, 2, /absent\.toml: no such file/, /--config/);
  },
});

Deno.test({
  name: "config prints each setting with its source, and masks passwords",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file(
      "occupancy.toml",
      `# for all commands
broker = "mqtt://ann:s3cret@broker.example"
timeout = 9
[request]
region = [-1, -2, 3, 4] # wins over the top level
map = true
[server]
max-skew = "10s"
`,
    );
    const env = { OCCUPANCY_LAYER: "hall/l2", OCCUPANCY_CONFIG: file };
    const ended = await runOccupancy(
      ["config", "--json", "request", "--timeout", "3s"],
      { env },
    );
    assert.equal(ended.code, 0, ended.stderr);
    const records = ended.stdout.trimEnd().split("\n")
      .map((line) => JSON.parse(line));
    const of = (option: string) => {
      const { command, ...rest } = records.find((one) => one.option === option);
      assert.equal(command, "request");
      return rest;
    };
    assert.deepEqual(of("timeout"), {
      option: "timeout",
      value: "3s",
      source: "flag",
      where: "--timeout",
    });
    assert.equal(of("layer").where, "OCCUPANCY_LAYER");
    assert.deepEqual(
      [of("region").value, of("region").where],
      ["-1,-2,3,4", `request.region in ${file}`],
    );
    assert.deepEqual([of("map").value, of("map").source], ["true", "file"]);
    assert.equal(of("broker").value, "mqtt://ann:***@broker.example");
    assert.equal(of("prefix").source, "default");
    assert.equal(of("at").source, "unset");

    const table = await runOccupancy(["config"], { env });
    assert.match(table.stdout, /^occupancy server\nsetting +value +source\n/);
    assert.match(table.stdout, /^max-skew +10s +server\.max-skew in /m);
    assert.match(table.stdout, /^\noccupancy request$/m);
    assert.doesNotMatch(table.stdout + ended.stdout, /s3cret/);
    const typo = await runOccupancy(["config", "sever"]);
    assertFailure(typo, 2, /Unknown command: sever/, /Did you mean server\?/);
    const wrong = await runOccupancy(["config", "server", "--max-skwe", "1s"]);
    assertFailure(wrong, 2, /Unknown option: --max-skwe/, /--max-skew/);
  },
});
