import type { Check } from "./check.ts";
import { finding } from "./finding.ts";

/** Reports how many messages Mosquitto or the embedded broker has dropped. */
export const droppedMessagesCheck: Check = {
  name: "dropped",
  run: async (context) => {
    const info = await context.brokerInfo();
    const dropped = info?.droppedMessages;
    if (dropped === undefined) return [];
    const data = { dropped };
    if (dropped === 0) {
      return [
        finding("ok", "The broker has dropped no messages since it started", {
          data,
        }),
      ];
    }
    return [
      finding(
        "warning",
        `The broker has dropped ${dropped} messages since it started`,
        {
          hint: info?.embedded
            ? "They were for clients, never for the server. Its log names clients whose queue is full: raise --mqtt-queue or --mqtt-queue-bytes."
            : "The broker does not report for which clients. If a server was one of them, raise the queue limit: see docs/OPERATIONS.md.",
          data,
        },
      ),
    ];
  },
};
