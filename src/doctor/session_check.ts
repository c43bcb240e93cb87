import type { ProbeConnection } from "../mqtt/probe_connection.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./check_context.ts";
import { type Finding, finding } from "./finding.ts";

const EMPTY_PAYLOAD = new Uint8Array(0);
/** Messages that are published before their acknowledgements arrive. */
const MAX_IN_FLIGHT_MESSAGES = 100;
/** The queue is empty if no message arrives for this time, in ms. */
const IDLE_MS = 300;

/**
 * Checks that the broker keeps the session of a disconnected client and queues
 * messages for it. Uses a separate client id and topic, and ends the session.
 */
export const sessionCheck: Check = {
  name: "session",
  run: async (context) => {
    const probe = await context.probe();
    if (probe === undefined) return [];
    const embedded = (await context.brokerInfo())?.embedded ?? false;
    const { topics, sessionExpiry, queue } = context.options;
    // A server may use topics below server/; the embedded broker reserves them.
    const topic = embedded
      ? topics.clientCheck(`${context.id}-session`)
      : topics.serverCheck(`${context.id}-session`);
    context.endSessionOnClose("session");
    const first = await context.connect("session", { sessionExpiry });
    await first.subscribe(topic, 1);
    const granted = first.connack.properties?.sessionExpiryInterval ??
      sessionExpiry;
    await first.close();
    await publishAll(probe, topic, queue);
    const { sessionPresent, arrived } = await resumeSession(context);
    return judgeSession({
      sessionPresent,
      granted,
      requested: sessionExpiry,
      queue,
      arrived,
      embedded,
    });
  },
};

/** Publishes `count` empty messages. */
async function publishAll(
  probe: ProbeConnection,
  topic: string,
  count: number,
): Promise<void> {
  for (let sent = 0; sent < count; sent += MAX_IN_FLIGHT_MESSAGES) {
    const length = Math.min(MAX_IN_FLIGHT_MESSAGES, count - sent);
    await Promise.all(
      Array.from({ length }, () => probe.publish(topic, EMPTY_PAYLOAD)),
    );
  }
}

/** Connects again and counts the queued messages. */
async function resumeSession(
  context: CheckContext,
): Promise<Pick<SessionResult, "sessionPresent" | "arrived">> {
  const { sessionExpiry, queue } = context.options;
  let arrived = 0;
  let lastAt = performance.now();
  const probe = await context.connect("session", {
    sessionExpiry,
    onMessage: () => {
      arrived++;
      lastAt = performance.now();
    },
  });
  const { sessionPresent } = probe.connack;
  if (sessionPresent) {
    while (arrived < queue && performance.now() - lastAt < IDLE_MS) {
      await probe.roundTrip();
    }
  }
  await probe.close();
  return { sessionPresent, arrived };
}

/** What happened to a session while its client was disconnected. */
export interface SessionResult {
  /** True if the broker kept the session. */
  readonly sessionPresent: boolean;
  /** The session expiry that the broker granted, in s. */
  readonly granted: number;
  /** The session expiry that the client requested, in s. */
  readonly requested: number;
  /** Number of messages published while the client was disconnected. */
  readonly queue: number;
  /** Number of messages that arrived after the client reconnected. */
  readonly arrived: number;
  /** True if it is the embedded broker. */
  readonly embedded: boolean;
}

/**
 * Judges how a broker keeps sessions.
 *
 * @param result what happened to a session
 */
export function judgeSession(result: SessionResult): Finding[] {
  const { sessionPresent, granted, requested, queue, arrived, embedded } =
    result;
  const data = { sessionPresent, granted, queue, arrived };
  if (!sessionPresent) {
    return [
      finding(
        "error",
        "The broker keeps no sessions: messages to a disconnected server are lost",
        { hint: "docs/OPERATIONS.md has the settings that keep them.", data },
      ),
    ];
  }
  const findings: Finding[] = [];
  if (granted < requested) {
    findings.push(
      finding(
        "warning",
        `The broker keeps sessions for ${granted} s instead of ${requested} s`,
        { hint: "Raise its limit, or lower --session-expiry.", data },
      ),
    );
  }
  if (arrived === 0) {
    findings.push(
      finding("warning", "The broker kept the session, but no messages", {
        hint:
          "See the result of the check topics, or the broker's settings in docs/OPERATIONS.md.",
        data,
      }),
    );
  } else if (arrived < queue) {
    findings.push(
      finding(
        "warning",
        `The broker kept ${arrived} of ${queue} messages to a disconnected client`,
        {
          hint: embedded
            ? "Raise --mqtt-queue of its server."
            : "Raise its queue limit (mosquitto: max_queued_messages 0); see docs/OPERATIONS.md.",
          data,
        },
      ),
    );
  } else if (findings.length === 0) {
    findings.push(
      finding(
        "ok",
        `The broker kept the session and ${
          queue === 1 ? "its message" : `all ${queue} messages`
        }`,
        { data },
      ),
    );
  }
  if (arrived < queue || queue > 1) return findings;
  findings.push(
    embedded
      ? finding(
        "ok",
        "The broker queues messages per client up to --mqtt-queue of its server (1000 by default)",
      )
      : finding(
        "unknown",
        "The queue limit, and whether sessions survive a restart of the broker",
        { hint: "Try --queue 2000; docs/OPERATIONS.md has the settings." },
      ),
  );
  return findings;
}
