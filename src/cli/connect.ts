import type { Connection } from "../mqtt/connection.ts";
import { type Link, LinkError, type LinkHandlers } from "../mqtt/link.ts";
import type { BrokerFlags } from "./arguments/flags.ts";
import { brokerOf, caOf } from "./arguments/broker_address.ts";
import { announceDownload } from "./packages.ts";
import { verbose } from "./terminal/output.ts";

/** How long a goodbye may take, ms. */
const GOODBYE = 1000;

/** Who a connection is for: an asker, or a watcher. */
export interface Role {
  /** The MQTT client id. */
  readonly name: string;
  readonly subscriptions: string[];
  handlersFor(link: Link): LinkHandlers;
}

/** What of a command's options matters for joining its broker. */
export type ConnectFlags = BrokerFlags & {
  /** How long joining may take, ms. Default 5,000. */
  readonly timeout?: number;
  readonly quiet?: true;
  readonly verbose?: true;
};

/**
 * A connection to the broker that the flags name.
 *
 * @param told Is told too when the connection is lost, and when it is there
 * @throws {LinkError} if it cannot be had, or not in time
 */
export async function connect(
  flags: ConnectFlags,
  party: Role,
  told: Pick<LinkHandlers, "up" | "down"> = {},
): Promise<Connection> {
  announceDownload(["mqtt"], flags);
  const { Connection } = await import("../mqtt/connection.ts");
  const { timeout = 5000 } = flags;
  const start = performance.now();
  const link = new Connection({
    url: brokerOf(flags),
    clientId: party.name,
    subscriptions: party.subscriptions,
    connectTimeout: 2 * timeout, // ours comes first, and bounds all of it
    ...await caOf(flags),
  });
  const handlers = party.handlersFor(link);
  const opened = link.open({
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
  await inTime(opened, timeout, link);
  const version = link.mqttVersion === 5 ? "MQTT 5" : "MQTT 3.1.1";
  const took = Math.round(performance.now() - start);
  verbose(flags, `Joined ${link.description} (${version}) in ${took} ms`);
  return link;
}

/**
 * Says goodbye, but waits no longer than {@linkcode GOODBYE} for a broker that
 * does not hear it.
 */
export async function leave(link: Link): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, GOODBYE);
  await Promise.race([link.close(), late.promise]);
  clearTimeout(timer);
}

/** @throws {LinkError} if it takes longer than so many ms, or as `opened` does */
async function inTime(
  opened: Promise<void>,
  ms: number,
  link: Link,
): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(
      new LinkError(
        "unreachable",
        `No broker answered at ${link.description} within ${ms / 1000} s`,
        {
          hint:
            "What listens there may be busy, or no broker: check the port, or give it longer with --timeout.",
        },
      ),
    );
  }, ms);
  try {
    await Promise.race([opened, late.promise]);
  } catch (error) {
    opened.catch(() => {}); // told already, or too late to matter
    await leave(link);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
