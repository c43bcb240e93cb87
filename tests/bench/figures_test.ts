/** docs/PERFORMANCE.md is the only source of performance figures. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";

const SOURCE = "docs/PERFORMANCE.md";
/** Documents that quote figures: each quote is a link to the source. */
const QUOTING = [
  "README.md",
  "docs/DASHBOARD.md",
  "docs/OPERATIONS.md",
  "docs/PACKAGING.md",
  "docs/USING.md",
];
const LINK = /\[([^\]]+)\]\((?:docs\/)?PERFORMANCE\.md[^)]*\)/g;
/** A performance figure. */
const FIGURE =
  /\d\S* (?:\w+ ){0,2}(?:per|a) second|\d µs|\d+ bytes (?:per|a) cell|\d times (?:as|the|faster)/;

/** Reads a document and replaces white space by single spaces. */
function read(file: string): string {
  return Deno.readTextFileSync(ROOT + file).replace(/\s+/g, " ");
}

/** The texts of the links to the source that contain a figure. */
function quotes(document: string): string[] {
  return [...document.matchAll(LINK)].map(([, text]) => text!)
    .filter((text) => /\d/.test(text));
}

Deno.test({
  name: "documents quote figures literally from docs/PERFORMANCE.md",
  ...needs(),
  fn: () => {
    const source = read(SOURCE);
    for (const file of QUOTING) {
      for (const quote of quotes(read(file))) {
        assert.ok(source.includes(quote), `${file}: ${quote}`);
      }
    }
    assert.ok(quotes(read("docs/OPERATIONS.md")).length >= 8);
  },
});

Deno.test({
  name: "documents have no other performance figures",
  ...needs(),
  fn: () => {
    for (const file of QUOTING) {
      const own = read(file).replace(LINK, "").replace(/```.*?```/g, "");
      assert.equal(FIGURE.exec(own)?.[0], undefined, file);
    }
  },
});
