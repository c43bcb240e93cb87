/** A server whose store files are removed, moved or replaced while it runs. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { diagnose } from "../doctor/run_doctor.ts";
import { assertFailure } from "../support/assert_failure.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy, type Running, runOccupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { requestMap, serverArgs, takeJson } from "./support.ts";

const STATE = "occupancy/server/state";
const READINGS = 100;
/** An inode stays in use while a file of this name has it. */
const AWAY = "away";

interface Damage {
  readonly name: string;
  readonly apply: (file: string) => Promise<unknown>;
  readonly problem: RegExp;
  readonly doctor: RegExp;
  /** The file that has the map after the server ended, by its start. */
  readonly saved: string;
}

const DAMAGES: readonly Damage[] = [
  {
    name: "both files are removed",
    apply: async (file) => {
      await Deno.remove(file);
      await Deno.remove(`${file}-wal`);
    },
    problem: /map\.sqlite: the file was removed or moved$/,
    doctor: /^error: The server occupancy-server reports: .* removed or moved$/,
    saved: "map.sqlite",
  },
  {
    name: "the file is moved, its log stays",
    apply: (file) => Deno.rename(file, `${file}.${AWAY}`),
    problem: /map\.sqlite: the file was removed or moved$/,
    doctor: /^error: .*map\.sqlite: it is missing, but .*-wal exists$/,
    saved: "map.sqlite",
  },
  {
    name: "both files are moved",
    apply: async (file) => {
      await Deno.rename(file, `${file}.${AWAY}`);
      await Deno.rename(`${file}-wal`, `${file}.${AWAY}-wal`);
    },
    problem: /map\.sqlite: the file was removed or moved$/,
    doctor: /^error: The server occupancy-server reports/,
    saved: "map.sqlite",
  },
  {
    name: "the file is replaced by a copy",
    apply: async (file) => {
      await Deno.copyFile(file, `${file}.copy`);
      await Deno.rename(`${file}.copy`, file);
    },
    problem: /map\.sqlite: the file was replaced by another file$/,
    doctor: /^error: The server occupancy-server reports: .* replaced/,
    saved: "map.sqlite.saved-",
  },
  {
    name: "the log is removed",
    apply: (file) => Deno.remove(`${file}-wal`),
    problem: /map\.sqlite: .*map\.sqlite-wal was removed or moved$/,
    doctor: /^error: The server occupancy-server reports: .*-wal was removed/,
    saved: "map.sqlite",
  },
  {
    name: "the log is replaced by a copy",
    apply: async (file) => {
      await Deno.copyFile(`${file}-wal`, `${file}.copy`);
      await Deno.rename(`${file}.copy`, `${file}-wal`);
    },
    problem: /map\.sqlite: .*map\.sqlite-wal was replaced/,
    doctor: /^error: The server occupancy-server reports: .*-wal was replaced/,
    saved: "map.sqlite",
  },
];

for (const { name, apply, problem, doctor, saved } of DAMAGES) {
  Deno.test({
    name:
      `a store of which ${name}: the server acknowledges nothing, says why, and its end saves the map`,
    ...needs(),
    fn: async () => {
      await using folder = await tempDir();
      await using started = await start(folder.path);
      const { server, sender, http, args, port } = started;
      await apply(`${folder.path}/map.sqlite`);
      const state = await started.untilProblem();
      assert.match(state, problem);
      const ready = await fetch(`${http}/readyz`);
      assert.equal(ready.status, 503);
      assert.match(await ready.text(), /store-failing/);
      assert.match(
        await (await fetch(`${http}/metrics`)).text(),
        /^occupancy_store_up 0$/m,
      );
      const found = await diagnose(args.slice(1));
      assert.equal(found.code, 1);
      assert.match(found.of("store")[0]!, doctor);
      assert.match(found.of("server")[0]!, /^error: .* cannot store readings/);
      await send(sender, READINGS, 10);
      await sender.write(encodePublish("occupancy/request", "{}", { qos: 0 }));
      await server.waitFor(/Readings stay unacknowledged/);
      assert.equal(sender.takeReceived("puback").length, 0);

      server.kill("SIGTERM");
      assert.equal((await server.ended()).code, 0, server.stderr);
      const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
      const kept = names.find((file) =>
        file.startsWith(saved) && !file.endsWith("-wal")
      );
      assert.ok(kept, names.join());
      const file = `${folder.path}/${kept}`;
      assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
      await assertCells(args, port, `sqlite:${file}`);
    },
  });
}

