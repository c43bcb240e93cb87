/** Warnings about messages that the broker has dropped or will drop. */
import type { Connection } from "../../../mqtt/connection.ts";
import type { Link } from "../../../mqtt/link.ts";
import type { BrokerAccess } from "../../../mqtt/transport.ts";
import type { ServerLog } from "./server_log.ts";

const ADVICE = "(docs/OPERATIONS.md lists the settings that avoid this)";
const decoder = new TextDecoder();

/**
 * The warning about a broker that does not store messages as long as requested.
 *
 * @param link an open connection
 * @param broker its name in a sentence
 * @param requested session expiry, in seconds
 * @param isRestart true if the server ran before
 * @returns undefined if there is nothing to warn about
 */
export function sessionWarning(
  link: Pick<Link, "sessionPresent" | "sessionExpiry">,
  broker: string,
  requested: number,
  isRestart: boolean,
): string | undefined {
  const { sessionPresent, sessionExpiry = requested } = link;
  if (sessionPresent === false && isRestart && requested > 0) {
    return `${broker} has no session for this server: messages sent while the server was stopped are lost ${ADVICE}`;
  }
  const seconds = Math.ceil(requested);
  if (sessionExpiry < seconds) {
    return `while this server is disconnected, ${broker} stores messages for ${sessionExpiry} s only, instead of ${seconds} s (--session-expiry)`;
  }
  return undefined;
}

/**
 * Warns when Mosquitto counts more dropped messages. It acknowledges messages
 * to their senders and then drops them when too many wait for a client (1,000
 * by default). The count includes all clients.
 *
 * It uses a separate connection, because some brokers disconnect clients that
 * subscribe to `$SYS` topics. After such a disconnect it stops.
 */
export class DroppedMessages {
  /** Where Mosquitto publishes the count since its start, when it changes. */
  static readonly topic = "$SYS/broker/publish/messages/dropped";
  readonly #link: Connection;
  readonly #log: Pick<ServerLog, "warn" | "warnLimited">;
  #count: number | undefined;

  /**
   * @param link subscribed to {@linkcode topic}, not yet open
   * @param log receives the warnings
   */
  constructor(link: Connection, log: Pick<ServerLog, "warn" | "warnLimited">) {
    this.#link = link;
    this.#log = log;
  }

  /** Connects. Stops if the broker does not allow it. */
  open(): void {
    const stop = () => this.close();
    this.#link.open({
      message: ({ payload }) => this.#receive(decoder.decode(payload)),
      down: () => {
        if (this.#count === undefined) stop();
      },
    }).catch(stop);
  }

  /** Replaces certificates, key and password for the next connection. */
  replaceAccess(access: BrokerAccess): void {
    this.#link.replaceAccess(access);
  }

  /** Disconnects. */
  close(): Promise<void> {
    return this.#link.close();
  }

  #receive(text: string): void {
    const count = Number(text);
    if (!Number.isSafeInteger(count)) return;
    const before = this.#count;
    this.#count = count;
    const more = count - (before ?? 0);
    if (more <= 0) return; // after a restart the broker counts from 0
    const lost = `; those for this server are lost ${ADVICE}`;
    if (before === undefined) {
      this.#log.warn(
        `the broker has dropped ${count} messages since it started${lost}`,
      );
    } else {
      this.#log.warnLimited(
        "dropped-by-broker",
        `the broker has dropped ${more} more messages${lost}`,
      );
    }
  }
}
