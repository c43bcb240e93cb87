import type { Check } from "./check.ts";
import { type Finding, right, unseen, warning, wrong } from "./finding.ts";
import type { ConnackProperties } from "./broker_probe.ts";

/** A part of a reply, its topic and headers (docs/PROTOCOL.md, Replies). */
const REPLY_BYTES = 256 * 1024 + 1024;

/** What the broker says to CONNECT that it does not allow. */
export const limitsCheck: Check = {
  name: "limits",
  run: async (examination) => {
    const probe = await examination.probe();
    if (probe === undefined) return [];
    if (probe.version === 4) {
      const manners = await examination.manners();
      return [
        manners?.embedded
          ? right("Messages of up to 32 MiB")
          : unseen("MQTT 3.1.1 does not tell a broker's limits", {
            hint: "See docs/OPERATIONS.md for the settings that matter.",
          }),
      ];
    }
    return judgeLimits(probe.connack.properties ?? {});
  },
};

/** Judges the properties of a CONNACK (MQTT 5, 3.2.2.3); what is left out is not limited. */
export function judgeLimits(
  properties: ConnackProperties,
): Finding[] {
  const {
    maximumQoS = 2,
    retainAvailable = true,
    wildcardSubscriptionAvailable = true,
    maximumPacketSize,
    receiveMaximum = 65_535,
  } = properties;
  const findings: Finding[] = [];
  if (maximumQoS < 1) {
    findings.push(
      wrong("The broker allows QoS 0 only: readings may be lost anywhere", {
        hint: "Allow QoS 1 (mosquitto: max_qos 2).",
        data: { maximumQoS },
      }),
    );
  }
  if (!retainAvailable) {
    findings.push(
      wrong("The broker keeps no retained messages: a server cannot join", {
        hint: "Allow them (mosquitto: retain_available true).",
        data: { retainAvailable },
      }),
    );
  }
  if (!wildcardSubscriptionAvailable) {
    findings.push(
      wrong("The broker has no wildcard subscriptions: layers are not heard", {
        hint: "Allow them, or use another broker.",
        data: { wildcardSubscriptionAvailable },
      }),
    );
  }
  if (maximumPacketSize !== undefined && maximumPacketSize < REPLY_BYTES) {
    findings.push(
      warning(
        `The broker takes messages of ${maximumPacketSize} bytes at most: replies of large maps do not pass`,
        {
          hint:
            "Allow 257 KiB (mosquitto: max_packet_size 263168), or ask with maxBytes.",
          data: { maximumPacketSize },
        },
      ),
    );
  }
  if (findings.length > 0) return findings;
  const size = maximumPacketSize === undefined
    ? "of any size"
    : `of up to ${maximumPacketSize} bytes`;
  return [
    right(
      `QoS ${maximumQoS}, retained messages, messages ${size}, ${receiveMaximum} in flight`,
      {
        data: {
          maximumQoS,
          retainAvailable,
          receiveMaximum,
          ...(maximumPacketSize !== undefined && { maximumPacketSize }),
        },
      },
    ),
  ];
}
