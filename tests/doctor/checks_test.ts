/** Judging and rendering the doctor's findings, without a broker. */
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
import {
  judgeSession,
  type SessionResult,
} from "../../src/doctor/session_check.ts";

const pure = { permissions: "none" } as const;
const text = ({ status, message }: Finding) => `${status}: ${message}`;

Deno.test("judgeDeno() accepts 2.6 and newer", pure, () => {
  for (const version of ["2.6.0", "2.9.6", "2.10.1", "3.0.0"]) {
    assert.equal(judgeDeno(version).status, "ok", version);
  }
  for (const version of ["2.5.6", "1.46.3"]) {
    const { status, hint } = judgeDeno(version);
    assert.equal(status, "error", version);
    assert.match(hint!, /2\.6 or newer/);
  }
});

Deno.test(
  "judgeLimits() accepts a broker without limits",
  pure,
  () => {
    assert.deepEqual(judgeLimits({}).map(text), [
      "ok: QoS 2, retained messages, messages of any size, 65535 in flight",
    ]);
  },
);

Deno.test("judgeLimits() reports each limit that is too low", pure, () => {
  const statuses = judgeLimits({
    maximumQoS: 0,
    retainAvailable: false,
    wildcardSubscriptionAvailable: false,
    maximumPacketSize: 1000,
  }).map(({ status }) => status);
  assert.deepEqual(statuses, ["error", "error", "error", "warning"]);
  assert.equal(judgeLimits({ maximumPacketSize: 263_168 })[0]!.status, "ok");
  assert.equal(
    judgeLimits({ maximumPacketSize: 263_167 })[0]!.status,
    "warning",
  );
});

const KEPT: SessionResult = {
  sessionPresent: true,
  granted: 60,
  requested: 60,
  queue: 1,
  arrived: 1,
  embedded: false,
};

Deno.test(
  "judgeSession() distinguishes kept, lost, shortened and incomplete sessions",
  pure,
  () => {
    const statuses = (result: Partial<SessionResult>) =>
      judgeSession({ ...KEPT, ...result }).map(({ status }) => status);
    assert.deepEqual(statuses({}), ["ok", "unknown"]);
    assert.deepEqual(statuses({ embedded: true }), ["ok", "ok"]);
    assert.deepEqual(statuses({ queue: 500, arrived: 500 }), ["ok"]);
    assert.deepEqual(statuses({ sessionPresent: false, arrived: 0 }), [
      "error",
    ]);
    assert.deepEqual(statuses({ granted: 30 }), ["warning", "unknown"]);
    assert.deepEqual(statuses({ arrived: 0 }), ["warning"]);
    assert.deepEqual(statuses({ queue: 500, arrived: 100 }), ["warning"]);
  },
);

Deno.test(
  "judgeServer() reports conflicting, additional, silent and failing servers",
  pure,
  () => {
    const online = { state: "online", name: "a", version: "1.0.0" } as const;
    const offline = { ...online, state: "offline" } as const;
    const reply = { time: 0, expected: 0, uncertainty: 0 };
    const judged = (
      states: Parameters<typeof judgeServer>[0]["states"],
      n = 1,
      hasOriginalReply = false,
    ) =>
      text(
        judgeServer(
          { states, replies: Array(n).fill(reply), hasOriginalReply },
          "occupancy",
          "a",
        ),
      );
    assert.match(judged([], 0), /^ok: No server uses the prefix/);
    assert.match(
      judged([], 0, true),
      /^warning: A server of the original protocol answers/,
    );
    assert.match(judged([online], 1, true), /^ok: a/);
    assert.match(judged([offline], 0), /^ok: a 1\.0\.0 offline$/);
    assert.match(judged([online]), /^ok: a .* another --name/);
    assert.match(
      judged([{ ...online, name: "b" }]),
      /^ok: b 1\.0\.0 online$/,
    );
    assert.match(judged([online], 0), /^warning: .* does not answer/);
    assert.match(judged([online], 2), /^error: 2 servers answer/);
    assert.match(judged([online, offline, online]), /^ok/, "a restart");
    assert.match(
      judged([online, offline, online, offline]),
      /^error: Two servers named a disconnect each other/,
    );
    const conflict = Date.now() - 60_000;
    assert.match(
      judged([{ ...online, conflict }]),
      /^error: Another client uses the client id a: /,
    );
    assert.match(judged([{ ...online, conflict: conflict - 600_000 }]), /^ok/);
    assert.match(
      judged([{ ...online, problem: "The disk is full" }]),
      /^error: a cannot store readings: The disk is full/,
    );
  },
);

Deno.test(
  "judgeClock() subtracts the uncertainty of the measurement",
  pure,
  () => {
    const status = (ahead: number, uncertainty = 10) =>
      judgeClock({ time: 5e12 + ahead, expected: 5e12, uncertainty }, 60_000)
        .status;
    assert.equal(status(0), "ok");
    assert.equal(status(1010), "ok");
    assert.equal(status(-1010), "ok");
    assert.equal(status(1011), "warning");
    assert.equal(status(-5000), "warning");
    assert.equal(status(-5000, 4000), "ok");
    assert.equal(
      status(-61_000),
      "error",
      "the server refuses readings from the future",
    );
    assert.equal(status(61_000), "warning");
  },
);

const RESULT = {
  check: "session",
  status: "warning",
  message: "The broker kept 1000 of 1500 messages to a disconnected client",
  hint:
    "Raise its queue limit: see docs/OPERATIONS.md, or a_word_longer_than_any_line_there_is_here.",
} as const;

Deno.test("renderResult() fits any width", pure, () => {
  for (const width of [20, 40, 59, 60, 80, 200]) {
    const text = renderResult(RESULT, { width, color: false });
    assert.match(text, /^warning {2}session/);
    assert.ok(text.endsWith("\n"));
    for (const line of text.split("\n")) {
      // A long word, for example a path, stays whole.
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

Deno.test("renderResult() adds colour to the status only", pure, () => {
  const plain = renderResult(RESULT, { width: 80, color: false });
  const painted = renderResult(RESULT, { width: 80, color: true });
  assert.ok(!plain.includes("\x1b"));
  assert.ok(painted.startsWith("\x1b[33mwarning"));
  // deno-lint-ignore no-control-regex
  assert.equal(painted.replace(/\x1b\[\d+m/g, ""), plain);
});

Deno.test("renderJson() returns one object per line", pure, () => {
  assert.deepEqual(JSON.parse(renderJson({ ...RESULT, data: { queue: 3 } })), {
    ...RESULT,
    data: { queue: 3 },
  });
});

Deno.test("renderSummary() counts the results of each status", pure, () => {
  const ok = { ...RESULT, status: "ok" } as const;
  assert.equal(
    renderSummary([RESULT, ok, ok]),
    "2 ok, 1 warning, 0 errors\n",
  );
  assert.equal(
    renderSummary([{ ...RESULT, status: "unknown" }]),
    "0 ok, 0 warnings, 0 errors, 1 unknown\n",
  );
});
