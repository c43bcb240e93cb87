import assert from "node:assert/strict";
import {
  hintForOption,
  hintForWord,
} from "../../../src/cli/arguments/hints.ts";
import { unknownVariables } from "../../../src/cli/arguments/unknown_variables.ts";
import { COMMANDS } from "../../../src/cli/commands/mod.ts";
import { assertFailure } from "../../support/assert_failure.ts";
import { needs } from "../../support/needs.ts";
import {
  forEachAtOnce,
  ROOT,
  Running,
  runOccupancy,
} from "../../support/processes.ts";

async function optionsOf(command: string) {
  const { loadSpec } = COMMANDS.find(({ name }) => name === command)!;
  return (await loadSpec()).options;
}

Deno.test({
  name: "hintForWord() names the option that a word was probably meant for",
  permissions: "none",
  fn: async () => {
    const cases: [command: string, word: string, hint: string][] = [
      ["request", "x.json", "Did you mean occupancy client --file x.json?"],
      ["simulate", "x.csv", "Did you mean occupancy client --file x.csv?"],
      ["request", "3,4", "Did you mean --at 3,4?"],
      ["request", "-1,4", "Did you mean --at=-1,4?"],
      ["request", "0,0,9,9", "Did you mean --region 0,0,9,9?"],
      ["request", "hall/l2", "Did you mean --layer hall/l2?"],
      ["request", "watch", "Did you mean --watch?"],
      ["request", "help", "Did you mean --help?"],
      ["request", "json", "Did you mean --json?"],
      ["request", "timeout", "Did you mean --timeout <duration>?"],
      ["simulate", "desks", "Did you mean --scene desks?"],
      ["simulate", "10m", "Did you mean --duration 10m?"],
      ["server", "map.db", "Did you mean --store sqlite:map.db?"],
      ["server", "sqlite:map", "Did you mean --store sqlite:map?"],
      ["server", "map.yaml", "Did you mean --map-file map.yaml?"],
      ["server", "my.toml", "Did you mean --config my.toml?"],
      ["server", "0.0.0.0:1883", "Did you mean --listen 0.0.0.0:1883?"],
      ["request", "broker:1883", "Did you mean --broker broker:1883?"],
      [
        "request",
        "mqtt://ann:s3cret@host",
        "Did you mean --broker mqtt://ann:***@host?",
      ],
      ["server", "*", ""],
      ["server", "8080", ""],
    ];
    for (const [command, word, hint] of cases) {
      assert.equal(hintForWord(word, await optionsOf(command)), hint);
    }
  },
});

Deno.test({
  name:
    "hintForOption() explains options of mosquitto_pub and negative coordinates",
  permissions: "none",
  fn: async () => {
    const cases: [command: string, option: string, hint: RegExp][] = [
      ["request", "-p", /--broker mqtt:\/\/HOST:PORT/],
      ["request", "-u", /--user NAME/],
      ["client", "-P", /--password-file FILE, or set OCCUPANCY_PASSWORD/],
      ["client", "--host", /--broker mqtt:\/\/HOST:PORT/],
      ["server", "--port", /--listen HOST:PORT/],
      ["server", "-u", /--user NAME/],
      ["request", "--cafile", /--ca FILE/],
      ["request", "--certfile", /--cert FILE/],
      ["client", "-t", /--prefix.*--layer/],
      ["server", "-i", /--name/],
      ["request", "-1", /--at=-1,4/],
      ["request", "--brokr", /^Did you mean --broker\?$/],
      ["request", "--xyzzy", /^$/],
    ];
    for (const [command, option, hint] of cases) {
      const names = (await optionsOf(command)).map(({ name }) => `--${name}`);
      assert.match(
        hintForOption(option, await optionsOf(command), names),
        hint,
      );
    }
  },
});

