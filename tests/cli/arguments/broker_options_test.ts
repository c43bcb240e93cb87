/** `--broker` and `--ca`: what is checked before a command connects. */
import assert from "node:assert/strict";
import { assertFailure } from "../../support/assert_failure.ts";
import { needs } from "../../support/needs.ts";
import { forEachAtOnce, runOccupancy } from "../../support/processes.ts";
import { tempDir } from "../../support/temp.ts";

Deno.test({
  name:
    "a % in a broker's password that encodes nothing: exit 2 and how to write it",
  ...needs(),
  fn: async () => {
    await forEachAtOnce(
      [["request"], ["server"], ["doctor"]],
      async (command) =>
        assertFailure(
          await runOccupancy([
            ...command,
            "--broker",
            "mqtt://ann:50%off@host",
          ]),
          2,
          /Invalid broker address: mqtt:\/\/ann:\*\*\*@host: a "%" in user or password.* \(--broker\)$/m,
          /write % as %25/,
        ),
    );
  },
});

Deno.test({
  name:
    "--ca without TLS, or with a file that is no certificate: exit 2 before connecting",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const store = ["--store", `sqlite:${folder.path}/map.db`];
    const cases: [args: string[], message: RegExp, hint: RegExp][] = [
      [
        ["-b", "mqtt://127.0.0.1:1", "--ca", "x"],
        /Cannot use --ca with mqtt:\/\//,
        /mqtts:/,
      ],
      [
        ["-b", "127.0.0.1:1", "--ca", "x"],
        /Cannot use --ca with mqtt:\/\//,
        /mqtts:/,
      ],
      [
        ["-b", "ws://127.0.0.1:1", "--ca", "x"],
        /Cannot use --ca with ws:\/\//,
        /wss:/,
      ],
      [["--ca", "x"], /Cannot use --ca without --broker/, /mqtts:/],
      [
        ["-b", "mqtts://127.0.0.1:1", "--ca", "README.md"],
        /README\.md is not a certificate/,
        /PEM/,
      ],
    ];
    const commands = [["request"], ["request", "--watch"], ["doctor"], [
      "server",
      ...store,
    ]];
    await forEachAtOnce(
      commands.flatMap((command) =>
        cases.map((one) => [command, ...one] as const)
      ),
      async ([command, args, message, hint]) =>
        assertFailure(
          await runOccupancy([...command, ...args]),
          2,
          message,
          hint,
        ),
    );
    assert.deepEqual([...Deno.readDirSync(folder.path)], [], "no store");
  },
});

Deno.test({
  name: "config hides a broker's password in every form",
  ...needs(),
  fn: async () => {
    await forEachAtOnce([
      "ann:s3cret@host",
      "ann%3As3cret@host",
      "mqtts://ann%3as3cret@host",
      "ws://host/mqtt?password=s3cret",
    ], async (broker) => {
      for (const json of [[], ["--json"]]) {
        const { stdout, stderr } = await runOccupancy(
          ["config", ...json, "request"],
          { env: { OCCUPANCY_BROKER: broker } },
        );
        assert.match(stdout, /host/);
        assert.doesNotMatch(stdout + stderr, /s3cret/);
      }
    });
  },
});

Deno.test({
  name: "a broker's address in the wrong place is refused without its password",
  ...needs(),
  fn: async () => {
    const address = "mqtt://ann:s3cret@host";
    await forEachAtOnce([[address], ["request", address]], async (args) => {
      const { code, stderr } = await runOccupancy(args);
      assert.equal(code, 2);
      assert.doesNotMatch(stderr, /s3cret/);
    });
  },
});

Deno.test({
  name: "config names the variable that set --config",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file("settings.toml", "timeout = 9\n");
    const sourceOf = async (
      args: string[],
      env: Record<string, string> = {},
    ) => {
      const { stdout } = await runOccupancy(
        ["config", "--json", ...args],
        { env },
      );
      const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
      const { source, where } = lines.find(({ option }) => option === "config");
      return [source, where];
    };
    const env = { OCCUPANCY_CONFIG: file };
    const variable = ["environment", "OCCUPANCY_CONFIG"];
    assert.deepEqual(await sourceOf(["request"], env), variable);
    assert.deepEqual(await sourceOf([], env), variable);
    const flag = ["flag", "--config"];
    assert.deepEqual(await sourceOf(["request", "--config", file]), flag);
    assert.deepEqual(await sourceOf(["--config", file, "request"]), flag);
  },
});
