import { writeDuration } from "../common/duration.ts";
import { plural } from "../common/plural.ts";
import { excerpt } from "../common/printable.ts";
import { bytesText, spanText } from "../common/sizes.ts";
import type { HistoryInfo } from "../history/answers.ts";
import { isHistoryInfo } from "../history/info.ts";
import { timeWriter } from "../history/time_text.ts";
import { isJsonObject } from "../protocol/text.ts";
import type { Check } from "./check.ts";
import { type Finding, finding } from "./finding.ts";
import { askLocalServer } from "./http_server.ts";

/** A longer reason is cut. */
const MAX_TEXT_LENGTH = 300;
/** More than the pauses of the recording on a busy server. */
const MAX_LAG_MS = 30_000;
const DAY_MS = 24 * 3_600_000;
/** The growth is estimated from at least this time. */
const MIN_GROWTH_MS = DAY_MS;

/** Asks the server that runs on this machine about its history. */
export const historyCheck: Check = {
  name: "history",
  run: async ({ options }) => {
    const answer = await askLocalServer(options, "/api/v1/history");
    if (answer === undefined) return [];
    return judgeHistory(answer.status, answer.body, Date.now());
  },
};

/**
 * Judges the answer to `GET /api/v1/history`.
 *
 * @param status of the response
 * @param body of the response, as JSON
 * @param now ms since 1970
 * @returns none if it is not the answer of a server
 */
export function judgeHistory(
  status: number,
  body: unknown,
  now: number,
): Finding[] {
  if (status === 200) {
    return isHistoryInfo(body)
      ? [
        recording(body),
        ...gaps(body, now),
        ...losses(body),
        size(body, now),
        timezone(body),
      ]
      : [];
  }
  switch (isJsonObject(body) && body.code) {
    case "history-off":
      return [
        finding("ok", "The server records no history", {
          data: { recording: false },
        }),
      ];
    case "no-token":
      return [
        finding("unknown", "The server does not show its history", {
          hint:
            "Give the file with the token of the server: --http-token-file.",
        }),
      ];
    default:
      return []; // such as a server that starts: see ready_check.ts
  }
}

function recording({ recording, problem, lag }: HistoryInfo): Finding {
  const data = { recording, lagMs: Math.round(lag) };
  if (!recording) {
    const reason = excerpt(problem ?? "no reason is known", MAX_TEXT_LENGTH);
    return finding("warning", `The history is paused: ${reason}`, {
      hint:
        "The map goes on; what happens meanwhile will be a gap. See docs/OPERATIONS.md, The history.",
      data,
    });
  }
  if (lag > MAX_LAG_MS) {
    return finding(
      "warning",
      `The history is ${spanText(lag)} behind the map`,
      {
        hint:
          "The server or its disk is too slow. Record fewer changes, for example --history-resolution 10s.",
        data,
      },
    );
  }
  return finding("ok", "The history is recorded", { data });
}

/** What was not recorded in the last day. */
function gaps({ gaps, timezone }: HistoryInfo, now: number): Finding[] {
  const from = now - DAY_MS;
  const lately = gaps.filter(([, to]) => to > from)
    .map(([start, end]) => [Math.max(start, from), end] as const);
  if (lately.length === 0) return [];
  const ms = lately.reduce((sum, [start, end]) => sum + end - start, 0);
  const [start, end] = lately.at(-1)!;
  const time = timeWriter(timezone, true);
  return [
    finding(
      "warning",
      `The history has ${plural(lately.length, "gap")} in the last day, ${
        spanText(ms)
      } together; the last one from ${time(start)} to ${time(end)}`,
      {
        hint:
          "The server was stopped then, or its history was paused: its log has the reason.",
        data: { gaps: lately.length, gapMs: ms },
      },
    ),
  ];
}

/** What did not come into the history since the start. */
function losses({ tooLate, dropped }: HistoryInfo): Finding[] {
  const found: Finding[] = [];
  if (tooLate > 0) {
    found.push(
      finding(
        "warning",
        `${plural(tooLate, "reading")} came too late to change the history`,
        {
          hint:
            "Their times were more than an hour ago. Check the clocks of the sensors, and what delays them.",
          data: { tooLate },
        },
      ),
    );
  }
  if (dropped > 0) {
    found.push(
      finding(
        "warning",
        `Too many changes of cells: ${dropped} were not recorded`,
        {
          hint:
            "Record fewer changes, for example --history-resolution 10s, or give the server a faster processor.",
          data: { dropped },
        },
      ),
    );
  }
  return found;
}

/** The size, and when the oldest hour is deleted. */
function size(info: HistoryInfo, now: number): Finding {
  const { bytes, maxBytes, oldest, keep, timezone } = info;
  const percent = Math.round(100 * bytes / maxBytes);
  const has = `The history has ${bytesText(bytes)} of ${
    bytesText(maxBytes)
  } (${percent}%)`;
  const data = { bytes, maxBytes };
  if (oldest === undefined) {
    const message = info.cells ? has : `${has}, in rollups only`;
    return finding("ok", message, { data });
  }
  const byAge = oldest + keep * 1000;
  const bySize = now + msToFull(info, now);
  const first = Math.max(now, Math.min(byAge, bySize));
  const time = timeWriter(timezone, true);
  const message = `${has}. Its oldest hour, ${time(oldest)}, is deleted ${
    first > now ? `about ${time(first)}` : "next"
  }`;
  const facts = { ...data, oldest, prunedAt: Math.round(first) };
  if (bySize >= byAge) return finding("ok", message, { data: facts });
  const days = ((bySize - oldest) / DAY_MS).toFixed(1);
  return finding(
    "warning",
    `${message}, because of its size: it holds about ${days} days, not the ${
      writeDuration(keep * 1000)
    } that are to be kept`,
    {
      hint:
        "Allow more with --history-size, or record less with --history-resolution.",
      data: facts,
    },
  );
}

/** Until the limit is reached, at the mean growth so far; Infinity: unknown. */
function msToFull({ bytes, maxBytes, oldest }: HistoryInfo, now: number) {
  const age = now - oldest!;
  // Of a younger history, the size says little about the next days.
  if (age < MIN_GROWTH_MS && bytes < maxBytes / 2) return Infinity;
  return bytes <= 0 ? Infinity : (maxBytes - bytes) * age / bytes;
}

function timezone({ timezone }: HistoryInfo): Finding {
  return finding("ok", `Days and weeks of the history are in ${timezone}`, {
    ...(timezone === "UTC" &&
      { hint: "If the site is elsewhere, set --timezone." }),
    data: { timezone },
  });
}
