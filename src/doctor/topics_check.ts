import { MIN_FAILURE_CODE } from "../mqtt/failure.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./check_context.ts";
import { type Finding, finding } from "./finding.ts";

const EMPTY_PAYLOAD = new Uint8Array(0);

/**
 * Checks that this user may subscribe and publish to all topics of a server.
 * Publishes only to topics that no program uses.
 */
export const topicsCheck: Check = {
  name: "topics",
  run: async (context) => {
    if (await context.probe() === undefined) return [];
    const info = await context.brokerInfo();
    const findings = [
      ...await trySubscribing(context),
      ...info?.embedded ? [] : await tryPublishing(context),
    ];
    if (findings.length > 0) return findings;
    const { prefix, dataFilter } = context.options.topics;
    const allowed = finding(
      "ok",
      `A server may read and write its topics below ${prefix}/`,
    );
    if (!info?.version?.startsWith("mosquitto")) return [allowed];
    return [
      allowed,
      finding(
        "unknown",
        `Mosquitto accepts all subscriptions: only a reading shows if ${dataFilter} may be read`,
        {
          hint: "Its acl_file needs the lines in docs/SECURITY.md, MQTT.",
        },
      ),
    ];
  },
};

/** Returns the subscriptions that the broker refuses. */
async function trySubscribing(context: CheckContext): Promise<Finding[]> {
  const findings: Finding[] = [];
  const probe = await context.connect("read");
  for (const filter of context.options.subscriptions) {
    // To minimize traffic: QoS 0, no retained messages, ended immediately.
    const code = await probe.subscribe(filter, 0, false);
    if (code < MIN_FAILURE_CODE) {
      await probe.unsubscribe(filter);
      continue;
    }
    findings.push(
      finding("error", `The broker refuses a subscription to ${filter}`, {
        hint:
          "Give this user read access: docs/SECURITY.md, MQTT. At the embedded broker of a server, log in as an administrator.",
        data: { filter, code },
      }),
    );
  }
  await probe.close();
  return findings;
}

/** Returns the topics that refuse a message or, below server/, lose it. */
async function tryPublishing(context: CheckContext): Promise<Finding[]> {
  const { topics } = context.options;
  const { id } = context;
  const serverTopic = topics.serverCheck(id);
  const received = new Set<string>();
  const probe = await context.connect("write", {
    onMessage: ({ topic }) => received.add(topic),
  });
  const findings: Finding[] = [];
  for (
    const topic of [topics.responseFor(id), topics.changes(id), serverTopic]
  ) {
    await probe.subscribe(topic, 0);
    const code = await probe.publish(topic, EMPTY_PAYLOAD);
    // A broker may send the message after two more answers.
    for (let i = 0; i < 2 && !received.has(topic); i++) await probe.roundTrip();
    const parent = topic.slice(0, topic.lastIndexOf("/"));
    if (code >= MIN_FAILURE_CODE) {
      findings.push(
        finding("error", `The broker refuses messages below ${parent}/`, {
          hint:
            "Give this user write access: docs/SECURITY.md, MQTT. At the embedded broker of a server, log in as an administrator.",
          data: { topic, code },
        }),
      );
    } else if (received.has(topic)) {
      continue;
    } else if (topic === serverTopic) {
      findings.push(
        finding("error", `A message below ${parent}/ was not received`, {
          hint: "A server needs read and write access: docs/SECURITY.md, MQTT.",
          data: { topic },
        }),
      );
    } else if (probe.version === 4) { // its PUBACK has no reason code
      findings.push(
        finding("warning", `A message below ${parent}/ was not received`, {
          hint:
            "This user may lack write access. If it lacks read access only, a server works.",
          data: { topic },
        }),
      );
    }
  }
  await probe.close();
  return findings;
}
