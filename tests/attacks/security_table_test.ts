/**
 * The tables of docs/SECURITY.md. Attacks: each limit of the code is in it and
 * the other way round, its options and test files exist. Permissions: it has
 * each command.
 */
import assert from "node:assert/strict";
import { COMMANDS } from "../../src/cli/commands/mod.ts";
import { SERVER } from "../../src/cli/commands/server/options.ts";
import { LIMIT_NAMES } from "../../src/common/limit_counts.ts";
import { needs } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";

/** A row of the table. */
interface Row {
  readonly attack: string;
  /** All cells but the attack. */
  readonly cells: readonly string[];
  readonly limits: readonly string[];
  readonly tests: readonly string[];
}

const DOCUMENT = `${ROOT}docs/SECURITY.md`;
const CODE = /`([^`]+)`/g;

async function readRows(): Promise<Row[]> {
  const text = await Deno.readTextFile(DOCUMENT);
  const [, section = ""] = text.split("\n## Attacks and bounds\n");
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) => {
    const [attack = "", ...cells] = line.slice(1, -1).split("|")
      .map((cell) => cell.trim());
    assert.equal(cells.length, 4, line);
    return {
      attack,
      cells,
      limits: codesOf(cells[2]!),
      tests: codesOf(cells[3]!),
    };
  });
}

function codesOf(text: string): string[] {
  return [...text.matchAll(CODE)].map(([, code]) => code!);
}

Deno.test({
  name: "the table of attacks has each attack once, with an existing test",
  ...needs(),
  fn: async () => {
    const rows = await readRows();
    const attacks = rows.map(({ attack }) => attack);
    assert.deepEqual(attacks, [...new Set(attacks)]);
    for (const { attack, tests } of rows) {
      assert.ok(tests.length > 0, attack);
      for (const test of tests) {
        const { isFile } = await Deno.stat(ROOT + test);
        assert.ok(isFile && test.endsWith("_test.ts"), test);
      }
    }
  },
});

Deno.test({
  name: "the table of attacks has each limit of the code, and no other",
  ...needs(),
  fn: async () => {
    const inTable = (await readRows()).flatMap(({ limits }) => limits);
    assert.deepEqual([...new Set(inTable)].sort(), [...LIMIT_NAMES].sort());
  },
});

Deno.test({
  name: "each limit is counted somewhere",
  ...needs(),
  fn: async () => {
    const code = (await sourcesBelow(`${ROOT}src`)).join("\n");
    for (const limit of LIMIT_NAMES) {
      const uses = code.split(`"${limit}"`).length - 1;
      assert.ok(uses > 1, `${limit} is in the list only`);
    }
  },
});

Deno.test({
  name: "the table of attacks names options that the server has",
  ...needs(),
  fn: async () => {
    const options = new Set<string>(SERVER.options.map(({ name }) => name));
    const named = (await readRows()).flatMap(({ cells }) =>
      codesOf(cells.join(" ")).filter((code) => code.startsWith("--"))
    );
    assert.ok(named.length > 5);
    for (const option of named) {
      assert.ok(options.has(option.slice(2)), option);
    }
  },
});

Deno.test({
  name: "the table of permissions has each command",
  ...needs(),
  fn: async () => {
    const text = await Deno.readTextFile(DOCUMENT);
    const named = [...text.matchAll(/^\| (`[^|]+)\|/gm)]
      .flatMap(([, cell]) => codesOf(cell!));
    for (const { name } of COMMANDS) assert.ok(named.includes(name), name);
  },
});

/** The sources below a folder, without the built page. */
async function sourcesBelow(folder: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory && name !== "built") {
      texts.push(...await sourcesBelow(path));
    } else if (name.endsWith(".ts")) texts.push(await Deno.readTextFile(path));
  }
  return texts;
}
