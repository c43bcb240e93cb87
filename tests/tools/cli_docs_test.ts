/** docs/CLI.md matches the option tables. */
import assert from "node:assert/strict";
import { CLI_DOCS, cliDocs } from "../../tools/cli_docs.ts";
import { needs } from "../support/needs.ts";

Deno.test({
  name: "docs/CLI.md is current",
  ...needs(),
  fn: async () => {
    assert.equal(
      await Deno.readTextFile(CLI_DOCS),
      await cliDocs(),
      "After a change of an option: deno task docs",
    );
  },
});
