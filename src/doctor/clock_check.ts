import type { Check } from "./check.ts";
import { type Finding, right, unseen, warning, wrong } from "./finding.ts";
import type { ServerReply } from "./server_probe.ts";

/** Clocks that differ by less agree well enough, ms. */
const AGREED = 1000;

/** Whether this machine and the server agree on the time. */
export const clockCheck: Check = {
  name: "clock",
  run: async (examination) => {
    const signs = await examination.server();
    if (signs === undefined) return [];
    const reply = signs.replies[0];
    if (reply === undefined) {
      return [
        unseen("No server answers whose clock this one could be compared with"),
      ];
    }
    return [judgeClock(reply, examination.options.maxSkew)];
  },
};

/**
 * Judges a server's clock.
 *
 * @param maxSkew The most ms that a reading may be ahead of the server's clock
 */
export function judgeClock(
  { time, expected, uncertainty }: ServerReply,
  maxSkew: number,
): Finding {
  const ahead = Math.round(time - expected);
  const about = Math.max(1, Math.ceil(uncertainty));
  const data = { aheadMs: ahead, uncertaintyMs: about };
  const apart = Math.abs(ahead) - about;
  const how = `measured by one request, to ${about} ms`;
  if (apart <= AGREED) {
    return right(`The server's differs by ${Math.abs(ahead)} ms (${how})`, {
      data,
    });
  }
  const said = `The server's clock is ${seconds(ahead)} ${
    ahead > 0 ? "ahead" : "behind"
  } (${how})`;
  const hint = "Let both machines take the time from NTP (chrony).";
  return apart > maxSkew && ahead < 0
    ? wrong(`${said}: it refuses what is dated by this machine`, { hint, data })
    : warning(said, { hint, data });
}

function seconds(ms: number): string {
  return `${(Math.abs(ms) / 1000).toFixed(1)} s`;
}
