/** Warnings about messages to topics that only the server may publish to. */
import { plural } from "../../terminal/render.ts";

/** Pause between two warnings about one client. */
const WARNING_INTERVAL_MS = 60_000;
/** Clients whose last warning is known; further ones replace the oldest. */
const MAX_CLIENTS = 100;

/** The refused messages of one client. */
interface ClientCount {
  /** When the last warning was logged, by the monotonic clock. */
  readonly warnedAt: number;
  /** Messages since then. */
  count: number;
}

/**
 * Warns of the messages of clients that the embedded broker refuses. A second
 * server under the same prefix sends many: so at most one warning a minute for
 * each client, with a count.
 */
export class RefusedMessages {
  readonly #warn: (line: string) => void;
  readonly #now: () => number;
  /** By client id, the oldest first. */
  readonly #clients = new Map<string, ClientCount>();

  /**
   * @param warn called with each warning
   * @param now a clock that never jumps, in ms
   */
  constructor(
    warn: (line: string) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#warn = warn;
    this.#now = now;
  }

  /** Call for each refused message. */
  add(clientId: string, topic: string): void {
    const now = this.#now();
    const known = this.#clients.get(clientId);
    if (known !== undefined && now - known.warnedAt < WARNING_INTERVAL_MS) {
      known.count++;
      return;
    }
    this.#clients.delete(clientId);
    if (this.#clients.size >= MAX_CLIENTS) {
      this.#clients.delete(this.#clients.keys().next().value!);
    }
    this.#clients.set(clientId, { warnedAt: now, count: 0 });
    const more = known === undefined || known.count === 0
      ? ""
      : ` (and ${plural(known.count, "more message")} since the last warning)`;
    this.#warn(
      `Refused a message of the client "${clientId}" to ${topic}${more}: only this server may publish there. If the client is a server too, stop it, or start it with a different --prefix`,
    );
  }
}
