/**
 * Imports point one way: every folder names the folders below it that it may
 * use, and no file imports itself through others.
 */
import assert from "node:assert/strict";
import { permitted } from "./support/needs.ts";
import { ROOT, Running } from "./support/processes.ts";

/** The rules of one folder. */
interface Room {
  /** The folder, or one file, as a path from the top of the checkout. */
  readonly path: string;
  /** Paths that its files may import, besides those of the folder itself. */
  readonly imports: readonly string[];
  /** Packages and `node:` modules that its files may import; undefined: any. */
  readonly packages?: readonly string[];
  /** No clock, no input or output, no globals of a runtime. */
  readonly pure?: true;
  /** Runs in a browser: nothing of Deno or Node.js. */
  readonly browser?: true;
}

/** What a server, a client or a request knows of its store and its broker. */
const INTERFACES = ["src/store/store.ts", "src/mqtt/link.ts"];
const PURE = { packages: [], pure: true } as const;

/** All folders, lowest first: a folder may only import from those before it. */
const ROOMS: readonly Room[] = [
  { path: "deno.json", imports: [] },
  { path: "src/common/", imports: [] },
  { path: "src/protocol/", imports: ["src/common/"], ...PURE },
  { path: "src/grid/", imports: ["src/common/", "src/protocol/"], ...PURE },
  {
    path: "src/feed/",
    imports: ["src/common/", "src/protocol/", "src/grid/"],
    browser: true,
    ...PURE,
  },
  { path: "src/simulate/", imports: ["src/common/", "src/protocol/"], ...PURE },
  {
    path: "src/store/",
    imports: ["src/common/", "src/protocol/", "src/grid/"],
  },
  {
    path: "src/mqtt/",
    imports: ["src/common/", "src/protocol/", "src/grid/"],
  },
  {
    path: "src/broker/",
    imports: ["src/common/", "src/protocol/", "src/grid/", "src/mqtt/"],
  },
  {
    path: "src/client/",
    imports: ["src/common/", "src/protocol/", "src/grid/", ...INTERFACES],
  },
  {
    path: "src/request/",
    imports: ["src/common/", "src/protocol/", "src/grid/", ...INTERFACES],
  },
  {
    path: "src/server/",
    imports: ["src/common/", "src/protocol/", "src/grid/", ...INTERFACES],
  },
  {
    path: "src/page/elements/",
    imports: ["src/protocol/"],
    packages: [],
    browser: true,
  },
  {
    path: "src/page/feed/",
    imports: ["src/common/", "src/protocol/", "src/feed/"],
    packages: [],
    browser: true,
  },
  {
    path: "src/page/map/",
    imports: [
      "src/protocol/",
      "src/grid/",
      "src/feed/",
      "src/page/elements/",
      "src/page/feed/",
    ],
    packages: ["ol"],
    browser: true,
  },
  {
    path: "src/page/panels/",
    imports: [
      "src/protocol/",
      "src/grid/",
      "src/feed/",
      "src/page/elements/",
      "src/page/feed/",
      "src/page/map/",
    ],
    packages: ["uplot"],
    browser: true,
  },
  {
    path: "src/page/controls/",
    imports: [
      "src/protocol/",
      "src/page/elements/",
      "src/page/feed/",
      "src/page/map/",
      "src/page/panels/",
    ],
    packages: [],
    browser: true,
  },
  {
    path: "src/page/",
    imports: ["src/feed/"],
    packages: [],
    browser: true,
  },
  {
    path: "src/http/",
    imports: [
      "src/common/",
      "src/protocol/",
      "src/grid/",
      "src/feed/",
      ...INTERFACES,
    ],
  },
  {
    path: "src/doctor/",
    imports: [
      "src/common/",
      "src/protocol/",
      "src/grid/",
      "src/store/",
      "src/mqtt/",
    ],
  },
  {
    path: "src/cli/",
    imports: [
      "deno.json",
      "src/common/",
      "src/protocol/",
      "src/grid/",
      "src/simulate/",
      "src/store/",
      "src/mqtt/",
      "src/broker/",
      "src/client/",
      "src/request/",
      "src/server/",
      "src/http/",
      "src/doctor/",
    ],
  },
  { path: "main.ts", imports: ["src/cli/"] },
  // The library: what a client needs.
  {
    path: "src/mod.ts",
    imports: [
      "src/client/",
      "src/common/",
      "src/mqtt/",
      "src/protocol/",
      "src/request/",
    ],
  },
  { path: "tools/", imports: ["deno.json", "src/"] },
];

