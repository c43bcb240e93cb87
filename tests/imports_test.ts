/** Imports point one way: the rooms of the house and the doors between them. */
import assert from "node:assert/strict";
import { permitted } from "./support/needs.ts";
import { ROOT, Running } from "./support/processes.ts";

/** All that is known of a store and a broker by those who are given one. */
const INTERFACES = ["src/store/store.ts", "src/mqtt/link.ts"];

/** What the files of a room may import besides their own, as prefixes from the top. */
const ALLOWED: Record<string, readonly string[]> = {
  "src/protocol/": [],
  "src/grid/": [],
  "src/store/": ["src/grid/", "src/protocol/"],
  "src/mqtt/": ["src/protocol/", "src/grid/"],
  "src/broker/": ["src/protocol/", "src/grid/", "src/mqtt/"],
  "src/http/": ["src/protocol/", "src/grid/", ...INTERFACES],
  "src/server/": ["src/protocol/", "src/grid/", ...INTERFACES],
  "src/client/": ["src/protocol/", "src/grid/", ...INTERFACES],
  "src/request/": ["src/protocol/", "src/grid/", ...INTERFACES],
  "src/simulate/": ["src/protocol/"],
  "src/doctor/": ["src/protocol/", "src/grid/", "src/store/", "src/mqtt/"],
  "src/cli/": ["src/", "deno.json"],
  "src/": ["src/client/", "src/mqtt/", "src/protocol/", "src/request/"],
  "main.ts": ["src/cli/"],
  // What builds the program is not part of it, and uses nothing of it.
  "tools/": ["deno.json"],
};

