import { redactUrl } from "../mqtt/url.ts";
import type { Check } from "./check.ts";
import { errorFinding, type Finding, finding } from "./finding.ts";

/** Checks that a broker answers, and reports its version of MQTT. */
export const brokerCheck: Check = {
  name: "broker",
  run: async (context): Promise<Finding[]> => {
    const result = await context.broker();
    const { listen, defaultListen, defaultBroker } = context.options;
    switch (result.kind) {
      case "failed":
        return [{ ...errorFinding(result.error), data: { joined: false } }];
      case "none": {
        const { host, port } = listen ?? defaultListen;
        const none = listen
          ? ""
          : `No broker at ${redactUrl(defaultBroker.url)}: `;
        return [
          finding(
            "ok",
            `${none}a server would start its own broker on ${host}:${port}`,
            { data: { embedded: true } },
          ),
        ];
      }
      case "connected": {
        const mqtt = result.probe.version === 5 ? "5" : "3.1.1";
        const { embedded = false, version } = await context.brokerInfo() ?? {};
        const kind = embedded
          ? ", the embedded broker of a server"
          : version
          ? `, ${version}`
          : "";
        return [
          finding(
            "ok",
            `Connected to ${
              redactUrl(result.target.url)
            } with MQTT ${mqtt}${kind}`,
            { data: { joined: true, mqtt, embedded } },
          ),
        ];
      }
    }
  },
};
