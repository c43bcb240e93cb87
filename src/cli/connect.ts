import type { Connection } from "../mqtt/connection.ts";
import type { Link, LinkHandlers } from "../mqtt/link.ts";
import type { BrokerFlags } from "./flags.ts";
import { brokerOf, caOf } from "./link.ts";

/** Who a connection is for: an asker, or a watcher. */
export interface Party {
  /** The MQTT client id. */
  readonly name: string;
  readonly subscriptions: string[];
  handlersFor(link: Link): LinkHandlers;
}

/**
 * A connection to the broker that the flags name.
 *
 * @param told Is told too when the connection is lost, and when it is there
 * @throws {LinkError} if it cannot be had
 */
export async function connect(
  flags: BrokerFlags,
  party: Party,
  told: Pick<LinkHandlers, "up" | "down"> = {},
): Promise<Connection> {
  const { Connection } = await import("../mqtt/connection.ts");
  const link = new Connection({
    url: brokerOf(flags),
    clientId: party.name,
    subscriptions: party.subscriptions,
    ...await caOf(flags),
  });
  const handlers = party.handlersFor(link);
  await link.open({
    ...handlers,
    up: () => {
      handlers.up?.();
      told.up?.();
    },
    down: (reason) => {
      handlers.down?.(reason);
      told.down?.(reason);
    },
  });
  return link;
}
