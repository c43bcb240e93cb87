/**
 * What the page is told, and what it asks for.
 *
 * @module
 */

import type { Frame } from "../../live/frames.ts";
import type {
  HelloMessage,
  HistoryMessage,
  LatestMessage,
  StatusMessage,
  View,
} from "../../live/messages.ts";

/** A connection to the server that is made again whenever it is lost. */
export interface Link {
  /** Asks for a layer, or a part of it; what was asked for before comes no more. */
  view(view: View): void;
}

/** What comes over a {@linkcode Link}. */
export interface LinkEvents {
  /** There is a connection, the first or a new one. */
  hello(hello: HelloMessage): void;
  status(status: StatusMessage): void;
  latest(latest: LatestMessage): void;
  history(history: HistoryMessage): void;
  frame(frame: Frame): void;
  /** How long a word takes from the server to here, ms. */
  lag(ms: number): void;
  /** The connection is gone; another one is being tried for. */
  lost(): void;
  /** The server does not want this page just now, and says why. */
  refused(reason: string): void;
}