for (const what of [["map.sqlite"], ["map.sqlite", "map.sqlite-wal"]]) {
  Deno.test({
    name: `a store whose ${
      what.join(" and ")
    } was moved away and back: the server goes on`,
    ...needs(),
    fn: async () => {
      await using folder = await tempDir();
      await using started = await start(folder.path);
      const { server, sender, args, port } = started;
      const move = async (from: string, to: string) => {
        for (const file of what) {
          await Deno.rename(
            `${folder.path}/${from}${file}`,
            `${folder.path}/${to}${file}`,
          );
        }
      };
      await move("", `${AWAY}-`);
      await started.untilProblem();
      await send(sender, READINGS, READINGS);
      await move(`${AWAY}-`, "");
      let acknowledged = 0;
      await until(() =>
        (acknowledged += sender.takeReceived("puback").length) === READINGS
      );
      server.kill("SIGKILL");
      await server.ended();
      await assertCells(args, port, args.at(-1)!, 2 * READINGS);
    },
  });
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test({
    name:
      `a backup that was moved into the place of the store is what the next start reads, after ${signal}`,
    ...needs(),
    fn: async () => {
      await using folder = await tempDir();
      const file = `${folder.path}/map.sqlite`;
      const backup = await makeBackup(folder.path, 2 * READINGS);
      await using started = await start(folder.path);
      await Deno.rename(backup, file);
      await started.untilProblem();
      started.server.kill(signal);
      await started.server.ended();
      const { port } = started;
      await assertCells(started.args, port, `sqlite:${file}`, 2 * READINGS);
    },
  });
}

Deno.test({
  name:
    "a server that is killed after its log was removed has lost no acknowledged reading",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await using started = await start(folder.path);
    const { server, args, port } = started;
    await Deno.remove(`${folder.path}/map.sqlite-wal`);
    await started.untilProblem();
    server.kill("SIGKILL");
    await server.ended();
    await assertCells(args, port, args.at(-1)!);
  },
});

Deno.test({
  name:
    "a server that is killed before it notices that its file was replaced: the next start mixes nothing",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const file = `${folder.path}/map.sqlite`;
    const backup = await makeBackup(folder.path, 2 * READINGS);
    await using started = await start(folder.path);
    const { server, args, port } = started;
    server.kill("SIGSTOP"); // it cannot notice
    await Deno.rename(file, `${file}.${AWAY}`);
    await Deno.rename(backup, file);
    server.kill("SIGKILL");
    await server.ended();
    assertFailure(
      await runOccupancy(args),
      1,
      /map\.sqlite: it was replaced while a server used it, and .*map\.sqlite-wal belongs to the file before$/m,
      /Move the file before back\. To use the present one, move .*-wal away/,
    );
    const found = await diagnose(args.slice(1));
    assert.match(found.of("store")[0]!, /^error: .*it was replaced/);

    // Either advice works.
    await Deno.rename(file, backup);
    await Deno.rename(`${file}.${AWAY}`, file);
    await assertCells(args, port, `sqlite:${file}`);
    await Deno.rename(backup, file);
    await Deno.remove(`${file}-wal`).catch(() => {});
    await assertCells(args, port, `sqlite:${file}`, 2 * READINGS);
  },
});

Deno.test({
  name:
    "a second server rejects the moved file of a running one, and the log that it left",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await using started = await start(folder.path);
    const file = `${folder.path}/map.sqlite`;
    await Deno.rename(file, `${file}.${AWAY}`);
    const startOn = (path: string) =>
      runOccupancy(
        ["server", "--listen", "127.0.0.1:0", "--store", `sqlite:${path}`],
      );
    assertFailure(
      await startOn(`${file}.${AWAY}`),
      1,
      /another server is using it$/m,
      /Stop the other server/,
    );
    assertFailure(
      await startOn(file),
      1,
      /map\.sqlite: it is missing, but .*map\.sqlite-wal exists$/m,
      /Move the file back/,
    );
    await started.untilProblem();
  },
});

