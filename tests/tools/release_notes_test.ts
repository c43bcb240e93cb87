/** The notes of a release, from the changelog. */
import assert from "node:assert/strict";
import { releaseNotes, versionOfTag } from "../../tools/release_notes.ts";

const CHANGELOG = `# Changelog

## [Unreleased]

- Not yet.

## [0.2.0] - 2026-12-01

### Added

- A thing, with an [address].

## [0.1.0] - 2026-11-22

## 0.0.9

First.

[0.2.0]: https://example.org/0.2.0
`;

Deno.test({
  name: "releaseNotes() returns the text below a version",
  permissions: "none",
  fn: () => {
    assert.equal(
      releaseNotes(CHANGELOG, "0.2.0"),
      "### Added\n\n- A thing, with an [address].\n",
    );
    assert.equal(releaseNotes(CHANGELOG, "Unreleased"), "- Not yet.\n");
  },
});

Deno.test({
  name: "releaseNotes() stops at the links at the end, and accepts CRLF",
  permissions: "none",
  fn: () => {
    const windows = CHANGELOG.replaceAll("\n", "\r\n");
    assert.equal(releaseNotes(windows, "0.0.9"), "First.\n");
  },
});

Deno.test({
  name: "releaseNotes() throws if the version is missing or has no notes",
  permissions: "none",
  fn: () => {
    assert.throws(() => releaseNotes(CHANGELOG, "0.3.0"), /no version 0\.3\.0/);
    // A prefix of a version does not match.
    assert.throws(() => releaseNotes(CHANGELOG, "0.2"), /no version 0\.2$/);
    assert.throws(
      () => releaseNotes(CHANGELOG, "0.1.0"),
      /no notes for 0\.1\.0/,
    );
  },
});

Deno.test({
  name: "versionOfTag() throws if the tag does not match the version",
  permissions: "none",
  fn: () => {
    assert.equal(versionOfTag("v0.2.0", "0.2.0"), "0.2.0");
    for (const tag of ["0.2.0", "v0.2.1", "v0.2.0-rc.1", ""]) {
      assert.throws(() => versionOfTag(tag, "0.2.0"), /does not match version/);
    }
  },
});
