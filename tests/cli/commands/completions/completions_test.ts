/** The completion scripts in real shells, and the manual page. */
import assert from "node:assert/strict";
import {
  findTool,
  needs,
  requireTool,
  type Tool,
} from "../../../support/needs.ts";
import { Running, runOccupancy } from "../../../support/processes.ts";
import { tempDir } from "../../../support/temp.ts";

/** Typed lines, and the completions of their last words. */
const CASES: readonly (readonly [line: string, offers: readonly string[]])[] = [
  ["occupancy reque", ["request"]],
  ["occupancy comp", ["completions"]],
  ["occupancy request --form", ["--format"]],
  ["occupancy request --format ", ["json", "table", "tsv"]],
  ["occupancy client --no-", ["--no-pager", "--no-request"]],
  ["occupancy server --stale", ["--stale-after"]],
  ["occupancy config server --stale", ["--stale-after"]],
  ["occupancy completions z", ["zsh"]],
];

/** Runs a shell; returns its output. */
async function inShell(shell: Tool, args: string[]): Promise<string> {
  await using running = new Running(requireTool(shell), args, {
    env: { TERM: "dumb" },
  });
  const { code, stdout, stderr } = await running.ended();
  assert.equal(code, 0, stderr);
  return stdout;
}

async function scriptFor(shell: string): Promise<string> {
  const { code, stdout, stderr } = await runOccupancy(["completions", shell]);
  assert.equal(code, 0, stderr);
  return stdout;
}

Deno.test({
  name: "completions bash: bash offers commands, flags and choices",
  ...needs("bash"),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file("completions.bash", await scriptFor("bash"));
    await folder.file("some file.csv", "");
    const script = `source ${file}
cd ${folder.path}
offers() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _occupancy
  printf '%s\\n' "\${COMPREPLY[@]}" | sort
  echo --
}
complete -p occupancy >/dev/null || exit 1
${CASES.map(([line]) => `offers ${line.replace(/ $/, " ''")}`).join("\n")}
offers occupancy request --format = j
offers occupancy client --file some
offers occupancy client some
offers occupancy client a.json some`;
    const outputs = (await inShell("bash", ["--norc", "-c", script]))
      .split("--\n").map((output) => output.trim().split("\n"));
    for (const [i, [line, offers]] of CASES.entries()) {
      assert.deepEqual(outputs[i], offers, line);
    }
    assert.deepEqual(outputs[CASES.length], ["json"]);
    for (const offered of outputs.slice(CASES.length + 1, -1)) {
      assert.deepEqual(offered, ["some file.csv"]);
    }
    assert.equal(outputs.length, CASES.length + 5);
  },
});

Deno.test({
  name: "completions fish: fish offers commands, flags and choices",
  ...needs("fish"),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file("occupancy.fish", await scriptFor("fish"));
    for (const [line, offers] of CASES) {
      const output = await inShell("fish", [
        "--no-config",
        "-c",
        `source ${file}; complete -C '${line}'`,
      ]);
      const words = output.trim().split("\n").map((row) => row.split("\t")[0]!);
      assert.deepEqual(words.sort(), offers, line);
    }
  },
});

/** Types each line and Tab in an interactive zsh, and prints the screen. */
const ZSH_DRIVER = `
zmodload zsh/zpty
for words in "\${@:2}"; do
  zpty z "zsh -f -i"
  # Tab completes only when the line editor runs, which prints the prompt.
  zpty -w z "autoload -Uz compinit; compinit -D -u; source $1; PS1='@''@ '"
  until zpty -r -m z line '*@@*'; do :; done
  zpty -n -w z "$words"$'\\t'$'\\x15'"print DO''NE"$'\\n'
  out=
  while zpty -r z line; do out+=$line; [[ $line == *DONE* ]] && break; done
  print -r -- "$out"
  print -r -- "--END--"
  zpty -d z
done
`;

Deno.test({
  name: "completions zsh: zsh completes commands, flags and choices",
  ...needs("zsh"),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file("_occupancy", await scriptFor("zsh"));
    const driver = await folder.file("driver.zsh", ZSH_DRIVER);
    const lines = CASES.map(([line]) => line);
    const output = await inShell("zsh", ["-f", driver, file, ...lines]);
    const screens = output.split("--END--");
    for (const [i, [line, offers]] of CASES.entries()) {
      for (const word of offers) {
        assert.match(
          screens[i]!,
          new RegExp(`(^|[\\s;])${word}[ =]|\\s${word}\\s`, "m"),
          `${line}: ${screens[i]}`,
        );
      }
    }
  },
});

Deno.test({
  name:
    "completions without a shell, or with an unknown one: exit 2 and the list",
  ...needs(),
  fn: async () => {
    const none = await runOccupancy(["completions"]);
    assert.deepEqual([none.code, none.stdout], [2, ""]);
    assert.match(none.stderr, /Missing shell[^]*bash, zsh, fish/);
    const other = await runOccupancy(["completions", "bahs"]);
    assert.match(other.stderr, /Unknown shell: bahs[^]*Did you mean bash\?/);
  },
});

Deno.test({
  name: "man prints a page without warnings, with all commands and options",
  ...needs("man"),
  fn: async () => {
    await using folder = await tempDir();
    const { stdout: page } = await runOccupancy(["man"]);
    const file = await folder.file("occupancy.1", page);
    await using man = new Running(requireTool("man"), [
      ...["--warnings", "--local-file", file],
    ], { env: { MANWIDTH: "80", LC_ALL: "C.UTF-8", MANPAGER: "cat" } });
    const { code, stdout, stderr } = await man.ended();
    assert.deepEqual([code, stderr], [0, ""]);
    const text = stdout.replaceAll("\x1b[1m", "").replaceAll("\x1b[0m", "");
    assert.match(text, /^NAME\n +occupancy - a live occupancy map over MQTT$/m);
    for (const name of ["server", "client", "request", "config", "man"]) {
      assert.match(text, new RegExp(`^ +occupancy ${name}$`, "m"));
    }
    assert.match(text, /--stale-after duration/);
    assert.match(text, /OCCUPANCY_STALE_AFTER/);
    assert.match(text, /^EXIT STATUS$/m);
    if (findTool("groff")) {
      await using groff = new Running(requireTool("groff"), [
        ...["-man", "-ww", "-z", file],
      ]);
      assert.equal((await groff.ended()).stderr, "");
    }
  },
});
