/** What the doctor makes of what it sees, and how it says it: pure. */
import assert from "node:assert/strict";
import { judgeClock } from "../../src/doctor/clock_check.ts";
import { judgeDeno } from "../../src/doctor/deno_check.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { judgeLimits } from "../../src/doctor/limits_check.ts";
import {
  renderJson,
  renderResult,
  renderSummary,
} from "../../src/doctor/render.ts";
import { judgeServer } from "../../src/doctor/server_check.ts";
import { judge, type SessionSigns } from "../../src/doctor/session_check.ts";

const pure = { permissions: "none" } as const;
const told = (findings: readonly Finding[]) =>
  findings.map(({ status, message }) => `${status}: ${message}`);

Deno.test("judgeDeno() takes 2.6 and newer", pure, () => {
  for (const version of ["2.6.0", "2.9.6", "2.10.1", "3.0.0"]) {
    assert.equal(judgeDeno(version).status, "right", version);
  }
  for (const version of ["2.5.6", "1.46.3"]) {
    const { status, hint } = judgeDeno(version);
    assert.equal(status, "wrong", version);
    assert.match(hint!, /2\.6 or newer/);
  }
});

Deno.test(
  "judgeLimits() finds nothing against a broker without limits",
  pure,
  () => {
    assert.deepEqual(told(judgeLimits({})), [
      "right: QoS 2, retained messages, messages of any size, 65535 in flight",
    ]);
  },
);

Deno.test("judgeLimits() names each limit that is in the way", pure, () => {
  const statuses = judgeLimits({
    maximumQoS: 0,
    retainAvailable: false,
    wildcardSubscriptionAvailable: false,
    maximumPacketSize: 1000,
  }).map(({ status }) => status);
  assert.deepEqual(statuses, ["wrong", "wrong", "wrong", "warning"]);
  assert.equal(judgeLimits({ maximumPacketSize: 263_168 })[0]!.status, "right");
  assert.equal(
    judgeLimits({ maximumPacketSize: 263_167 })[0]!.status,
    "warning",
  );
});

const KEPT: SessionSigns = {
  sessionPresent: true,
  granted: 60,
  asked: 60,
  queue: 1,
  arrived: 1,
  embedded: false,
};

Deno.test(
  "judge() of a session: kept, forgotten, for less time, with less in it",
  pure,
  () => {
    const statuses = (signs: Partial<SessionSigns>) =>
      judge({ ...KEPT, ...signs }).map(({ status }) => status);
    assert.deepEqual(statuses({}), ["right", "unseen"]);
    assert.deepEqual(statuses({ embedded: true }), ["right", "right"]);
    assert.deepEqual(statuses({ queue: 500, arrived: 500 }), ["right"]);
    assert.deepEqual(statuses({ sessionPresent: false, arrived: 0 }), [
      "wrong",
    ]);
    assert.deepEqual(statuses({ granted: 30 }), ["warning", "unseen"]);
    assert.deepEqual(statuses({ arrived: 0 }), ["warning"]);
    assert.deepEqual(statuses({ queue: 500, arrived: 100 }), ["warning"]);
  },
);

Deno.test(
  "judgeServer() tells servers that fight, several, silent and ailing ones",
  pure,
  () => {
    const online = { state: "online", name: "a", version: "1.0.0" } as const;
    const offline = { ...online, state: "offline" } as const;
    const reply = { time: 0, expected: 0, uncertainty: 0 };
    const status = (
      states: Parameters<typeof judgeServer>[0]["states"],
      n = 1,
    ) =>
      told(
        judgeServer(
          { states, replies: Array(n).fill(reply) },
          "occupancy",
          "a",
        ),
      ).join();
    assert.match(status([], 0), /^right: None is there yet/);
    assert.match(status([offline], 0), /^right: a 1\.0\.0 offline$/);
    assert.match(status([online]), /^right: a .* another --name/);
    assert.match(
      status([{ ...online, name: "b" }]),
      /^right: b 1\.0\.0 online$/,
    );
    assert.match(status([online], 0), /^warning: .* does not answer/);
    assert.match(status([online], 2), /^wrong: 2 servers answer/);
    assert.match(status([online, offline, online]), /^right/, "a restart");
    assert.match(
      status([online, offline, online, offline]),
      /^wrong: Two servers with the name a throw each other off/,
    );
    assert.match(
      status([{ ...online, problem: "The disk is full" }]),
      /^wrong: a cannot keep readings: The disk is full/,
    );
  },
);

Deno.test("judgeClock() allows for what it cannot measure", pure, () => {
  const status = (ahead: number, uncertainty = 10) =>
    judgeClock({ time: 5e12 + ahead, expected: 5e12, uncertainty }, 60_000)
      .status;
  assert.equal(status(0), "right");
  assert.equal(status(1010), "right");
  assert.equal(status(-1010), "right");
  assert.equal(status(1011), "warning");
  assert.equal(status(-5000), "warning");
  assert.equal(status(-5000, 4000), "right");
  assert.equal(status(-61_000), "wrong", "it refuses our readings as future");
  assert.equal(status(61_000), "warning");
});

const RESULT = {
  check: "session",
  status: "warning",
  message: "Of 1500 messages to a client that is away 1000 arrived",
  hint:
    "Let more wait: see docs/OPERATIONS.md, or a_word_longer_than_any_line_there_is_here.",
} as const;

Deno.test("renderResult() fits any width, beside or below", pure, () => {
  for (const width of [20, 40, 59, 60, 80, 200]) {
    const text = renderResult(RESULT, { width, color: false });
    assert.match(text, /^warning {2}session/);
    assert.ok(text.endsWith("\n"));
    for (const line of text.split("\n")) {
      // But a word, a path say, stays whole, to be copied.
      const fits = line.length <= Math.min(width, 100);
      assert.ok(fits || /^[\s→]*\S+$/.test(line), `${width}: ${line}`);
      assert.equal(line, line.trimEnd());
    }
    const words = text.replace(/[\s→]/g, "");
    assert.equal(
      words,
      `warningsession${RESULT.message}${RESULT.hint}`.replace(/\s/g, ""),
    );
  }
});

Deno.test("renderResult() only repeats in colour what words say", pure, () => {
  const plain = renderResult(RESULT, { width: 80, color: false });
  const painted = renderResult(RESULT, { width: 80, color: true });
  assert.ok(!plain.includes("\x1b"));
  assert.ok(painted.startsWith("\x1b[33mwarning"));
  // deno-lint-ignore no-control-regex
  assert.equal(painted.replace(/\x1b\[\d+m/g, ""), plain);
});

Deno.test("renderJson() writes one object a line", pure, () => {
  assert.deepEqual(JSON.parse(renderJson({ ...RESULT, data: { queue: 3 } })), {
    ...RESULT,
    data: { queue: 3 },
  });
});

Deno.test("renderSummary() counts", pure, () => {
  const right = { ...RESULT, status: "right" } as const;
  assert.equal(
    renderSummary([RESULT, right, right]),
    "2 right, 1 warning, 0 wrong\n",
  );
  assert.equal(
    renderSummary([{ ...RESULT, status: "unseen" }]),
    "0 right, 0 warnings, 0 wrong, 1 unseen\n",
  );
});
