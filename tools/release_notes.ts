/**
 * `deno run --allow-read tools/release_notes.ts v0.1.0`: prints the notes of a
 * release from CHANGELOG.md. The tag must be the version in deno.json.
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };
import { AppError } from "../src/common/errors.ts";
import { ROOT, runTool } from "./tool.ts";

/**
 * Cuts the notes of one version from a changelog in the form of Keep a
 * Changelog 1.1.0: the text below `## [0.1.0] - 2026-11-22`, up to the next
 * version or the links at the end.
 *
 * @param changelog its text
 * @param version as in the heading, without brackets
 * @throws {AppError} if the changelog has no such version, or no notes for it
 */
export function releaseNotes(changelog: string, version: string): string {
  const lines = changelog.replaceAll("\r\n", "\n").split("\n");
  const start = lines.findIndex((line) => versionOfHeading(line) === version);
  if (start === -1) {
    throw new AppError(
      "no-such-version",
      `The changelog has no version ${version}`,
      {
        hint:
          `Rename its "## [Unreleased]" to "## [${version}] - YYYY-MM-DD" before the tag.`,
      },
    );
  }
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) =>
    versionOfHeading(line) !== undefined || /^\[[^\]]+\]: /.test(line)
  );
  const notes = rest.slice(0, end === -1 ? undefined : end).join("\n").trim();
  if (notes !== "") return `${notes}\n`;
  throw new AppError("no-notes", `The changelog has no notes for ${version}`, {
    hint: "List the changes that users see.",
  });
}

/** @returns `0.1.0` of `## [0.1.0] - 2026-11-22` and of `## 0.1.0` */
function versionOfHeading(line: string): string | undefined {
  return /^## \[?([^\]\s]+)\]?/.exec(line)?.[1];
}

/**
 * Returns the version of a tag.
 *
 * @param tag such as `v0.1.0`
 * @param version the version in deno.json
 * @throws {AppError} if the tag is not `v` and this version
 */
export function versionOfTag(tag: string, version: string): string {
  if (tag === `v${version}`) return version;
  throw new AppError(
    "wrong-tag",
    `The tag ${tag} does not match version ${version}`,
    { hint: "Set the version in deno.json, commit, then tag that commit." },
  );
}

if (import.meta.main) {
  await runTool(async () => {
    const [tag] = Deno.args;
    if (tag === undefined) {
      throw new AppError("no-tag", "Cannot print release notes: no tag", {
        exitClass: "usage",
        hint: "Name it: deno run --allow-read tools/release_notes.ts v0.1.0",
      });
    }
    const version = versionOfTag(tag, manifest.version);
    const changelog = await Deno.readTextFile(`${ROOT}CHANGELOG.md`);
    console.log(releaseNotes(changelog, version).trimEnd());
  });
}
