/// <reference lib="dom" />
/**
 * The connection to the server: observes it, shows its state, and explains why
 * there is none.
 *
 * @module
 */

import type { CloseMessage, StatusMessage } from "../../feed/messages.ts";
import { reloadPage } from "../elements/reload.ts";
import { NO_SERVER } from "../feed/connection.ts";
import { endSentence, explainRefusal } from "../feed/requests.ts";
import { ConnectionPill } from "./connection_pill.ts";
import { ConnectionMonitor } from "./connection_state.ts";
import type { PageTitle } from "./page_title.ts";

/** A reload gets the page of the server's version, or the login page. */
const NEEDS_RELOAD: readonly string[] = ["other-version", "token-changed"];

/** The connection, as the page shows it. */
export class ConnectionPanel {
  readonly #monitor = new ConnectionMonitor();
  readonly #pill: ConnectionPill;

  /** @param title shows when the data is not live */
  constructor(title: PageTitle) {
    this.#pill = new ConnectionPill(title);
  }

  /** Handles a new connection. */
  onHello(): void {
    this.#monitor.onHello(Date.now());
    this.tick();
  }

  /** Handles the state of broker and store. */
  onStatus(status: StatusMessage): void {
    this.#monitor.onStatus(status, Date.now());
  }

  /** Handles cells or zones. */
  onFrame(): void {
    this.#monitor.onFrame(Date.now());
  }

  /** Handles the delay from the server to the page. */
  onLag(ms: number): void {
    this.#monitor.onLag(ms);
  }

  /**
   * Handles the end of the connection.
   *
   * @param reason as far as the browser knows
   */
  onLost(reason: string): void {
    this.#monitor.onLost();
    this.tick();
    void this.#explainLoss(reason);
  }

  /** Handles that the server rejects the page. */
  onRefused({ code, message }: CloseMessage): void {
    this.#monitor.onRefused(message);
    this.tick();
    if (NEEDS_RELOAD.includes(code)) reloadPage();
  }

  /** Updates durations. */
  tick(): void {
    this.#pill.update(this.#monitor.state(Date.now()));
  }

  async #explainLoss(reason: string): Promise<void> {
    const refusal = await explainRefusal();
    const { hasConnected } = this.#monitor;
    // A live connection was possible before: no proxy prevents it.
    const isNews = refusal && !(hasConnected && refusal.passesNoWebSocket);
    if (isNews) this.#monitor.onReason(refusal.text);
    else if (!hasConnected || reason !== NO_SERVER) {
      this.#monitor.onReason(endSentence(reason));
    }
    this.tick();
  }
}
