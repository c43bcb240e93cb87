/** Connects a command to its broker, with a time limit. */
import { abortable, deadline, doneWithin } from "../common/async.ts";
import type { Connection } from "../mqtt/connection.ts";
import { type Link, LinkError, type LinkHandlers } from "../mqtt/link.ts";
import { brokerOf } from "./arguments/addresses.ts";
import { readBrokerAccess } from "./arguments/broker_access.ts";
import type { BrokerFlags } from "./arguments/common_options.ts";
import { announceDownload } from "./download_notice.ts";
import { printWarning, verbose } from "./terminal/output.ts";

const DEFAULT_TIMEOUT_MS = 5000;
/** Maximum time to disconnect and to send what is pending. */
const CLOSE_TIMEOUT_MS = 1000;

/** How a command uses the broker. */
export interface Role {
  /** The MQTT client id. */
  readonly name: string;
  readonly subscriptions: string[];
  handlersFor(link: Link): LinkHandlers;
}

/** The flags that {@linkcode connect} uses. */
export type ConnectFlags = BrokerFlags & {
  /** Maximum time to connect, in ms. Default 5,000. */
  readonly timeout?: number;
  readonly quiet?: true;
  readonly verbose?: true;
};

/** Options of {@linkcode connect}. */
export interface ConnectOptions extends Pick<LinkHandlers, "up" | "down"> {
  /** Aborts the attempt. */
  readonly signal?: AbortSignal;
}

/** A client id that no other client has. */
export function uniqueClientId(command: string): string {
  return `occupancy-${command}-${crypto.randomUUID().slice(0, 8)}`;
}

/**
 * Connects to the broker of the flags.
 *
 * @param flags broker, time limit
 * @param role client id, subscriptions and handlers
 * @param options handlers called after those of the role; a signal
 * @throws {LinkError} if it cannot connect in time
 * @throws the signal's reason if aborted
 */
export async function connect(
  flags: ConnectFlags,
  role: Role,
  options: ConnectOptions = {},
): Promise<Connection> {
  announceDownload(["mqtt"], flags);
  const { Connection } = await import("../mqtt/connection.ts");
  const { timeout = DEFAULT_TIMEOUT_MS } = flags;
  const { signal } = options;
  const start = performance.now();
  const link = new Connection({
    url: brokerOf(flags),
    clientId: role.name,
    subscriptions: role.subscriptions,
    connectTimeout: 2 * timeout, // the deadline below comes first
    ...await readBrokerAccess(flags, printWarning),
  });
  const handlers = role.handlersFor(link);
  const opened = link.open({
    ...handlers,
    up: () => {
      handlers.up?.();
      options.up?.();
    },
    down: (reason) => {
      handlers.down?.(reason);
      options.down?.(reason);
    },
  });
  try {
    const waited = deadline(opened, timeout, () => noBroker(link, timeout));
    await abortable(waited, signal);
  } catch (error) {
    opened.catch(() => {}); // a later failure does not matter
    await leave(link);
    throw error;
  }
  const version = link.mqttVersion === 5 ? "MQTT 5" : "MQTT 3.1.1";
  const ms = Math.round(performance.now() - start);
  verbose(flags, `Connected to ${link.description} (${version}) in ${ms} ms`);
  return link;
}

/** Disconnects, and stops waiting for a broker that does not respond. */
export async function leave(link: Link): Promise<void> {
  await doneWithin(link.close(), CLOSE_TIMEOUT_MS);
}

function noBroker({ description }: Link, timeout: number): LinkError {
  return new LinkError(
    "unreachable",
    `No broker answered at ${description} within ${timeout / 1000} s`,
    {
      hint:
        "Check that a broker listens on this port, or allow more time with --timeout.",
    },
  );
}
