import assert from "node:assert/strict";
import fc from "fast-check";
import { countLines, lineBlocks } from "../../src/client/lines.ts";
import { all, chunked, cuts } from "./chunks.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Returns the blocks as text. */
async function blocksOf(chunks: AsyncIterable<Uint8Array>) {
  return (await all(lineBlocks(chunks))).map(({ bytes, firstLine }) => ({
    text: decoder.decode(bytes),
    firstLine,
  }));
}

Deno.test({
  name: "lineBlocks() yields whole lines as soon as a chunk completes one",
  permissions: "none",
  fn: async () => {
    const bytes = encoder.encode("one\ntwo\nthree\nfour");
    assert.deepEqual(await blocksOf(chunked(bytes, [2, 9, 11])), [
      { text: "one\ntwo\n", firstLine: 1 },
      { text: "three\n", firstLine: 3 },
      { text: "four", firstLine: 4 },
    ]);
  },
});

Deno.test({
  name: "lineBlocks() yields nothing for no bytes",
  permissions: "none",
  fn: async () => {
    assert.deepEqual(await blocksOf(chunked(new Uint8Array(0), [])), []);
  },
});

Deno.test({
  name: "lineBlocks() yields all bytes and correct line numbers for any chunks",
  permissions: "none",
  fn: async () => {
    const line = fc.string({
      unit: fc.constantFrom("a", "é", ",", "\r", "\n"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(line), cuts, async (lines, cuts) => {
        const text = lines.join("\n");
        const blocks = await blocksOf(chunked(encoder.encode(text), cuts));
        assert.equal(blocks.map((block) => block.text).join(""), text);
        let firstLine = 1;
        for (const [i, block] of blocks.entries()) {
          assert.equal(block.firstLine, firstLine);
          assert.ok(i === blocks.length - 1 || block.text.endsWith("\n"));
          firstLine += block.text.split("\n").length - 1;
        }
      }),
    );
  },
});

Deno.test({
  name:
    "lineBlocks() skips a line of gigabytes and yields its length and number",
  permissions: "none",
  fn: async () => {
    const much = new Uint8Array(512 * 1024).fill("9".charCodeAt(0));
    const endless = async function* () {
      yield encoder.encode("1,1,1\n");
      for (let i = 0; i < 4096; i++) yield await Promise.resolve(much);
      yield encoder.encode("9\n2,2,1\n");
    };
    const length = 4096 * much.length + 1;
    const blocks = (await all(lineBlocks(endless())))
      .map(({ bytes, ...rest }) => ({ text: decoder.decode(bytes), ...rest }));
    assert.deepEqual(blocks, [
      { text: "1,1,1\n", firstLine: 1 },
      { text: "", firstLine: 2, tooLong: length },
      { text: "2,2,1\n", firstLine: 3 },
    ]);
    const unended = async function* () {
      for (let i = 0; i < 6; i++) yield await Promise.resolve(much);
    };
    assert.deepEqual(
      (await all(lineBlocks(unended()))).map((one) => one.tooLong),
      [
        6 * much.length,
      ],
    );
  },
});

Deno.test({
  name: "countLines() counts line feeds",
  permissions: "none",
  fn: () => {
    assert.equal(countLines(encoder.encode("")), 0);
    assert.equal(countLines(encoder.encode("a")), 0);
    assert.equal(countLines(encoder.encode("\n\na\r\nb\n")), 4);
  },
});
