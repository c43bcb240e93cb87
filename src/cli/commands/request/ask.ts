/**
 * Sends one request of `occupancy request`.
 *
 * @module
 */
import type { Link } from "../../../mqtt/link.ts";
import { Topics } from "../../../protocol/mod.ts";
import { Requester } from "../../../request/mod.ts";
import { connect, leave, uniqueClientId } from "../../connect.ts";
import { requestUnlessOriginal } from "../../original_server.ts";
import { Ending } from "../../terminal/ending.ts";
import type { RequestFlags } from "./options.ts";

/** Sends a request, and resolves with its reply. */
export type Ask<Result> = (
  requester: Requester,
  link: Link,
  signal: AbortSignal,
) => Promise<Result>;

/**
 * Connects, sends a request, waits for the reply and disconnects.
 *
 * @param flags broker, time limit and wire
 * @param hint what to do if only a server of the original protocol answers
 * @param ask sends the request
 */
export async function askServer<Result>(
  flags: RequestFlags,
  hint: string,
  ask: Ask<Result>,
): Promise<Result> {
  const { wire } = flags;
  const topics = new Topics(flags.prefix);
  const name = uniqueClientId("request");
  const requester = new Requester({ topics, name, wire });
  using ending = new Ending();
  const { signal } = ending;
  const link = await connect(flags, requester, { signal });
  try {
    if (wire === "original") return await ask(requester, link, signal);
    return await requestUnlessOriginal(
      (signal) => ask(requester, link, signal),
      flags,
      {
        ...{ topics, hint, signal },
        isKnown: () => requester.serverState !== undefined,
      },
    );
  } finally {
    await leave(link);
  }
}
