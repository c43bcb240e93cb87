import type { ConnackProperties } from "../mqtt/probe_connection.ts";
import type { Check } from "./check.ts";
import { type Finding, finding } from "./finding.ts";

/**
 * One part of a reply with its topic and headers (docs/PROTOCOL.md, Replies).
 */
const MAX_REPLY_PACKET_BYTES = 256 * 1024 + 1024;

/** Checks the limits that the broker reports in CONNACK. */
export const limitsCheck: Check = {
  name: "limits",
  run: async (context) => {
    const probe = await context.probe();
    if (probe === undefined) return [];
    if (probe.version === 5) {
      return judgeLimits(probe.connack.properties ?? {});
    }
    return [
      finding("unknown", "A broker with MQTT 3.1.1 reports no limits", {
        hint: "docs/OPERATIONS.md lists the settings that matter.",
      }),
    ];
  },
};

/**
 * Judges the limits of a broker.
 *
 * @param properties the properties of CONNACK (MQTT 5, 3.2.2.3); a missing one
 * means no limit
 */
export function judgeLimits(properties: ConnackProperties): Finding[] {
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
      finding("error", "The broker allows QoS 0 only: readings can be lost", {
        hint: "Allow QoS 1 (mosquitto: max_qos 2).",
        data: { maximumQoS },
      }),
    );
  }
  if (!retainAvailable) {
    findings.push(
      finding(
        "error",
        "The broker does not allow retained messages: a server cannot connect",
        {
          hint: "Allow them (mosquitto: retain_available true).",
          data: { retainAvailable },
        },
      ),
    );
  }
  if (!wildcardSubscriptionAvailable) {
    findings.push(
      finding(
        "error",
        "The broker does not allow wildcard subscriptions: a server receives no layers",
        {
          hint: "Allow them, or use another broker.",
          data: { wildcardSubscriptionAvailable },
        },
      ),
    );
  }
  if (
    maximumPacketSize !== undefined &&
    maximumPacketSize < MAX_REPLY_PACKET_BYTES
  ) {
    findings.push(
      finding(
        "warning",
        `The broker allows messages of up to ${maximumPacketSize} bytes: replies with large maps fail`,
        {
          hint:
            "Allow 257 KiB (mosquitto: max_packet_size 263168), or request with maxBytes.",
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
    finding(
      "ok",
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
