/** All attacks against one server process with 512 MB and 1,024 files. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { problemsOf, reportLine } from "./all/problems.ts";
import { MIXED } from "./all/attacks.ts";
import { type AttackOptions, runAttacks } from "./all/run_attacks.ts";

const MAX_PROBLEM_CHARS = 200;

/**
 * Asserts what must hold on any machine, also beside other load. How fast the
 * server answers is compared by `deno task attacks`.
 */
Deno.test({
  name:
    "with 512 MB the server survives all attacks, loses no acknowledged reading and serves a good client",
  // The attackers have an address of their own, 127.0.0.2.
  ignore: needs().ignore || Deno.build.os !== "linux",
  fn: () => run({ attackMs: 1000, pauseMs: 50 }),
});

Deno.test({
  name:
    "beside 20 hostile MQTT connections of all kinds, 80 clients lose no acknowledged reading",
  ignore: needs().ignore || Deno.build.os !== "linux",
  fn: () =>
    run({
      ...{ names: [MIXED], connections: 100, attackMs: 3000, pauseMs: 50 },
    }),
});

async function run(
  options: Omit<AttackOptions, "cells" | "answerTimeoutMs">,
): Promise<void> {
  const result = await runAttacks({
    ...options,
    cells: 100_000,
    answerTimeoutMs: 30_000,
  });
  const problems = problemsOf(result);
  if (problems.length === 0) return;
  // The error is short, so that the last lines of a log show the reason.
  console.error([
    `The server's memory: ${result.cap}`,
    reportLine(),
    ...result.reports.map((report) => reportLine(report)),
    result.log,
  ].join("\n"));
  assert.fail(
    problems.map((line) => line.slice(0, MAX_PROBLEM_CHARS)).join("\n"),
  );
}
