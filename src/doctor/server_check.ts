import type { ServerState } from "../protocol/mod.ts";
import type { Check } from "./check.ts";
import { type Finding, right, warning, wrong } from "./finding.ts";
import type { ServerSigns } from "./server_probe.ts";

/** So many states in a moment: a restart has three, two servers that fight more. */
const FIGHTING = 4;

/** Which server is there, whether all is well with it, and whether it is alone. */
export const serverCheck: Check = {
  name: "server",
  run: async (examination) => {
    const signs = await examination.server();
    if (signs === undefined) return [];
    const { topics, name } = examination.options;
    return judgeServer(signs, topics.prefix, name);
  },
};

/** Judges what servers show of themselves. */
export function judgeServer(
  { states, replies }: ServerSigns,
  prefix: string,
  name: string,
): Finding[] {
  const state = states.at(-1);
  if (states.length >= FIGHTING) {
    return [
      wrong(
        `Two servers with the name ${
          state?.name ?? name
        } throw each other off the broker`,
        { hint: "Stop one, or give it a --name and a --prefix of its own." },
      ),
    ];
  }
  if (replies.length > 1) {
    return [
      wrong(`${replies.length} servers answer for the prefix ${prefix}`, {
        hint: "Stop all but one, or give each a --prefix of its own.",
        data: { servers: replies.length },
      }),
    ];
  }
  if (state === undefined) {
    return [
      right(`None is there yet for the prefix ${prefix}`, {
        data: { state: "none" },
      }),
    ];
  }
  return [present(state, replies.length > 0, name)];
}

function present(
  state: ServerState,
  answers: boolean,
  name: string,
): Finding {
  const { name: who = "a server", version, since, problem } = state;
  const said = [
    who,
    version,
    state.state,
    since === undefined ? "" : `since ${new Date(since).toISOString()}`,
  ].filter(Boolean).join(" ");
  const data = { state: state.state, name: who, answers };
  if (state.state === "offline") return right(said, { data });
  if (problem !== undefined) {
    return wrong(`${who} cannot keep readings: ${problem}`, {
      hint: "It tries again by itself; docs/OPERATIONS.md, The store.",
      data,
    });
  }
  if (!answers) {
    return warning(`${said}, but it does not answer`, {
      hint:
        "It may be busy, or this user may not write requests and read responses.",
      data,
    });
  }
  return right(
    who === name ? `${said}; a second one needs another --name` : said,
    { data },
  );
}
