/** The terminal is restored after a live view, also after several signals. */
import assert from "node:assert/strict";
import { delay } from "../../../src/common/async.ts";
import { needs } from "../../support/needs.ts";
import { startSystem } from "../../support/system.ts";
import { TerminalSession } from "../terminal_session.ts";

/** Shows the cursor and leaves the alternate screen. */
const LEAVE = "\x1b[?25h\x1b[?1049l";

for (const pauses of [[0], [0, 0], [30], [300], [30, 300]]) {
  Deno.test({
    name:
      `request --watch restores the terminal after SIGTERM and ${pauses.length} more, ${pauses} ms later`,
    ...needs("script"),
    fn: async () => {
      await using system = await startSystem("embedded");
      const args = ["request", "--watch", "--map", "--broker", system.url];
      await using session = new TerminalSession(args, {
        columns: 70,
        rows: 20,
      });
      await session.shows(/Nothing has been reported yet/);
      const { pid } = session;
      Deno.kill(pid, "SIGTERM");
      for (const pause of pauses) {
        await delay(pause);
        kill(pid);
      }
      assert.equal(await session.ended(), 143);
      assert.ok(session.output.includes(LEAVE), session.output);
    },
  });
}

/** The process may have ended. */
function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGTERM");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