/** Packages that may be imported in some folders only. */
const OWNERS: Record<string, readonly string[]> = {
  mqtt: ["src/mqtt/"],
  aedes: ["src/broker/"],
  ws: ["src/broker/"],
  "@logtape/logtape": ["src/cli/commands/server/"],
  "smol-toml": ["src/cli/arguments/"],
  esbuild: ["tools/"],
  "node:sqlite": ["src/store/"],
  "prom-client": ["src/http/metrics/"],
  "js-yaml": ["src/http/plans/"],
  "image-size": ["src/http/plans/"],
  ol: ["src/page/map/"],
  uplot: ["src/page/panels/"],
};

const IMPURE =
  /\bDeno\.|\bDate\.now\(|\bnew Date\(\)|\bperformance\.|\bMath\.random\(|\bset(?:Timeout|Interval)\(|\bfetch\(|\bconsole\.|\bprocess\./;
const NOT_IN_BROWSER = /\bDeno\.|["']node:/;
/** Bundled or built: not written by hand. */
const BUILT = "src/http/dashboard/built/";

interface Import {
  readonly file: string;
  /** As written. */
  readonly specifier: string;
  /** The imported file of this project, as a path from the top. */
  readonly target: string | undefined;
}

const STATEMENT =
  /^(?:import|export)\s[^;"']*?\bfrom\s*["']([^"']+)["']|^import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

Deno.test({
  name: "a folder imports only from folders below it",
  ignore: !permitted(),
  fn: () => {
    ROOMS.forEach((room, level) => {
      for (const path of room.imports) {
        const below = ROOMS.slice(0, level);
        assert.ok(
          path === "src/" || below.some((one) => path.startsWith(one.path)),
          `${room.path} may not import ${path}: it is not below`,
        );
      }
    });
    const imports = sources().flatMap(importsOf);
    assert.ok(imports.length > 100, "the files have been found");
    assert.deepEqual(imports.map(faultOf).filter((fault) => fault), []);
  },
});

Deno.test({
  name: "no file imports itself through others",
  ignore: !permitted(),
  fn: () => {
    assert.deepEqual(cyclesOf(sources().flatMap(importsOf)), []);
  },
});

Deno.test({
  name: "pure folders use no clock, no IO, no globals of a runtime",
  ignore: !permitted(),
  fn: () => {
    const pure = sources().filter((file) => roomOf(file).pure);
    assert.ok(pure.length > 40, "the files have been found");
    assert.deepEqual(
      pure.filter((file) => IMPURE.test(withoutComments(read(file)))),
      [],
    );
  },
});

Deno.test({
  name: "the page uses nothing that a browser does not have",
  ignore: !permitted(),
  fn: () => {
    const page = sources().filter((file) => roomOf(file).browser);
    assert.ok(page.length > 40, "the files have been found");
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
    const { imports } = JSON.parse(read("import_map.json"));
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
      "--lock",
      "--frozen",
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

/** Groups of files that import each other (Tarjan, 1972), types included. */
function cyclesOf(imports: readonly Import[]): string[][] {
  const next = Map.groupBy(
    imports.filter(({ target }) => target !== undefined),
    ({ file }) => file,
  );
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string) => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const { target } of next.get(file) ?? []) {
      if (!index.has(target!)) {
        visit(target!);
        low.set(file, Math.min(low.get(file)!, low.get(target!)!));
      } else if (stack.includes(target!)) {
        low.set(file, Math.min(low.get(file)!, index.get(target!)!));
      }
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1) cycles.push(group.sort());
  };
  for (const file of next.keys()) if (!index.has(file)) visit(file);
  return cycles;
}

/** Why an import is not allowed; empty if it is. */
function faultOf({ file, specifier, target }: Import): string {
  const statement = `${file} imports ${specifier}`;
  const room = roomOf(file);
  if (target === undefined) {
    const name = packageOf(specifier);
    const owners = OWNERS[name];
    if (owners && !owners.some((path) => file.startsWith(path))) {
      return `${statement}: only ${owners.join(", ")} may`;
    }
    if (room.packages && !room.packages.includes(name)) {
      return `${statement}: ${room.path} may not`;
    }
    return "";
  }
  if (room.path.endsWith("/") && target.startsWith(room.path)) return "";
  if (room.imports.some((path) => target.startsWith(path))) return "";
  return `${statement}: ${room.path} may not`;
}

/** The package of a specifier: `ol` of `ol/Map.js`. */
function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

function roomOf(file: string): Room {
  const room = ROOMS.find(({ path }) =>
    path.endsWith("/") ? file.startsWith(path) : file === path
  );
  assert.ok(room, `${file} is in no folder that this test knows`);
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
  return ["main.ts", ...filesIn("src/"), ...filesIn("tools/")]
    .filter((file) => !file.startsWith(BUILT));
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
