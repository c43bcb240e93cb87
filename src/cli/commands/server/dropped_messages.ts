import type { Link } from "../../../mqtt/link.ts";

const ADVICE = "(docs/OPERATIONS.md tells which settings keep it)";
const decoder = new TextDecoder();

/**
 * What to say of a broker that does not keep what it should while the server
 * is away; undefined if nothing is known against it.
 *
 * @param link the joined broker
 * @param asked for how many seconds it was asked to keep the session
 * @param wasHere whether the server has been there before
 */
export function sessionWarning(
  link: Pick<Link, "sessionPresent" | "sessionExpiry">,
  asked: number,
  wasHere: boolean,
): string | undefined {
  const { sessionPresent, sessionExpiry = asked } = link;
  if (sessionPresent === false && wasHere && asked > 0) {
    return `the broker kept no session for this server: what was sent while it was away is lost ${ADVICE}`;
  }
  if (sessionExpiry < Math.ceil(asked)) {
    return `the broker keeps what arrives while this server is away for ${sessionExpiry} s only, not for the ${
      Math.ceil(asked)
    } s of --session-expiry`;
  }
  return undefined;
}

/**
 * Listens to what Mosquitto tells of messages that it has dropped: it
 * acknowledges them to who sent them, then drops them when too many wait for a
 * client, by default 1,000. It does not tell whose they were.
 *
 * It has a connection of its own, for some brokers hang up on who asks for
 * topics under `$SYS`; then it gives up.
 */
export class DroppedWatch {
  /** Where Mosquitto counts them, since it started; told when it changes. */
  static readonly topic = "$SYS/broker/publish/messages/dropped";
  readonly #link: Link;
  readonly #warn: (warning: string) => void;
  #dropped: number | undefined;

  /** @param link is to be opened and closed here, subscribed to {@linkcode topic} */
  constructor(link: Link, warn: (warning: string) => void) {
    this.#link = link;
    this.#warn = warn;
  }

  /** Begins to listen. A broker that forbids it is not listened to. */
  open(): void {
    const giveUp = () => this.close();
    this.#link.open({
      message: ({ payload }) => this.#hear(decoder.decode(payload)),
      down: () => {
        if (this.#dropped === undefined) giveUp();
      },
    }).catch(giveUp);
  }

  /** Ends it. */
  close(): Promise<void> {
    return this.#link.close();
  }

  #hear(text: string): void {
    const dropped = Number(text);
    if (!Number.isSafeInteger(dropped)) return;
    const before = this.#dropped;
    this.#dropped = dropped;
    const more = dropped - (before ?? 0);
    if (more <= 0) return; // it was started again, and counts from zero
    this.#warn(
      before === undefined
        ? `the broker has dropped ${dropped} messages since it started; if they were for this server, what they said is lost ${ADVICE}`
        : `the broker has dropped ${more} more messages; if they were for this server, what they said is lost ${ADVICE}`,
    );
  }
}
