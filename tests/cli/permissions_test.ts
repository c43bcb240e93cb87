/**
 * The permissions that each command gets from the launcher. A command that gets
 * more makes a test fail.
 */
import assert from "node:assert/strict";
import { loadSpecs } from "../../src/cli/arguments/spec.ts";
import { COMMANDS } from "../../src/cli/commands/mod.ts";
import { needs } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { HOME, launched } from "./launched.ts";

/** Kinds of permissions with their values; `true` for all. */
interface Granted {
  readonly net?: string | true;
  readonly read?: string | true;
  readonly write?: string | true;
  readonly run?: string | true;
}

/** A command line, and what the launcher gives it. */
interface Case {
  readonly args: string;
  readonly env?: Record<string, string>;
  readonly granted: Granted;
}

const DEFAULT_STORE = `${HOME}/.local/share/occupancy`;
const SERVER_NET = "localhost:1883,127.0.0.1:1883,127.0.0.1:8080";

/** Each command with its defaults; output goes to a pipe. */
const BY_COMMAND: Readonly<Record<string, Granted>> = {
  "": {},
  "--help": {},
  "help": {},
  "--version": { read: true }, // the commit, from the files of git
  "server": { net: SERVER_NET, read: DEFAULT_STORE, write: DEFAULT_STORE },
  "client": { net: "localhost:1883", run: "tail" },
  "request": { net: "localhost:1883", run: "tail" },
  "layers": { net: "127.0.0.1:8080", run: "tail" },
  "zones export f": {
    net: "127.0.0.1:8080",
    read: "f,f.new",
    write: "f,f.new",
    run: "tail",
  },
  "history -o f": {
    net: "127.0.0.1:8080",
    read: "f,f.new",
    write: "f,f.new",
    run: "tail",
  },
  "users --users f": { read: "f,f.new", write: "f,f.new", run: "tail" },
  "store copy sqlite:/tmp/m.db redis://127.0.0.1": {
    net: true,
    read: "/tmp,/tmp",
    write: "/tmp,/tmp",
  },
  "simulate": { net: "localhost:1883", run: "tail" },
  "doctor": {
    net: SERVER_NET,
    // Creates and removes a file where the store would be.
    read: `${DEFAULT_STORE},/,/dev/null,/tmp`,
    write: `${DEFAULT_STORE},/,/tmp`,
  },
  "config": { run: "tail" },
  "completions": {},
  "man": {},
};

const CLIENT = { net: "localhost:1883", run: "tail" };

