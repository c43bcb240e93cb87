/**
 * `deno run --allow-read tools/release_notes.ts v0.1.0`: the notes of a release,
 * cut from CHANGELOG.md, on stdout. The tag must be of the version in deno.json.
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };
import { ROOT } from "./places.ts";
import { releaseNotes, versionOfTag } from "./release/notes.ts";
import { runTool, ToolError } from "./tool_error.ts";

if (import.meta.main) {
  await runTool(async () => {
    const [tag] = Deno.args;
    if (tag === undefined) {
      throw new ToolError("Which release?", {
        exitCode: 2,
        hint: "deno run --allow-read tools/release_notes.ts v0.1.0",
      });
    }
    const version = versionOfTag(tag, manifest.version);
    const changelog = await Deno.readTextFile(`${ROOT}CHANGELOG.md`);
    console.log(releaseNotes(changelog, version).trimEnd());
  });
}
