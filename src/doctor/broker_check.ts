import type { Check } from "./check.ts";
import { describe } from "./examination.ts";
import { type Finding, right, wrongBecause } from "./finding.ts";

/** Whether there is a broker, and which MQTT it speaks. */
export const brokerCheck: Check = {
  name: "broker",
  run: async (examination): Promise<Finding[]> => {
    const joining = await examination.joining();
    const { listen, usualListen, usual } = examination.options;
    switch (joining.kind) {
      case "failed": {
        const finding = wrongBecause(joining.error);
        return [{ ...finding, data: { joined: false } }];
      }
      case "none": {
        const { host, port } = listen ?? usualListen;
        const why = listen ? "" : `No broker at ${describe(usual)}: `;
        return [
          right(
            `${why}${
              why ? "o" : "O"
            }ccupancy server would start its own on ${host}:${port}`,
            { data: { embedded: true } },
          ),
        ];
      }
      case "joined": {
        const { version } = joining.probe;
        const mqtt = version === 5 ? "5" : "3.1.1";
        const manners = await examination.manners();
        const kind = manners?.embedded
          ? ", the embedded broker of a server"
          : manners?.version
          ? `, ${manners.version}`
          : "";
        return [
          right(`${describe(joining.target)} speaks MQTT ${mqtt}${kind}`, {
            data: { joined: true, mqtt, embedded: !!manners?.embedded },
          }),
        ];
      }
    }
  },
};
