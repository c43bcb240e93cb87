/** The line that counts sent readings on a terminal. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { startSystem } from "../../support/system.ts";
import { tempDir } from "../../support/temp.ts";
import { ours, TerminalSession } from "../terminal_session.ts";

Deno.test({
  name: "client shows count and percentage, and prints messages in their place",
  ...needs("script"),
  fn: async () => {
    await using system = await startSystem("embedded");
    await using folder = await tempDir();
    const rows = (from: number) =>
      Array.from({ length: 40_000 }, (_, i) => `${from + i},7,1\n`).join("");
    const file = await folder.file(
      "rows.csv",
      `${rows(0)}bad,row\n${rows(40_000)}`,
    );
    const args = ["client", "--file", file, "--broker", system.url];
    // The progress is on stderr, which TerminalSession does not read.
    const line = (extra: string[]) => `${ours([...args, ...extra])} 2>&1`;
    const flags = ["--no-request", "--batch", "1", "--interval", "1ms"];
    await using session = new TerminalSession(line(flags), {
      columns: 60,
      rows: 10,
    });
    await session.shows(/\r[\d,]+ readings sent, \d+%/);
    await session.type("\x03");
    assert.equal(await session.ended(), 130);
    assert.match(session.output, /\(\d+% of \S+rows\.csv\), then interrupted/);

    await using narrow = new TerminalSession(line(flags), {
      columns: 16,
      rows: 10,
    });
    await narrow.shows(/\r[\d,]+ readings? \w*…/);
    await using dumb = new TerminalSession(line(["--no-request"]), {
      columns: 60,
      rows: 10,
      env: { TERM: "dumb" },
    });
    assert.equal(await dumb.ended(), 3);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(dumb.output, /readings sent|\x1b/);

    await using bad = new TerminalSession(line(["--no-request"]), {
      columns: 60,
      rows: 10,
    });
    assert.equal(await bad.ended(), 3);
    // Not behind the progress, on the same line.
    // deno-lint-ignore no-control-regex
    assert.match(bad.output, /(?:^|\n|\x1b\[K)Skipped \S+rows\.csv/);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(bad.output, /sent, \d+%(?:\x1b\[K)?Skipped/);
  },
});