/** The rooms that are pure: no packages, no Node, no Deno, no clock. */
const PURE = ["src/protocol/", "src/grid/", "src/simulate/"];
const IMPURE =
  /\bDeno\.|\bDate\.now\(|\bnew Date\(\)|\bperformance\.|\bMath\.random\(|\bset(?:Timeout|Interval)\(|\bfetch\(|\bconsole\.|\bprocess\./;

/** The files that may import a package, where not all may. */
const OWNERS: Record<string, RegExp> = {
  mqtt: /^src\/(?:mqtt\/(?:connection|transport)|doctor\/probe)\.ts$/,
  aedes: /^src\/broker\/broker\.ts$/,
  "@logtape/logtape": /^src\/cli\/log\//,
  "smol-toml": /^src\/cli\/settings\/config_file\.ts$/,
  esbuild: /^tools\/bundle\//,
  "node:sqlite": /^src\/(?:store\/|doctor\/store_lock\.ts$)/,
  "prom-client": /^src\/http\/metrics\//,
  "js-yaml": /^src\/http\/plans\//,
  "image-size": /^src\/http\/plans\//,
  ol: /^src\/http\/dashboard\/page\//,
  uplot: /^src\/http\/dashboard\/page\//,
};

/** What runs in a browser, or may, and what that does not have. */
const IN_BROWSER =
  /^src\/http\/(?:dashboard\/page|live)\/(?!(?:mod|deflate)\.ts$)/;
const NOT_IN_BROWSER = /\bDeno\.|["']node:/;

interface Import {
  readonly file: string;
  /** As written. */
  readonly specifier: string;
  /** From the top of the checkout, if it is a file of ours. */
  readonly target: string | undefined;
}

const STATEMENT =
  /^(?:import|export)\s[^;"']*?\bfrom\s*["']([^"']+)["']|^import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

Deno.test({
  name: "imports point one way",
  ignore: !permitted(),
  fn: () => {
    const imports = sources().flatMap(importsOf);
    assert.ok(imports.length > 100, "the files have been found");
    assert.deepEqual(imports.map(faultOf).filter((fault) => fault), []);
  },
});

Deno.test({
  name:
    "protocol, grid and simulate are pure: no clock, no IO, no globals of a runtime",
  ignore: !permitted(),
  fn: () => {
    const impure = sources().filter((file) =>
      PURE.some((room) => file.startsWith(room)) &&
      IMPURE.test(withoutComments(read(file)))
    );
    assert.deepEqual(impure, []);
  },
});

Deno.test({
  name: "the page uses nothing that a browser does not have",
  ignore: !permitted(),
  fn: () => {
    const page = sources().filter((file) => IN_BROWSER.test(file));
    assert.ok(page.length > 10, "the files have been found");
    assert.deepEqual(
      page.filter((file) => NOT_IN_BROWSER.test(withoutComments(read(file)))),
      [],
    );
  },
});

Deno.test({
  name: "nothing imports from the JSR registry",
  ignore: !permitted(),
  fn: () => {
    const all = [...sources(), ...filesIn("tests/"), ...filesIn("bench/")]
      .flatMap(importsOf);
    const { imports } = JSON.parse(read("deno.json"));
    const specifiers = [
      ...all.map(({ specifier }) => specifier),
      ...Object.values<string>(imports),
    ];
    assert.deepEqual(
      specifiers.filter((specifier) => specifier.startsWith("jsr:")),
      [],
    );
  },
});

Deno.test({
  name: "--help loads no package",
  ignore: !permitted(),
  fn: async () => {
    await using info = new Running(Deno.execPath(), [
      "info",
      "--json",
      "main.ts",
    ]);
    const { code, stdout, stderr } = await info.ended();
    assert.equal(code, 0, stderr);
    const loaded = [...loadedAtStart(JSON.parse(stdout))];
    assert.ok(loaded.some((name) => name.endsWith("/src/cli/program.ts")));
    // Our own files only: a package costs more than all of these together.
    assert.deepEqual(loaded.filter((name) => !name.startsWith("file:")), []);
  },
});

/** What of an import is against the rules, if anything is. */
function faultOf({ file, specifier, target }: Import): string {
  const said = `${file} imports ${specifier}`;
  if (target === undefined) {
    // A file of a package (`ol/Map.js`) belongs to whom the package belongs to.
    const owner = OWNERS[specifier] ?? OWNERS[specifier.split("/")[0]!];
    if (owner && !owner.test(file)) return `${said}: not its owner`;
    if (PURE.some((room) => file.startsWith(room))) return `${said}: not pure`;
    return "";
  }
  const room = roomOf(file);
  const allowed = target.startsWith(room) && room !== "src/" ||
    ALLOWED[room]!.some((prefix) => target.startsWith(prefix));
  return allowed ? "" : `${said}: the wrong way`;
}

function roomOf(file: string): string {
  const room = /^(?:src\/[^/]+|tools)\//.exec(file)?.[0] ??
    (file.startsWith("src/") ? "src/" : file);
  assert.ok(ALLOWED[room], `${file} is in no room that this test knows`);
  return room;
}

function importsOf(file: string): Import[] {
  const code = withoutComments(read(file));
  return [...code.matchAll(STATEMENT)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3]!;
    return {
      file,
      specifier,
      target: specifier.startsWith(".")
        ? new URL(specifier, `file:///${file}`).pathname.slice(1)
        : undefined,
    };
  });
}

/** Comments hold examples, which import what they like. */
function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function sources(): string[] {
  return ["main.ts", ...filesIn("src/"), ...filesIn("tools/")];
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) =>
    isDirectory
      ? filesIn(`${folder}${name}/`)
      : name.endsWith(".ts")
      ? [folder + name]
      : []
  );
}

function read(file: string): string {
  return Deno.readTextFileSync(ROOT + file);
}

interface ModuleGraph {
  readonly roots: readonly string[];
  readonly redirects?: Record<string, string>;
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier: string };
      readonly isDynamic?: boolean;
    }[];
  }[];
}

/** What is loaded before anything has been chosen: types and import() left out. */
function loadedAtStart(graph: ModuleGraph): Set<string> {
  const modules = new Map(graph.modules.map((one) => [one.specifier, one]));
  const loaded = new Set<string>();
  const waiting = [...graph.roots];
  for (let next; (next = waiting.pop()) !== undefined;) {
    if (loaded.has(next)) continue;
    loaded.add(next);
    for (const { code, isDynamic } of modules.get(next)?.dependencies ?? []) {
      if (code && !isDynamic) waiting.push(code.specifier);
    }
  }
  return loaded;
}