const CASES: readonly Case[] = [
  {
    args: "store copy --force sqlite:/tmp/m.db sqlite:/m.db",
    granted: { read: "/tmp,/,/tmp", write: "/tmp,/,/tmp" },
  },
  // The broker.
  ...[
    "--broker mqtt://ann:a:b@broker.example/x?y#z",
    "--broker=broker.example",
    "-b broker.example",
    "-bbroker.example",
    "-v -b ws://broker.example/mqtt",
  ].map((args) => ({
    args: `request ${args}`,
    granted: { ...CLIENT, net: "broker.example" },
  })),
  {
    args: "request --broker mqtts://broker.example:8884",
    granted: { ...CLIENT, net: "broker.example:8884" },
  },
  {
    args: "request",
    env: { OCCUPANCY_BROKER: "mqtt://u:p@10.0.0.7:2883" },
    granted: { ...CLIENT, net: "10.0.0.7:2883" },
  },
  {
    args: "simulate --broker [::1]:2883",
    env: { OCCUPANCY_BROKER: "mqtt://unused.example" },
    granted: { ...CLIENT, net: "[::1]:2883" },
  },
  // Forms that the program, but not the launcher, can read.
  ...[
    "--broker mqtt://127.1",
    "--broker mqtt://010.0.0.1",
    "--broker mqtt://0x7f.0.0.1",
    "--broker mqtt://b%72oker.example",
    "--broker [fe80::1]",
    "--broker broker.example:x",
    "--broker broker.example:65536",
    "--broker broker.example:",
    "--broker a..b",
    "--broker ::",
  ].map((args) => ({
    args: `request ${args}`,
    granted: { ...CLIENT, net: true as const },
  })),
  {
    args: "request -qb broker.example",
    granted: { net: true, read: true, run: "tail" },
  },
  {
    args: "request",
    env: { MQTTJS_SOCKS_PROXY: "socks5://proxy.example" },
    granted: { ...CLIENT, net: true },
  },
  // The HTTP address of a server.
  {
    args: "layers delete --url https://map.example x --http-token-file=token",
    granted: { net: "map.example", read: "token", run: "tail" },
  },
  {
    args: "layers list",
    env: { OCCUPANCY_URL: "10.0.0.7:8081" },
    granted: { net: "10.0.0.7:8081", run: "tail" },
  },
  {
    args: "zones --timeout 5s import --merge import --url=map.example",
    granted: { net: "map.example", read: "import", run: "tail" },
  },
  ...["zones import -", "zones export", "zones set import", "zones list"].map(
    (args) => ({ args, granted: { net: "127.0.0.1:8080", run: "tail" } }),
  ),
  ...["-o f", "-of", "--output f", "--output=f"].map((args) => ({
    args: `history --at -1h ${args} --url map.example`,
    granted: {
      net: "map.example",
      read: "f,f.new",
      write: "f,f.new",
      run: "tail",
    },
  })),
  {
    args: "history --format parquet --output -",
    granted: { net: "127.0.0.1:8080", run: "tail" },
  },
  {
    args: "history -uo f",
    granted: { net: true, read: true, write: true, run: "tail" },
  },
  // The users file, and the new one beside it.
  {
    args: "users add alice --users=/etc/occupancy/users",
    granted: {
      read: "/etc/occupancy/users,/etc/occupancy/users.new",
      write: "/etc/occupancy/users,/etc/occupancy/users.new",
      run: "tail",
    },
  },
  {
    args: "users list",
    env: { OCCUPANCY_USERS: "users" },
    granted: {
      read: "users,users.new",
      write: "users,users.new",
      run: "tail",
    },
  },
  {
    args:
      "server --store memory: --http off --users users --listen-tls 0.0.0.0:8883 --tls-cert c --tls-key=k",
    env: { OCCUPANCY_TLS_CLIENT_CA: "ca", OCCUPANCY_LISTEN_WS: ":9001" },
    granted: {
      net:
        "0.0.0.0:8883,127.0.0.1:8883,127.0.0.1:9001,localhost:1883,127.0.0.1:1883",
      read: "users,c,k,ca",
    },
  },
  // The files of a client.
  {
    args: "client a.csv dir/b.json --file c.csv --file=d.csv -fe.csv -f g",
    granted: {
      ...CLIENT,
      read: "a.csv,dir/b.json,c.csv,d.csv,e.csv,g",
    },
  },
  {
    args: "client --ca ca.pem -- -odd.csv",
    env: { OCCUPANCY_FILE: "f.csv" },
    granted: { ...CLIENT, read: "ca.pem,f.csv" },
  },
  {
    args: "request --cert me.pem --key=me.key --insecure --user ann",
    env: { OCCUPANCY_PASSWORD_FILE: "secret", OCCUPANCY_PASSWORD: "unused" },
    granted: { ...CLIENT, read: "me.pem,me.key,secret" },
  },
  // Deno separates paths by commas.
  { args: "client a,1.csv", granted: { ...CLIENT, read: true } },
  {
    args: "server --store sqlite:/a,b/map.sqlite",
    granted: { net: SERVER_NET, read: true, write: true },
  },
  // The pager is for terminals.
  { args: "request", env: { PAGER: "evil -x" }, granted: CLIENT },
  // The server.
  {
    args: "server --store memory: --http off --listen 0.0.0.0:1883",
    granted: { net: "0.0.0.0:1883,127.0.0.1:1883" },
  },
  {
    args: "server --store=sqlite:/data/map.sqlite -l :1884 --http [::]:80",
    granted: {
      net: "127.0.0.1:1884,[::]:80,[::1]:80",
      read: "/data,/",
      write: "/data",
    },
  },
  {
    args: "server --broker mqtts://broker.example --store sqlite:map.sqlite",
    granted: {
      net: "broker.example,127.0.0.1:8080",
      read: ".",
      write: ".",
    },
  },
  {
    args: "server --http-token-file token --map-file plans/maps.json",
    env: {
      OCCUPANCY_STORE: "sqlite:~/map.sqlite",
      OCCUPANCY_CA: "ca.pem",
      OCCUPANCY_LISTEN: "127.0.0.1:0",
      OCCUPANCY_HTTP: "127.0.0.1:0",
    },
    granted: {
      net: "127.0.0.1:0,127.0.0.1:0",
      read: `token,plans/maps.json,plans,${HOME},/occupancy-test,ca.pem`,
      write: HOME,
    },
  },
  // Zones and webhooks of a server.
  {
    args:
      "server --store memory: --http off --zones plans/zones.geojson --webhook https://ann:a@hooks.example/x?y=https://z.example --webhook=http://10.0.0.7:9000 --webhook-secret-file hook.key -l :1884",
    granted: {
      net: "hooks.example,10.0.0.7:9000,127.0.0.1:1884",
      read: "plans/zones.geojson,plans,hook.key",
    },
  },
  {
    args: "server --store memory: --http off -l :1884",
    env: {
      OCCUPANCY_ZONES: "zones.geojson",
      OCCUPANCY_WEBHOOK: "https://hooks.example:8443/a b.example/* http://c/",
      OCCUPANCY_WEBHOOK_SECRET_FILE: "hook.key",
    },
    granted: {
      net: "127.0.0.1:1884,hooks.example:8443,b.example,c",
      read: "zones.geojson,.,hook.key",
    },
  },
  // Other commands send no events; --zones may be a switch of theirs.
  {
    args: "request --zones --broker b.example",
    env: { OCCUPANCY_WEBHOOK: "https://hooks.example" },
    granted: { ...CLIENT, net: "b.example" },
  },
  {
    args: "doctor --listen 0.0.0.0:1883 --http off --store memory:",
    granted: {
      net: "0.0.0.0:1883,127.0.0.1:1883",
      read: "/dev/null,/tmp",
      write: "/tmp",
    },
  },
  // A store in Redis: its other servers are found out.
  {
    args:
      "server --store rediss://map@r.example/site --redis-password-file secret --redis-ca=ca.pem --http off -l :1884",
    env: { OCCUPANCY_REDIS_CERT: "c.pem", OCCUPANCY_REDIS_KEY: "c.key" },
    granted: { net: true, read: "secret,ca.pem,c.pem,c.key" },
  },
  {
    args: "doctor --http off --redis-cert c.pem --redis-key c.key",
    env: {
      OCCUPANCY_STORE: "redis+sentinel://a:1,b:2/main",
      OCCUPANCY_REDIS_PASSWORD_FILE: "secret",
      OCCUPANCY_REDIS_CA: "ca.pem",
    },
    granted: {
      net: true,
      read: "c.pem,c.key,secret,ca.pem,/dev/null,/tmp",
      write: "/tmp",
    },
  },
  {
    args: "server --store REDIS+SENTINEL://a/main",
    granted: { net: true },
  },
  // Other commands have no store.
  { args: "request --store sqlite:/etc/map.sqlite", granted: CLIENT },
  {
    args: "config server --store sqlite:/data/map.sqlite --broker b.example",
    granted: { run: "tail" },
  },
];

