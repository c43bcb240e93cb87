import { excerpt } from "../common/printable.ts";
import type { ServerState } from "../protocol/mod.ts";
import type { Check } from "./check.ts";
import { type Finding, finding } from "./finding.ts";
import type { ServerProbe } from "./server_probe.ts";

/** States during a probe: a restart publishes 3, a client id conflict more. */
const MIN_CONFLICT_STATES = 4;

/** Checks that at most one server uses the prefix, and that it works. */
export const serverCheck: Check = {
  name: "server",
  run: async (context) => {
    const probe = await context.serverProbe();
    if (probe === undefined) return [];
    const { topics, name } = context.options;
    return [judgeServer(probe, topics.prefix, name)];
  },
};

/** How long a conflict of client ids is reported. */
const CONFLICT_DURATION_MS = 10 * 60_000;
/** Any client can publish a state: a longer text is cut. */
const MAX_TEXT_LENGTH = 200;

/**
 * Judges the servers with one prefix.
 *
 * @param probe what they published
 * @param prefix the prefix
 * @param name the name of the server that the doctor checks for
 * @param now the present time, ms since 1970
 */
export function judgeServer(
  { states, replies, hasOriginalReply }: ServerProbe,
  prefix: string,
  name: string,
  now: number = Date.now(),
): Finding {
  const state = states.at(-1);
  const conflict = conflictIn(states, name, now);
  if (conflict !== undefined) return conflict;
  if (replies.length > 1) {
    return finding(
      "error",
      `${replies.length} servers answer for the prefix ${prefix}`,
      {
        hint:
          "Stop all but one, or use a different --prefix for each. Servers that share a store in Redis need the same --group.",
        data: { servers: replies.length },
      },
    );
  }
  if (state === undefined && replies.length === 0 && hasOriginalReply) {
    return finding(
      "warning",
      `A server of the original protocol answers for the prefix ${prefix}`,
      {
        hint:
          "client and request need --wire original for it. Stop it before you start a server here: both would answer.",
        data: { state: "original" },
      },
    );
  }
  if (state === undefined) {
    return finding("ok", `No server uses the prefix ${prefix} yet`, {
      data: { state: "none" },
    });
  }
  return judgeState(state, replies.length > 0, name);
}

/**
 * Returns the finding that several clients use the client id of a server.
 *
 * @param states what it published, the latest last
 * @param name its name, if the states have none
 * @param now the present time, ms since 1970
 * @returns undefined if there is no sign of it
 */
export function conflictIn(
  states: readonly ServerState[],
  name: string,
  now: number,
): Finding | undefined {
  const state = states.at(-1);
  if (states.length >= MIN_CONFLICT_STATES) {
    return finding(
      "error",
      `Two servers named ${
        excerpt(state?.name ?? name, MAX_TEXT_LENGTH)
      } disconnect each other`,
      { hint: "Stop one, or use a different --name and --prefix for it." },
    );
  }
  if (now - (state?.conflict ?? -Infinity) < CONFLICT_DURATION_MS) {
    return finding(
      "error",
      `Another client uses the client id ${
        excerpt(state?.name ?? name, MAX_TEXT_LENGTH)
      }: it and the server disconnect each other`,
      {
        hint:
          "If it is a server, stop it, or use a different --name and --prefix for it. Otherwise bind client ids to users: docs/SECURITY.md.",
        data: { conflict: state!.conflict! },
      },
    );
  }
  return undefined;
}

function judgeState(
  state: ServerState,
  answers: boolean,
  name: string,
): Finding {
  const { since } = state;
  const serverName = excerpt(state.name ?? "a server", MAX_TEXT_LENGTH);
  const summary = [
    serverName,
    excerpt(state.version ?? "", MAX_TEXT_LENGTH),
    state.state,
    since === undefined ? "" : `since ${new Date(since).toISOString()}`,
  ].filter(Boolean).join(" ");
  const data = { state: state.state, name: serverName, answers };
  if (state.state === "offline") return finding("ok", summary, { data });
  if (state.problem !== undefined) {
    const problem = excerpt(state.problem, MAX_TEXT_LENGTH);
    return finding("error", `${serverName} cannot store readings: ${problem}`, {
      hint:
        "The server retries until the store works: see docs/OPERATIONS.md, The store.",
      data,
    });
  }
  if (!answers) {
    return finding("warning", `${summary}, but it does not answer`, {
      hint:
        "It may be busy, or this user may lack the right to publish requests or to read responses.",
      data,
    });
  }
  return finding(
    "ok",
    serverName === name
      ? `${summary}; a second server needs another --name`
      : summary,
    { data },
  );
}
