import type { Check } from "./check.ts";
import type { Examination } from "./examination.ts";
import { type Finding, right, unseen, warning, wrong } from "./finding.ts";
import { type Probe, REFUSED } from "./broker_probe.ts";

const EMPTY = new Uint8Array(0);

/**
 * Whether who joins with these credentials may read and write what a server
 * must. Nothing is sent to a topic that anybody acts on.
 */
export const topicsCheck: Check = {
  name: "topics",
  run: async (examination) => {
    if (await examination.probe() === undefined) return [];
    const embedded = (await examination.manners())?.embedded ?? false;
    const findings = [
      ...await readable(examination),
      ...embedded ? [] : await writable(examination),
    ];
    if (findings.length > 0) return findings;
    const { prefix } = examination.options.topics;
    return [
      right(`A server may read and write what it must below ${prefix}/`),
      ...await untried(examination),
    ];
  },
};

/** Subscriptions that are refused. */
async function readable(examination: Examination): Promise<Finding[]> {
  const findings: Finding[] = [];
  const probe = await examination.open("read");
  for (const filter of examination.options.subscriptions) {
    // At QoS 0, without what is retained, and for as short as can be.
    const code = await probe.subscribe(filter, 0, false);
    if (code < REFUSED) await probe.unsubscribe(filter);
    else {
      findings.push(
        wrong(`The broker does not let a server subscribe to ${filter}`, {
          hint:
            "Give this user read access to it: docs/OPERATIONS.md, Security.",
          data: { filter, code },
        }),
      );
    }
  }
  await probe.close();
  return findings;
}

/** Topics that may not be written to; of one below server/, not read either. */
async function writable(examination: Examination): Promise<Finding[]> {
  const { topics } = examination.options;
  const { id } = examination;
  const own = `${topics.prefix}/server/${id}`;
  const heard = new Set<string>();
  const probe = await examination.open("write", {
    message: ({ topic }) => heard.add(topic),
  });
  const findings: Finding[] = [];
  const names = [topics.responseFor(id), topics.changes(id), own];
  for (const topic of names) {
    await probe.subscribe(topic, 0);
    const code = await probe.publish(topic, EMPTY);
    const echoed = () => heard.has(topic);
    await waitFor(probe, echoed);
    const above = topic.slice(0, topic.lastIndexOf("/"));
    if (code >= REFUSED) {
      findings.push(
        wrong(`The broker does not let a server publish below ${above}/`, {
          hint:
            "Give this user write access to it: docs/OPERATIONS.md, Security.",
          data: { topic, code },
        }),
      );
    } else if (!echoed() && (topic === own || probe.version === 4)) {
      // MQTT 3.1.1 has no word for a refusal; reading is needed below server/ only.
      findings.push(
        (topic === own ? wrong : warning)(
          `What is published below ${above}/ does not come back`,
          {
            hint: topic === own
              ? "A server must read and write there: docs/OPERATIONS.md, Security."
              : "This user may lack write access; or just read access, which a server does not need.",
            data: { topic },
          },
        ),
      );
    }
  }
  await probe.close();
  return findings;
}

/** What no attempt can tell without being taken for a reading. */
async function untried(examination: Examination): Promise<Finding[]> {
  const { version } = await examination.manners() ?? {};
  if (!version?.startsWith("mosquitto")) return [];
  const { dataFilter } = examination.options.topics;
  return [
    unseen(
      `Mosquitto grants any subscription and withholds messages later: whether ${dataFilter} may be read shows when a reading comes`,
      { hint: "Its acl_file needs the lines in docs/OPERATIONS.md, Security." },
    ),
  ];
}

/** Gives the broker two turns to send what it must. */
async function waitFor(probe: Probe, come: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2 && !come(); turn++) await probe.settle();
}
