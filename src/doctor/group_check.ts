import { delay } from "../common/async.ts";
import { excerpt } from "../common/printable.ts";
import { plural } from "../common/plural.ts";
import { checkSharedSubscriptions } from "../mqtt/subscriptions.ts";
import {
  type GroupTopics,
  parseState,
  type ServerState,
} from "../protocol/mod.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./check_context.ts";
import { errorFinding, type Finding, finding } from "./finding.ts";
import { conflictIn } from "./server_check.ts";

/** How long the check waits for states, in ms. */
const STATES_DURATION_MS = 1500;
/** Any client can publish a state: further names are not read, as in a server. */
const MAX_SERVERS = 100;
/** Any client can publish a state: a longer text is cut. */
const MAX_TEXT_LENGTH = 200;

/** The states of servers by name, the latest last. */
export type StatesByName = ReadonlyMap<string, readonly ServerState[]>;

/**
 * Checks that the broker passes messages to one server of a group at a time, and
 * which servers of the group are connected to it.
 */
export const groupCheck: Check = {
  name: "group",
  run: async (context) => {
    const { group, name } = context.options;
    if (group === undefined) return [];
    if (await context.probe() === undefined) return [];
    const [shared, states] = await Promise.all([
      checkShared(context),
      readStates(context, group),
    ]);
    return [shared, ...judgeMembers(states, group.group, name)];
  },
};

async function checkShared(context: CheckContext): Promise<Finding> {
  const result = await context.broker();
  const { topics, timeout } = context.options;
  const id = `${context.id}-share`;
  const isEmbedded = (await context.brokerInfo())?.embedded ?? false;
  if (result.kind !== "connected") throw new Error("There is no broker");
  try {
    await checkSharedSubscriptions({
      broker: result.target,
      clientId: `occupancy-${id}`,
      // As a server does; the embedded broker reserves the topics of servers.
      topic: isEmbedded ? topics.clientCheck(id) : topics.serverCheck(id),
      timeout,
    });
    return finding("ok", "The broker has shared subscriptions", {
      data: { shared: true },
    });
  } catch (error) {
    return { ...errorFinding(error), data: { shared: false } };
  }
}

/** Reads the states of the servers, and what changes for a while. */
async function readStates(
  context: CheckContext,
  group: GroupTopics,
): Promise<StatesByName> {
  const states = new Map<string, ServerState[]>();
  const probe = await context.connect("group", {
    onMessage: ({ topic, payload }) => {
      const name = group.serverOf(topic);
      if (name === undefined) return;
      const isKnown = states.has(name);
      if (!isKnown && states.size >= MAX_SERVERS) return;
      try {
        const state = parseState(payload);
        states.set(
          name,
          [...states.get(name) ?? [], state].slice(-MAX_SERVERS),
        );
      } catch {
        // Not from a server.
      }
    },
  });
  await probe.subscribe(group.stateFilter, 0);
  await probe.roundTrip();
  await delay(Math.min(STATES_DURATION_MS, context.options.timeout / 2));
  await probe.close();
  return states;
}

/**
 * Judges the servers of a group, as a broker knows them.
 *
 * @param states what they published
 * @param group the name of the group
 * @param name the name of the server that the doctor checks for
 * @param now the present time, ms since 1970
 */
export function judgeMembers(
  states: StatesByName,
  group: string,
  name: string,
  now: number = Date.now(),
): Finding[] {
  const servers = [...states].map(([server, history]) => ({
    server: excerpt(server, MAX_TEXT_LENGTH),
    history,
    last: history.at(-1)!,
  })).sort((a, b) => a.server < b.server ? -1 : 1);
  const online = servers.filter(({ last }) => last.state === "online");
  const members = online.filter(({ last }) => last.group === group);
  const findings = [judgeOnline(members.map(({ server }) => server), group)];
  for (const { server, history, last } of servers) {
    const conflict = conflictIn(history, server, now);
    if (conflict !== undefined) findings.push(conflict);
    if (last.state === "offline") {
      if (last.group === group) findings.push(...judgeOffline(server, last));
    } else if (last.group !== group) findings.push(judgeOther(server, last));
    else if (last.problem !== undefined) {
      findings.push(judgeProblem(server, last.problem));
    }
  }
  if (members.some(({ server }) => server === name)) {
    findings.push(
      finding(
        "ok",
        `A server named ${name} is online: a second one needs another --name`,
      ),
    );
  }
  return findings;
}

function judgeOnline(members: readonly string[], group: string): Finding {
  const data = { online: members.length };
  return members.length === 0
    ? finding("ok", `No server of the group ${group} is online yet`, { data })
    : finding(
      "ok",
      `${plural(members.length, "server")} of the group ${group} online: ${
        members.join(", ")
      }`,
      { data },
    );
}

function judgeOffline(
  server: string,
  { successor }: ServerState,
): readonly Finding[] {
  if (successor !== undefined) return []; // another one took what waited
  return [
    finding(
      "warning",
      `${server} is offline, and no server has taken what waits for it`,
      {
        hint:
          "Start a server of its group, which must be allowed to connect with its client id (docs/SECURITY.md).",
        data: { server },
      },
    ),
  ];
}

function judgeOther(server: string, { group }: ServerState): Finding {
  const where = group === undefined
    ? "without a group"
    : `in the group ${excerpt(group, MAX_TEXT_LENGTH)}`;
  return finding(
    "error",
    `${server} is online with the same prefix, ${where}: both groups take all messages and answer all requests`,
    {
      hint: "Give all servers of a prefix the same --group.",
      data: { server },
    },
  );
}

function judgeProblem(server: string, problem: string): Finding {
  return finding(
    "error",
    `${server} cannot store readings: ${excerpt(problem, MAX_TEXT_LENGTH)}`,
    {
      hint:
        "The server retries until the store works: see docs/SCALING.md, Failures.",
      data: { server },
    },
  );
}
