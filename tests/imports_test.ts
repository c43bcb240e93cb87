/**
 * Rules for imports: a folder imports only from the folders in its rule, which
 * are below it; there are no cycles of files.
 */
import assert from "node:assert/strict";
import { permitted } from "./support/needs.ts";
import { ROOT, Running } from "./support/processes.ts";

/** The rules of one folder. */
interface FolderRule {
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

/** Imported by nearly all folders. */
const BASE = ["src/common/", "src/protocol/", "src/grid/"];
/** The interfaces of store and broker, without their implementations. */
const INTERFACES = ["src/store/store.ts", "src/mqtt/link.ts"];
/** What each part of the broker's state needs. */
const BROKER_STATE = [
  "src/broker/message.ts",
  "src/common/deadlines.ts",
  "src/broker/persistence/persistence.ts",
];
const PURE = { packages: [], pure: true } as const;
const BROWSER = { packages: [], browser: true } as const;

/** All folders, lowest first: a folder may only import from those before it. */
const RULES: readonly FolderRule[] = [
  { path: "deno.json", imports: [] },
  { path: "src/common/", imports: [] },
  { path: "src/protocol/", imports: ["src/common/"], ...PURE },
  { path: "src/grid/", imports: ["src/common/", "src/protocol/"], ...PURE },
  { path: "src/zones/", imports: BASE, ...PURE },
  {
    path: "src/feed/",
    imports: [...BASE, "src/zones/"],
    browser: true,
    ...PURE,
  },
  {
    path: "src/history/",
    imports: [...BASE, "src/zones/", "src/feed/binary.ts"],
    packages: ["node:zlib"],
    pure: true,
  },
  {
    path: "src/simulate/",
    imports: ["src/common/", "src/protocol/", "src/zones/"],
    ...PURE,
  },
  // The messages for Home Assistant.
  {
    path: "src/home_assistant/",
    imports: [...BASE, "src/zones/"],
    ...PURE,
  },
  { path: "src/store/", imports: [...BASE, "src/history/"] },
  { path: "src/mqtt/", imports: BASE },
  { path: "src/broker/codec/", imports: ["src/common/"], ...PURE },
  {
    path: "src/broker/access/",
    imports: ["src/common/", "src/protocol/"],
    packages: ["node:crypto"],
  },
  { path: "src/broker/message.ts", imports: ["src/mqtt/link.ts"], ...PURE },
  { path: "src/broker/topics/", imports: [], ...PURE },
  {
    path: "src/broker/persistence/",
    imports: [
      ...["src/common/", "src/protocol/", "src/mqtt/link.ts"],
      ...["src/store/store.ts", "src/broker/message.ts"],
    ],
  },
  { path: "src/broker/retained/", imports: BROKER_STATE, ...PURE },
  { path: "src/broker/wills/", imports: BROKER_STATE, ...PURE },
  {
    path: "src/broker/sessions/",
    imports: [
      ...["src/mqtt/link.ts", "src/broker/access/access.ts", ...BROKER_STATE],
      ...["src/broker/topics/", "src/broker/wills/"],
      ...["src/broker/codec/topic_names.ts", "src/common/fifo.ts"],
    ],
    ...PURE,
  },
  {
    path: "src/broker/sys/",
    imports: ["src/mqtt/link.ts"],
  },
  {
    path: "src/broker/router.ts",
    imports: [
      ...[...BROKER_STATE, "src/broker/sys/counters.ts"],
      "src/broker/codec/topic_names.ts",
      ...["src/broker/retained/", "src/broker/wills/", "src/broker/sessions/"],
    ],
    ...PURE,
  },
  {
    path: "src/broker/listeners/",
    imports: [
      ...["src/common/", "src/mqtt/link.ts", "src/feed/hosts.ts"],
      "src/broker/access/certificate_name.ts",
    ],
  },
  {
    path: "src/broker/limits.ts",
    imports: [
      ...["src/broker/listeners/", "src/broker/retained/"],
      "src/broker/sessions/",
    ],
    ...PURE,
  },
  { path: "src/broker/topic_set.ts", imports: [], ...PURE },
  {
    path: "src/broker/connections/",
    imports: [
      ...["src/common/", "src/mqtt/link.ts", "src/broker/codec/"],
      ...["src/broker/access/access.ts", "src/broker/message.ts"],
      ...["src/broker/sessions/", "src/broker/wills/"],
      "src/broker/sys/counters.ts",
      ...["src/broker/router.ts", "src/broker/limits.ts"],
      ...["src/broker/listeners/transport.ts", "src/broker/topic_set.ts"],
    ],
    packages: ["node:timers"],
  },
  {
    path: "src/broker/",
    imports: [
      ...[...BASE, "src/mqtt/", "src/store/store.ts"],
      ...["src/broker/codec/", "src/broker/access/", "src/feed/hosts.ts"],
      ...["src/broker/topics/", "src/broker/persistence/"],
      ...["src/broker/retained/", "src/broker/wills/", "src/broker/sessions/"],
      ...["src/broker/sys/", "src/broker/listeners/"],
      "src/broker/connections/",
    ],
  },
  {
    path: "src/webhooks/",
    imports: ["src/common/"],
    packages: ["node:crypto"],
  },
  { path: "src/client/", imports: [...BASE, ...INTERFACES] },
  { path: "src/request/", imports: [...BASE, "src/zones/", ...INTERFACES] },
  {
    path: "src/server/",
    imports: [
      ...[...BASE, "src/zones/", "src/history/", "src/home_assistant/"],
      ...INTERFACES,
    ],
  },
  {
    path: "src/page/elements/",
    imports: ["src/protocol/", "src/feed/"],
    ...BROWSER,
  },
  {
    path: "src/page/feed/",
    imports: [
      ...["src/common/", "src/protocol/", "src/zones/", "src/feed/"],
      "src/history/",
    ],
    ...BROWSER,
  },
  {
    path: "src/page/map/",
    imports: [
      ...["src/protocol/", "src/grid/", "src/feed/"],
      ...["src/page/elements/", "src/page/feed/"],
    ],
    packages: ["ol"],
    browser: true,
  },
  {
    path: "src/page/zones/",
    imports: [
      ...[...BASE, "src/zones/", "src/feed/"],
      ...["src/page/elements/", "src/page/feed/", "src/page/map/"],
    ],
    packages: ["ol"],
    browser: true,
  },
  {
    path: "src/page/panels/",
    imports: [
      ...[...BASE, "src/feed/", "src/page/zones/"],
      ...["src/page/elements/", "src/page/feed/", "src/page/map/"],
    ],
    packages: ["uplot"],
    browser: true,
  },
  // What a mode of the page is.
  {
    path: "src/page/modes/",
    imports: [
      ...["src/protocol/", "src/feed/", "src/page/map/", "src/page/zones/"],
    ],
    ...BROWSER,
  },
  {
    path: "src/page/controls/",
    imports: [
      ...["src/protocol/", "src/page/elements/", "src/page/feed/"],
      ...["src/page/map/", "src/page/panels/", "src/page/zones/"],
      "src/page/modes/",
    ],
    ...BROWSER,
  },
  {
    path: "src/page/history/",
    imports: [
      ...[...BASE, "src/zones/", "src/history/", "src/feed/"],
      ...["src/page/elements/", "src/page/feed/", "src/page/map/"],
      ...["src/page/zones/", "src/page/panels/", "src/page/modes/"],
    ],
    packages: ["uplot"],
    browser: true,
  },
  {
    path: "src/page/utilisation/",
    imports: [
      ...[...BASE, "src/zones/", "src/history/answers.ts"],
      ...["src/history/calendar.ts", "src/page/elements/", "src/page/feed/"],
      ...["src/page/map/", "src/page/zones/", "src/page/modes/"],
    ],
    packages: ["ol"],
    browser: true,
  },
  {
    path: "src/page/",
    imports: ["src/common/", "src/protocol/", "src/feed/"],
    ...BROWSER,
  },
  {
    path: "src/http/",
    imports: [
      ...[...BASE, "src/zones/", "src/history/", "src/feed/"],
      ...INTERFACES,
    ],
  },
  {
    path: "src/doctor/",
    imports: [...BASE, "src/history/", "src/store/", "src/mqtt/"],
  },
  {
    path: "src/cli/",
    imports: [
      ...["deno.json", ...BASE, "src/simulate/", "src/store/", "src/mqtt/"],
      ...["src/broker/", "src/client/", "src/request/", "src/server/"],
      ...["src/feed/", "src/http/", "src/doctor/", "src/zones/"],
      ...["src/home_assistant/", "src/webhooks/", "src/history/"],
    ],
  },
  { path: "main.ts", imports: ["src/cli/"] },
  // The library: the code that a client needs.
  {
    path: "src/mod.ts",
    imports: [
      ...["src/common/", "src/protocol/", "src/zones/", "src/mqtt/"],
      ...["src/client/", "src/request/"],
    ],
  },
  { path: "tools/", imports: ["deno.json", "src/"] },
];

/** Packages that may be imported in some folders only. */
const OWNERS: Record<string, readonly string[]> = {
  mqtt: ["src/mqtt/"],
  ws: ["src/broker/", "src/http/listener/"],
  "@logtape/logtape": ["src/cli/commands/server/"],
  "smol-toml": ["src/cli/arguments/"],
  "hyparquet-writer": ["src/http/api/history/"],
  esbuild: ["tools/"],
  "node:sqlite": ["src/store/"],
  "prom-client": ["src/http/metrics/"],
  "js-yaml": ["src/http/plans/"],
  "fast-png": ["src/http/plans/"],
  "image-size": ["src/http/plans/"],
  ol: ["src/page/map/", "src/page/zones/", "src/page/utilisation/"],
  uplot: ["src/page/panels/", "src/page/history/"],
};

const IMPURE =
  /\bDeno\.|\bDate\.now\(|\bnew Date\(\)|\bperformance\.|\bMath\.random\(|\bset(?:Timeout|Interval)\(|\bfetch\(|\bconsole\.|\bprocess\./;
const NOT_IN_BROWSER = /\bDeno\.|["']node:/;
/** Written by `deno task build`. */
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
    RULES.forEach((rule, level) => {
      for (const path of rule.imports) {
        const below = RULES.slice(0, level);
        assert.ok(
          path === "src/" || below.some((one) => path.startsWith(one.path)),
          `${rule.path} may not import ${path}: it is not below`,
        );
      }
    });
    const imports = sources().flatMap(importsOf);
    assert.ok(imports.length > 100, "files were found");
    assert.deepEqual(
      imports.map(violationOf).filter((text) => text !== ""),
      [],
    );
  },
});

Deno.test({
  name: "imports have no cycles",
  ignore: !permitted(),
  fn: () => {
    assert.deepEqual(cyclesOf(sources().flatMap(importsOf)), []);
  },
});

Deno.test({
  name: "pure folders use no clock, no IO, no globals of a runtime",
  ignore: !permitted(),
  fn: () => {
    const pure = sources().filter((file) => ruleOf(file).pure);
    assert.ok(pure.length > 40, "files were found");
    assert.deepEqual(
      pure.filter((file) => IMPURE.test(withoutComments(read(file)))),
      [],
    );
  },
});

Deno.test({
  name: "browser code uses nothing of Deno or Node.js",
  ignore: !permitted(),
  fn: () => {
    const page = sources().filter((file) => ruleOf(file).browser);
    assert.ok(page.length > 40, "files were found");
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
    // Loading one package takes longer than loading all files of the project.
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

/** Describes why an import is not allowed; empty if it is allowed. */
function violationOf({ file, specifier, target }: Import): string {
  const statement = `${file} imports ${specifier}`;
  const rule = ruleOf(file);
  if (target === undefined) {
    const name = packageOf(specifier);
    const owners = OWNERS[name];
    if (owners && !owners.some((path) => file.startsWith(path))) {
      return `${statement}: only ${owners.join(", ")} may`;
    }
    if (rule.packages && !rule.packages.includes(name)) {
      return `${statement}: ${rule.path} may not`;
    }
    return "";
  }
  if (rule.path.endsWith("/") && target.startsWith(rule.path)) return "";
  if (rule.imports.some((path) => target.startsWith(path))) return "";
  return `${statement}: ${rule.path} may not`;
}

/** The package of a specifier: `ol` of `ol/Map.js`. */
function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

function ruleOf(file: string): FolderRule {
  const rule = RULES.find(({ path }) =>
    path.endsWith("/") ? file.startsWith(path) : file === path
  );
  assert.ok(rule, `${file} is in no folder of RULES`);
  return rule;
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

/** Removes comments: the examples in them may import anything. */
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

/** The modules loaded at the start: static imports, without types. */
function loadedAtStart(graph: ModuleGraph): Set<string> {
  const modules = new Map(graph.modules.map((one) => [one.specifier, one]));
  const loaded = new Set<string>();
  const pending = [...graph.roots];
  for (let next; (next = pending.pop()) !== undefined;) {
    if (loaded.has(next)) continue;
    loaded.add(next);
    for (const { code, isDynamic } of modules.get(next)?.dependencies ?? []) {
      if (code && !isDynamic) pending.push(code.specifier);
    }
  }
  return loaded;
}