/** What every command may read: the source code, and the list of packages. */
const SOURCE = [
  `${ROOT}src`,
  `${ROOT}deno.json`,
  `${HOME}/.cache/deno/npm`,
  `${HOME}/Library/Caches/deno/npm`,
].join();

/** The permissions among the arguments of Deno, without the source code. */
function grantedBy(args: readonly string[]): Granted {
  const end = args.indexOf(`${ROOT}main.ts`);
  const granted: Record<string, string | true> = {};
  const others: string[] = [];
  for (const arg of args.slice(0, end)) {
    const [, kind, value] =
      /^--allow-(net|read|write|run)(?:=(.*))?$/.exec(arg) ?? [];
    if (kind !== undefined) granted[kind] = value ?? true;
    else if (/^--(allow|deny|ignore)|^-\w/.test(arg)) others.push(arg);
  }
  const command = args[end + 1] ?? "";
  assert.deepEqual(others.map((arg) => arg.replace(/(env)=.*/, "$1")), [
    "--ignore-env",
    "--allow-env",
    ...(["server", "doctor", "store"].includes(command)
      ? ["--allow-sys=systemMemoryInfo"]
      : []),
  ]);
  const { read } = granted;
  if (typeof read === "string") {
    assert.ok(read === SOURCE || read.endsWith(`,${SOURCE}`), read);
    granted["read"] = read.slice(0, -SOURCE.length - 1);
    if (read === SOURCE) delete granted["read"];
  }
  return granted;
}

