import assert from "node:assert/strict";
import { ALONE, FIRST, isAlone } from "../../tools/test/alone.ts";
import {
  flagsOfGroup,
  parseTestArguments,
} from "../../tools/test/arguments.ts";
import { readResult, summaryLine } from "../../tools/test/summary.ts";
import { needs } from "../support/needs.ts";
import { DENO_RUN, type Ended, ROOT, Running } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

Deno.test({
  name: "every file or folder that runs alone exists and has a reason",
  ...needs(),
  fn: () => {
    for (const [path, reason] of Object.entries(ALONE)) {
      assert.equal(Deno.statSync(ROOT + path).isDirectory, path.endsWith("/"));
      assert.match(path, /^tests\/.*(\/|_test\.ts)$/);
      assert.match(reason, /^\w.{10,}[^.]$/, path);
    }
  },
});

Deno.test({
  name: "every file that starts first exists, and does not run alone",
  ...needs(),
  fn: () => {
    for (const path of FIRST) {
      assert.equal(Deno.statSync(ROOT + path).isFile, true, path);
      assert.equal(isAlone(path), false, path);
    }
  },
});

Deno.test("the files of a folder that runs alone do so, no others", () => {
  const [folder] = Object.keys(ALONE).filter((path) => path.endsWith("/"));
  assert.equal(isAlone(`${folder}some_test.ts`), true);
  assert.equal(isAlone(`${folder!.slice(0, -1)}_test.ts`), false);
});

Deno.test("paths and flags of deno test are separated", () => {
  assert.deepEqual(
    parseTestArguments([
      ...["tests/grid", "--filter", "a", "--fail-fast", "--filter=b"],
      ...["tests/zones/docs_test.ts", "--junit-path", "r.xml"],
    ]),
    {
      paths: ["tests/grid", "tests/zones/docs_test.ts"],
      flags: [
        ...["--filter", "a", "--fail-fast", "--filter=b"],
        ...["--junit-path", "r.xml"],
      ],
    },
  );
});

Deno.test("every group has its own file of a JUnit report", () => {
  assert.deepEqual(
    flagsOfGroup(
      [
        ...["--junit-path=out.d/r.xml", "--junit-path", "r", "--junit-path=-"],
        "--filter=--junit-path=a",
      ],
      "alone",
    ),
    [
      ...["--junit-path=out.d/r.alone.xml", "--junit-path", "r.alone"],
      ...["--junit-path=-", "--filter=--junit-path=a"],
    ],
  );
});

Deno.test("the summaries of all runs are added", () => {
  const first = readResult(
    "ok | 9 passed\n\n\u001b[32mok\u001b[0m | 12 passed (3 steps) | 0 failed | 1 ignored (2m3s)\n",
  );
  const second = readResult(
    " FAILURES \n\na => ./a_test.ts:1:6\n./b_test.ts (uncaught error)\n\n" +
      "FAILED | 1 passed | 2 failed (1 step) | 5 filtered out (10ms)\r\n",
  );
  assert.deepEqual(first.failures, []);
  assert.deepEqual(second.failures, [
    "a => ./a_test.ts:1:6",
    "./b_test.ts (uncaught error)",
  ]);
  assert.equal(
    summaryLine([first, second], false, 133_400),
    "FAILED | 13 passed | 2 failed | 1 ignored | 5 filtered out (2m13s)",
  );
  assert.equal(
    summaryLine([first], true, 400),
    "ok | 12 passed | 0 failed | 1 ignored (400ms)",
  );
  const broken = readResult(
    "./a_test.ts => b ... FAILED (2s)\nDeno panicked\n",
  );
  assert.equal(broken.failed, 1);
  assert.deepEqual(broken.failures, ["./a_test.ts => b"]);
  assert.equal(broken.hasSummary, false);
});

