/**
 * The sessions of other members of a group.
 *
 * @module
 */
import type { Link } from "../../mqtt/link.ts";

/** A connection with the client id of another member. */
export interface AdoptedLink extends Link {
  /** Ends subscriptions of the session. */
  unsubscribe(filters: readonly string[]): Promise<void>;
}

/** Opens the sessions of other members. */
export interface SessionSource {
  /**
   * Returns a connection to the broker of another one, with the client id of a
   * member. Not open; subscribed to the marker of the member and nothing else of
   * its own. It fails if the member connects again.
   */
  open(link: Link, name: string): AdoptedLink;
  /** How long a broker keeps messages for a member that is away, in ms. */
  readonly expiryMs: number;
}