Deno.test({
  name: "unknownVariables() finds mistyped OCCUPANCY_ variables only",
  permissions: "none",
  fn: async () => {
    const lines = await unknownVariables({
      PATH: "/bin",
      OCCUPANCY_BROKER: "b",
      OCCUPANCY_DEBUG: "1",
      OCCUPANCY_STALE_AFTER: "1m", // of another command
      OCCUPANCY_TEST_ALL: "1",
      OCCUPANCY_SERVICE_HOST: "10.0.0.1", // of Kubernetes
      OCCUPANCY_SERVICE_PORT_MQTT: "1883",
      OCCUPANCY_PORT: "tcp://10.0.0.1:1883",
      OCCUPANCY_PORT_1883_TCP_ADDR: "10.0.0.1",
      OCCUPANCY_EMPTY: "",
      OCCUPANCY_BROKR: "b",
      OCCUPANCY_NO_REQUEST: "1",
      OCCUPANCY_HELP: "1",
      OCCUPANCY_XYZZY: "1",
    }, COMMANDS);
    assert.deepEqual(lines, [
      "OCCUPANCY_BROKR is not a setting. Did you mean OCCUPANCY_BROKER?",
      "OCCUPANCY_HELP is not a setting",
      "OCCUPANCY_NO_REQUEST is not a setting. Did you mean OCCUPANCY_REQUEST=false?",
      "OCCUPANCY_XYZZY is not a setting",
    ]);
  },
});

Deno.test({
  name: "a command warns of mistyped variables, and works",
  ...needs(),
  fn: async () => {
    const { code, stdout, stderr } = await runOccupancy(
      ["simulate", "--dry-run", "--count", "1"],
      { env: { OCCUPANCY_SPEDD: "7" } },
    );
    assert.equal(code, 0);
    assert.match(stdout, /^\d+,\d+,\d+\n$/);
    assert.equal(
      stderr,
      "Warning: OCCUPANCY_SPEDD is not a setting. Did you mean OCCUPANCY_SPEED?\n",
    );
  },
});

Deno.test({
  name: "an environment variable that is not Unicode: exit 2 and its name",
  ...needs("sh"),
  fn: async () => {
    const cases: [variable: string, command: string, message: RegExp][] = [
      ["OCCUPANCY_LAYER", "request", /variable OCCUPANCY_LAYER is not valid/],
      ["OCCUPANCY_DEBUG", "request --nosuch", /Unknown option/],
      ["TERM", "request", /variable TERM is not valid/],
      ["HOME", "server", /variable HOME is not valid/],
      [
        "MQTTJS_SOCKS_PROXY",
        "request",
        /Cannot read MQTTJS_SOCKS_PROXY: not valid Unicode/,
      ],
    ];
    await forEachAtOnce(cases, async ([variable, command, message]) => {
      await using running = new Running("sh", [
        "-c",
        `export DENO_DIR="\${DENO_DIR:-$HOME/.cache/deno}"; export ${variable}="$(printf '\\377')"; unset OCCUPANCY_STORE XDG_DATA_HOME; exec "${Deno.execPath()}" run -A --config "${ROOT}deno.json" "${ROOT}main.ts" ${command}`,
      ]);
      const ended = await running.ended();
      assert.equal(ended.code, 2, ended.stderr);
      assert.match(ended.stderr, message);
      assert.doesNotMatch(ended.stderr, /Internal error/);
    });
  },
});

Deno.test({
  name: "--help COMMAND is the help of the command, and version the version",
  ...needs(),
  fn: async () => {
    const same = async (words: string[], as: string[]) => {
      const [one, other] = await Promise.all([
        runOccupancy(words),
        runOccupancy(as),
      ]);
      assert.deepEqual([one.code, one.stdout], [0, other.stdout]);
    };
    await same(["--help", "server"], ["server", "--help"]);
    await same(["-h", "config"], ["config", "--help"]);
    await same(["--help", "--json"], ["--help"]);
    await same(["version"], ["--version"]);
    assertFailure(
      await runOccupancy(["--help", "sever"]),
      2,
      /Unknown command: sever/,
      /server/,
    );
  },
});

Deno.test({
  name: "durations of 0 that mean nothing are refused",
  ...needs(),
  fn: async () => {
    await forEachAtOnce([
      ["request", "--watch", "--for", "0"],
      ["request", "--timeout", "0"],
      ["simulate", "--duration", "0s"],
      ["server", "--stale-after", "0"],
      ["server", "--forget-after", "0"],
    ], async (args) =>
      assertFailure(
        await runOccupancy(args),
        2,
        /Invalid --[\w-]+ "0s?"/,
        /more than 0/,
      ));
  },
});
