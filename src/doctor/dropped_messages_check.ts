import type { Check } from "./check.ts";
import { right, warning } from "./finding.ts";

/** What Mosquitto tells of messages that it has dropped. */
export const lossesCheck: Check = {
  name: "losses",
  run: async (examination) => {
    const dropped = (await examination.manners())?.dropped;
    if (dropped === undefined) return [];
    const data = { dropped };
    return dropped > 0
      ? [
        warning(
          `The broker has dropped ${dropped} messages since it started; it does not tell whose`,
          {
            hint:
              "If a server was among those they were for, let more wait: see docs/OPERATIONS.md.",
            data,
          },
        ),
      ]
      : [right("The broker has dropped nothing since it started", { data })];
  },
};