Deno.test({
  name: "deno task test lists failures again, and ends with one summary",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("ok_test.ts", `Deno.test("good", () => {});`);
    const good = await runTests(folder.path);
    assert.equal(good.code, 0, good.stderr);
    assert.match(
      good.stdout,
      /\nok \| 1 passed \| 0 failed \| 0 ignored \(.*\)\n$/,
    );
    await folder.file(
      "bad_test.ts",
      `Deno.test("bad one", () => { throw new Error("why"); });`,
    );
    const bad = await runTests(folder.path);
    assert.equal(bad.code, 1);
    assert.match(
      bad.stdout,
      /error: Error: why[^]*\nFailed:\nbad one => .*bad_test\.ts:1:6\n\nFAILED \| 1 passed \| 1 failed \| 0 ignored \(.*\)\n$/,
    );
    const filtered = await runTests(folder.path, "--filter", "good");
    assert.equal(filtered.code, 0);
    assert.match(filtered.stdout, /\nok \| 1 passed .*\| 1 filtered out \(/);
    const tap = await runTests(folder.path, "--reporter=tap");
    assert.equal(tap.code, 1);
    const one = `${folder.path}/ok_test.ts`;
    const reported = await runTests(one, "--reporter=tap", "--seed", "5");
    assert.equal(reported.code, 0, reported.stderr);
    assert.match(reported.stdout, /\nok 1 - good\b/);
    assert.doesNotMatch(reported.stdout, /Failed:|0 passed/);
    const marker = JSON.stringify(`${folder.path}/marker`);
    await folder.file(
      "once_test.ts",
      `Deno.test("once", () => {
        Deno.writeTextFileSync(${marker}, "", { createNew: true });
      });
      Deno.test("again", () => Deno.removeSync(${marker}));`,
    );
    await Deno.writeTextFile(`${folder.path}/marker`, "");
    const again = await runTests(`${folder.path}/once_test.ts`);
    assert.equal(again.code, 0, again.stdout);
    assert.match(
      again.stdout,
      /== failed beside others, again alone: \S+once_test\.ts\n[^]*\nok \| 2 passed \| 0 failed/,
    );
    const ended = `Deno.test("ends", () => Deno.kill(Deno.pid, "SIGKILL"));`;
    await folder.file("ok_test.ts", ended);
    const killed = await runTests(one);
    assert.notEqual(killed.code, 0);
    assert.match(killed.stdout, /\nFailed:\n[^]*did not come to its end/);
  },
});

Deno.test({
  name: "deno task test fails for a missing file and for a file with an error",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const missing = await runTests(`${folder.path}/no_test.ts`);
    assert.notEqual(missing.code, 0);
    assert.match(missing.stderr, /^Cannot find .*no_test\.ts\n {2}hint: /);
    await folder.file("broken_test.ts", `import "./none.ts";`);
    const broken = await runTests(folder.path);
    assert.equal(broken.code, 1);
    assert.match(broken.stdout, /\nFAILED \| 0 passed \| 0 failed/);
  },
});

Deno.test({
  name: "deno task test runs each file in one group only",
  ...needs(),
  fn: async () => {
    const { stdout, stderr } = await runTests(
      ...["tests/attacks", "tests/zones/live_test.ts", "tests/common"],
      ...["--filter", "/no test has this name/", "--no-check"],
    );
    const [parallel, alone, all] = [
      ...stdout.matchAll(/^ok \| .* (\d+) filtered out/gm),
    ].map(([, count]) => Number(count));
    assert.ok(parallel! > 40 && alone! > 10, stderr + stdout);
    assert.equal(parallel! + alone!, all);
    const { stdout: single } = await runTests(
      ...["tests/attacks/memory_test.ts", "--no-check"],
      ...["--filter", "/no test has this name/"],
    );
    assert.match(single, /^== tests that run alone/);
    assert.equal(single.match(/^== /gm)!.length, 1);
  },
});

/** Runs the tool of `deno task test`. */
async function runTests(...args: string[]): Promise<Ended> {
  await using running = new Running(Deno.execPath(), [
    ...[...DENO_RUN, "--allow-all", `${ROOT}tools/test.ts`, ...args],
  ]);
  return await running.ended(60_000);
}