Deno.test({
  name: "the launcher gives each command only what it needs",
  ...needs("sh"),
  fn: async () => {
    for (const [command, expected] of Object.entries(BY_COMMAND)) {
      const words = command === "" ? [] : command.split(" ");
      const granted = grantedBy(await launched(words));
      assert.deepEqual(granted, expected, command);
    }
  },
});

Deno.test({
  name: "every command is in the list of permissions, with the same kinds",
  permissions: "none",
  fn: () => {
    for (const { name, ...entry } of COMMANDS) {
      const granted = Object.entries(BY_COMMAND)
        .find(([words]) => words.split(" ", 1)[0] === name)?.[1];
      assert.ok(granted, `${name} is not in the list of this test`);
      assert.equal(granted.run !== undefined, entry.runsPrograms ?? false);
      assert.equal(granted.write !== undefined, entry.writesFiles ?? false);
      assert.equal(granted.net === undefined, entry.isOffline ?? false);
    }
  },
});

Deno.test({
  name: "the launcher limits files, folders and hosts to those in the settings",
  ...needs("sh"),
  fn: async () => {
    for (const { args, env, granted } of CASES) {
      const words = args.split(" ");
      const found = grantedBy(await launched(words, { ...(env && { env }) }));
      assert.deepEqual(found, granted, args);
    }
  },
});

Deno.test({
  name: "the launcher knows the options of all commands that name files",
  ...needs("sh"),
  fn: async () => {
    for (const { name, spec } of await loadSpecs(COMMANDS)) {
      for (const option of spec.options) {
        if (!("file" in option)) continue;
        const words = [name, `--${option.name}`, "/some/file"];
        const { read } = grantedBy(await launched(words));
        assert.match(String(read), /\/some\/file/, words.join(" "));
        if ("flagOnly" in option) continue;
        const variable = option.name.toUpperCase().replaceAll("-", "_");
        const env = { [`OCCUPANCY_${variable}`]: "/some/file" };
        const fromEnv = grantedBy(await launched([name], { env }));
        assert.match(String(fromEnv.read), /\/some\/file/, `${env}`);
      }
    }
  },
});

Deno.test({
  name:
    "the launcher reads simple configuration files, and allows all for others",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    const path = await folder.file("occupancy.toml", "");
    const granted = async (text: string, command = "server") => {
      await Deno.writeTextFile(path, text);
      const words = [command, "--config", path];
      return grantedBy(await launched(words));
    };
    assert.deepEqual(
      await granted(
        `# the hall
stale-after = "5m"
broker="mqtt://u:p@hall.example" # "not" this = "one"
y-up = true

[server]
  store = 'sqlite:/data/map.sqlite'
max-layers = 5
http = "off"`,
      ),
      {
        net: "hall.example",
        read: `${path},/data,/`,
        write: "/data",
      },
    );
    const all = { net: true, read: true, write: true };
    for (
      const text of [
        'server.broker = "hall.example"',
        '"broker" = "hall.example"',
        'server = { broker = "hall.example" }',
        'broker = """\nhall.example"""',
        "broker = '''hall.example'''",
        'broker = "hall\\u002eexample"',
        '[client]\nfile = [\n  "a.csv",\n]',
      ]
    ) {
      assert.deepEqual(await granted(text), all, text);
    }
    // A pipe, which only the program can read.
    const words = ["server", "--config", "/dev/null"];
    assert.deepEqual(grantedBy(await launched(words)), all);
    // Variables and options of the command line come first.
    const env = { OCCUPANCY_CONFIG: path };
    await Deno.writeTextFile(path, 'broker = "hall.example"\n');
    assert.deepEqual(grantedBy(await launched(["request"], { env })), {
      net: "hall.example",
      read: path,
      run: "tail",
    });
  },
});
