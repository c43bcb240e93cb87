/** A live picture whose terminal goes away or hangs: it ends, come what may. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { encodePublish, RawConnection } from "../../support/raw_mqtt.ts";
import { startSystem, type System } from "../../support/system.ts";
import { until } from "../../support/until.ts";
import { ours, TerminalSession } from "../terminal_session.ts";

const SIZE = { columns: 70, rows: 20 };
/** How long it may take to end, ms. */
const SOON = 1000;
/** How long a terminal that hangs is written to: far more than it has room for, ms. */
const LOAD = 2000;

for (const form of ["--map", "--table"]) {
  Deno.test({
    name:
      `request --watch ${form} ends when its terminal is gone, without a SIGHUP`,
    ...needs("script"),
    fn: async () => {
      await using system = await startSystem("embedded");
      const args = ["request", "--watch", "--broker", system.url];
      if (form === "--map") args.push(form);
      // Of util-linux, as script is. The kernel hangs up on the terminal's own session only.
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
  name: "request --watch ends at SIGTERM, also when its terminal takes nothing",
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

/** Waits until a process that is not our child has ended. */
async function ends(pid: number): Promise<void> {
  try {
    await until(() => !runs(pid), {
      deadline: SOON,
      what: `the end of ${pid}`,
    });
  } finally {
    if (runs(pid)) Deno.kill(pid, "SIGKILL");
  }
}

function runs(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // Nobody may have taken note of its end yet (proc_pid_stat(5): Z, X).
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch (error) {
    assert.ok(error instanceof Deno.errors.NotFound, String(error));
    return false;
  }
}

/** Changes every cell of the picture again and again. */
async function load(system: System): Promise<void> {
  await using client = await RawConnection.open(system.port, "load");
  const end = performance.now() + LOAD;
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