Deno.test({
  name: "a server makes its file and its log with mode 0600",
  ...needs(),
  ignore: needs().ignore || Deno.build.os === "windows",
  fn: async () => {
    await using folder = await tempDir();
    await using _ = await start(`${folder.path}/new`);
    const modeOf = async (file: string) =>
      ((await Deno.stat(`${folder.path}/${file}`)).mode! & 0o777).toString(8);
    assert.equal(await modeOf("new"), "700");
    assert.equal(await modeOf("new/map.sqlite"), "600");
    assert.equal(await modeOf("new/map.sqlite-wal"), "600");
  },
});

Deno.test({
  name:
    "a flipped bit in the log of a killed server is warned of by the server and the doctor",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await using started = await start(folder.path);
    const { server, sender, args } = started;
    for (let i = 1; i < 10; i++) {
      await send(sender, i * READINGS, 1);
      await sender.take("puback");
    }
    server.kill("SIGKILL");
    await server.ended();
    const wal = `${folder.path}/map.sqlite-wal`;
    const bytes = await Deno.readFile(wal);
    const middle = bytes.length >> 1;
    bytes[middle] = bytes[middle]! ^ 1;
    await Deno.writeFile(wal, bytes);
    const warning =
      /map\.sqlite-wal is damaged: the last \d+ transactions cannot be read, so the map is older/;
    const found = await diagnose(args.slice(1));
    assert.equal(found.code, 0);
    assert.match(found.of("store")[0]!, /^warning: /);
    assert.match(found.of("store")[0]!, warning);
    await using again = occupancy(args);
    await again.waitFor(warning);
    await again.waitFor(/Ready/);
  },
});

interface Started extends AsyncDisposable {
  readonly server: Running;
  readonly args: string[];
  readonly port: number;
  readonly sender: RawConnection;
  /** The address of HTTP. */
  readonly http: string;
  /** Waits until the state has a problem, and returns it. */
  untilProblem(): Promise<string>;
}

/** Starts a server, and waits until it has acknowledged readings. */
async function start(folder: string): Promise<Started> {
  const port = freePort();
  const httpPort = freePort();
  const [command, ...rest] = serverArgs(port, folder);
  const args = [command!, "--http", `127.0.0.1:${httpPort}`, ...rest];
  const server = occupancy(args);
  await server.waitFor(/Ready/);
  const watcher = await RawConnection.open(port, "watcher");
  await watcher.subscribe(STATE);
  const sender = await RawConnection.open(port, "sender");
  await send(sender, 0, READINGS);
  for (let i = 0; i < READINGS; i++) await sender.take("puback");
  return {
    server,
    args,
    port,
    sender,
    http: `http://127.0.0.1:${httpPort}`,
    untilProblem: async () => {
      for (;;) {
        const { problem } = await takeJson(watcher);
        if (problem !== undefined) return problem;
      }
    },
    [Symbol.asyncDispose]: async () => {
      await watcher[Symbol.asyncDispose]();
      await sender[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Makes a store of another server with readings, and returns its file. */
async function makeBackup(folder: string, count: number): Promise<string> {
  const other = `${folder}/other`;
  await using started = await start(other);
  await send(started.sender, READINGS, count - READINGS);
  for (let i = READINGS; i < count; i++) await started.sender.take("puback");
  started.server.kill("SIGTERM");
  await started.server.ended();
  return `${other}/map.sqlite`;
}

/** Sends readings at QoS 1: number n sets the cell (n, 0) to n. */
async function send(
  raw: RawConnection,
  from: number,
  count: number,
): Promise<void> {
  const packets = Array.from(
    { length: count },
    (_, i) =>
      encodePublish("occupancy/data", `${from + i},0,${from + i}`, {
        qos: 1,
        id: from + i + 1,
      }),
  );
  await raw.write(Buffer.concat(packets));
}

/** Starts a server with a store and checks that it has the first cells. */
async function assertCells(
  args: string[],
  port: number,
  store: string,
  count = READINGS,
): Promise<void> {
  await using server = occupancy([...args.slice(0, -1), store]);
  await server.waitFor(/Ready/);
  await using requester = await RawConnection.open(port, "requester");
  const { cells } = await requestMap(requester);
  assert.deepEqual(
    cells.map(([x]) => x).sort((a, b) => a! - b!),
    Array.from({ length: count }, (_, i) => i),
  );
}
