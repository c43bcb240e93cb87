import type { Check } from "./check.ts";
import type { Examination } from "./examination.ts";
import { type Finding, right, unseen, warning, wrong } from "./finding.ts";
import type { Probe } from "./broker_probe.ts";

const ADVICE = "docs/OPERATIONS.md tells which settings keep it.";
const EMPTY = new Uint8Array(0);
/** Messages that are under way at once. */
const TOGETHER = 100;
/** After so long without a message no more is to come, ms. */
const QUIET = 300;
/** The embedded broker's own limit (docs/OPERATIONS.md, The embedded broker). */
const EMBEDDED_QUEUE = 1000;

/**
 * Whether the broker keeps the session of a client that is away, and what is
 * sent to it meanwhile. Tried with a client id and a topic of its own, which
 * are forgotten afterwards.
 */
export const sessionCheck: Check = {
  name: "session",
  run: async (examination) => {
    const probe = await examination.probe();
    if (probe === undefined) return [];
    const embedded = (await examination.manners())?.embedded ?? false;
    const { topics, sessionExpiry, queue } = examination.options;
    // Servers may read and write below server/; of the embedded one that is its own.
    const topic = embedded
      ? topics.responseFor(`${examination.id}-session`)
      : `${topics.prefix}/server/${examination.id}-session`;
    examination.cleanUp(() => forget(examination));
    const first = await examination.open("session", { sessionExpiry });
    await first.subscribe(topic, 1);
    const granted = grantedExpiry(first, sessionExpiry);
    await first.close();
    await publishAll(probe, topic, queue);
    const { sessionPresent, arrived } = await comeBack(examination);
    return judge({
      sessionPresent,
      granted,
      asked: sessionExpiry,
      queue,
      arrived,
      embedded,
    });
  },
};

/** Publishes so many messages; most of them are under way at once. */
async function publishAll(
  probe: Probe,
  topic: string,
  count: number,
): Promise<void> {
  for (let sent = 0; sent < count; sent += TOGETHER) {
    const together = Math.min(TOGETHER, count - sent);
    await Promise.all(
      Array.from({ length: together }, () => probe.publish(topic, EMPTY)),
    );
  }
}

/** Takes the session up again, and counts what waited in it. */
async function comeBack(
  examination: Examination,
): Promise<Pick<SessionSigns, "sessionPresent" | "arrived">> {
  const { sessionExpiry, queue } = examination.options;
  let arrived = 0;
  let at = performance.now();
  const again = await examination.open("session", {
    sessionExpiry,
    message: () => {
      arrived++;
      at = performance.now();
    },
  });
  const { sessionPresent } = again.connack;
  const waiting = () => arrived < queue && performance.now() - at < QUIET;
  while (sessionPresent && waiting()) await again.settle();
  await again.close();
  return { sessionPresent, arrived };
}

/** What was found out about a session. */
export interface SessionSigns {
  /** Whether it was there on return. */
  readonly sessionPresent: boolean;
  /** How long it is kept, s. */
  readonly granted: number;
  /** How long it was asked to be kept, s. */
  readonly asked: number;
  /** Messages sent meanwhile. */
  readonly queue: number;
  /** How many of them waited. */
  readonly arrived: number;
  readonly embedded: boolean;
}

/** Judges a session. */
export function judge(signs: SessionSigns): Finding[] {
  const { sessionPresent, granted, asked, queue, arrived, embedded } = signs;
  const data = { sessionPresent, granted, queue, arrived };
  if (!sessionPresent) {
    return [
      wrong(
        "The broker keeps no session: what is sent while a server is away is lost",
        { hint: ADVICE, data },
      ),
    ];
  }
  const findings: Finding[] = [];
  if (granted < asked) {
    findings.push(
      warning(
        `The broker keeps a session for ${granted} s only, not for ${asked} s`,
        { hint: "Raise its limit, or be away for no longer.", data },
      ),
    );
  }
  if (arrived < queue) {
    findings.push(
      warning(
        arrived === 0
          ? "The session is kept, but what was sent to it meanwhile did not arrive"
          : `Of ${queue} messages to a client that is away ${arrived} arrived: the rest is lost`,
        {
          hint: arrived === 0
            ? "See the line topics, or the broker's settings in docs/OPERATIONS.md."
            : "Let more wait (mosquitto: max_queued_messages 0); see docs/OPERATIONS.md.",
          data,
        },
      ),
    );
  } else if (findings.length === 0) {
    findings.push(
      right(
        `Kept, with ${
          queue === 1 ? "the message" : `all ${queue} messages`
        } sent to it while away`,
        { data },
      ),
    );
  }
  if (arrived === queue && queue <= 1) {
    findings.push(
      embedded
        ? right(`Up to ${EMBEDDED_QUEUE} messages wait for a client`)
        : unseen(
          "No broker tells how many messages wait for a client, or whether they survive its own restart",
          {
            hint:
              "Try it with --queue 2000; docs/OPERATIONS.md has the settings.",
          },
        ),
    );
  }
  return findings;
}

function grantedExpiry({ connack }: Probe, asked: number): number {
  return connack.properties?.sessionExpiryInterval ?? asked;
}

/** A clean start without expiry ends the session and all that waits in it. */
async function forget(examination: Examination): Promise<void> {
  const last = await examination.open("session");
  await last.close();
}
