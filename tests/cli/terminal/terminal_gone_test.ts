/** A live view ends when its terminal is closed or does not read. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { encodePublish } from "../../support/packets.ts";
import { RawConnection } from "../../support/raw_connection.ts";
import { startSystem, type System } from "../../support/system.ts";
import { until } from "../../support/until.ts";
import { ours, TerminalSession } from "../terminal_session.ts";

const SIZE = { columns: 70, rows: 20 };
/** Maximum time to end, ms. */
const END_TIMEOUT_MS = 1000;
/** Time of writing to a terminal that does not read, ms: fills every buffer. */
const LOAD_MS = 2000;

for (const form of ["--map", "--table"]) {
  Deno.test({
    name:
      `request --watch ${form} ends when its terminal is closed, without SIGHUP`,
    ...needs("script"),
    fn: async () => {
      await using system = await startSystem("embedded");
      const args = ["request", "--watch", "--broker", system.url];
      if (form === "--map") args.push(form);
      // The kernel sends SIGHUP only to the session of the terminal. setsid, of
      // util-linux like script, starts another session.
      const line = `exec setsid --wait ${ours(args)}`;
      await using session = new TerminalSession(line, SIZE);
      await session.shows(/Nothing has been reported yet/);
      const { pid } = session;
      session.vanish();
      await ends(pid);
    },
  });
}

Deno.test({
  name: "request --watch ends at SIGTERM, also when its terminal does not read",
  ...needs("script"),
  fn: async () => {
    await using system = await startSystem("embedded");
    const args = ["request", "--watch", "--map", "--broker", system.url];
    await using session = new TerminalSession(args, SIZE);
    await session.shows(/Nothing has been reported yet/);
    const { pid } = session;
    session.hang();
    await load(system);
    Deno.kill(pid, "SIGTERM");
    await ends(pid);
  },
});

/** Waits until a process ends that is not a child of this one. */
async function ends(pid: number): Promise<void> {
  try {
    await until(() => !runs(pid), {
      deadline: END_TIMEOUT_MS,
      what: `the end of ${pid}`,
    });
  } finally {
    if (runs(pid)) Deno.kill(pid, "SIGKILL");
  }
}

function runs(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // A zombie has ended (proc_pid_stat(5): Z, X).
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch (error) {
    assert.ok(error instanceof Deno.errors.NotFound, String(error));
    return false;
  }
}

/** Changes every visible cell, again and again. */
async function load(system: System): Promise<void> {
  await using client = await RawConnection.open(system.port, "load");
  const end = performance.now() + LOAD_MS;
  for (let turn = 1; performance.now() < end; turn++) {
    const { revision } = system.map;
    const rows = Array.from(
      { length: 70 * 36 },
      (_, i) => `${i % 70},${Math.floor(i / 70)},${(i * 7 + turn) % 12}`,
    );
    const options = { qos: 1, id: turn } as const;
    await client.write(
      encodePublish("occupancy/data", rows.join("\n"), options),
    );
    await until(() => system.map.revision > revision);
  }
}
