import { ToolError } from "../tool_error.ts";

/**
 * The notes of one version, cut from a changelog in the form of Keep a Changelog
 * 1.1.0: what stands under `## [0.1.0] - 2026-11-22`, up to the next version or
 * the links at the end.
 *
 * @param changelog its text
 * @param version as in the heading, without brackets
 * @throws {ToolError} if the changelog has no such version, or nothing under it
 */
export function releaseNotes(changelog: string, version: string): string {
  const lines = changelog.replaceAll("\r\n", "\n").split("\n");
  const start = lines.findIndex((line) => headingOf(line) === version);
  if (start === -1) {
    throw new ToolError(`The changelog has no version ${version}`, {
      hint:
        `Rename its "## [Unreleased]" to "## [${version}] - YYYY-MM-DD" before the tag.`,
    });
  }
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) =>
    headingOf(line) !== undefined || /^\[[^\]]+\]: /.test(line)
  );
  const notes = rest.slice(0, end === -1 ? undefined : end).join("\n").trim();
  if (notes !== "") return `${notes}\n`;
  throw new ToolError(`The changelog says nothing about ${version}`, {
    hint: "Say what is new, for those who use it.",
  });
}

/** The version that a heading is of: `## [0.1.0] - 2026-11-22`, `## 0.1.0`. */
function headingOf(line: string): string | undefined {
  return /^## \[?([^\]\s]+)\]?/.exec(line)?.[1];
}

/**
 * The version that a tag is of.
 *
 * @param tag such as `v0.1.0`
 * @param version of deno.json
 * @throws {ToolError} if the tag is of another version
 */
export function versionOfTag(tag: string, version: string): string {
  if (tag === `v${version}`) return version;
  throw new ToolError(`The tag ${tag} is not that of version ${version}`, {
    hint: "Set the version in deno.json, commit, then tag that commit.",
  });
}
