import type { Check } from "./check.ts";
import { type Finding, finding } from "./finding.ts";
import type { ServerReply } from "./server_probe.ts";

/** A smaller difference between two clocks is ok, in ms. */
const MAX_DIFFERENCE_MS = 1000;

/** Compares the server's clock with the clock of this machine. */
export const clockCheck: Check = {
  name: "clock",
  run: async (context) => {
    const probe = await context.serverProbe();
    if (probe === undefined) return [];
    const reply = probe.replies[0];
    if (reply === undefined) {
      return [finding("unknown", "No server answered: its clock is unknown")];
    }
    return [judgeClock(reply, context.options.maxSkew)];
  },
};

/**
 * Judges a server's clock.
 *
 * @param reply the server's time, and this machine's
 * @param maxSkew how far a reading's time may be ahead of the server's clock,
 * in ms
 */
export function judgeClock(
  { time, expected, uncertainty }: ServerReply,
  maxSkew: number,
): Finding {
  const ahead = Math.round(time - expected);
  const error = Math.max(1, Math.ceil(uncertainty));
  const data = { aheadMs: ahead, uncertaintyMs: error };
  const difference = Math.abs(ahead) - error;
  const how = `measured with one request, ± ${error} ms`;
  if (difference <= MAX_DIFFERENCE_MS) {
    return finding(
      "ok",
      `The server's clock differs by ${Math.abs(ahead)} ms (${how})`,
      { data },
    );
  }
  const seconds = (Math.abs(ahead) / 1000).toFixed(1);
  const message = `The server's clock is ${seconds} s ${
    ahead > 0 ? "ahead" : "behind"
  } (${how})`;
  const hint = "Synchronize both machines with NTP (chrony).";
  if (difference > maxSkew && ahead < 0) {
    return finding(
      "error",
      `${message}: it refuses readings with this machine's time`,
      { hint, data },
    );
  }
  return finding("warning", message, { hint, data });
}
