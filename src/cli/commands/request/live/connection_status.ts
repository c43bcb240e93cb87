/**
 * Detects when a live view is no longer live.
 *
 * @module
 */
import type { Incoming, Link, LinkHandlers } from "../../../../mqtt/link.ts";
import {
  parseState,
  ProtocolError,
  type Topics,
} from "../../../../protocol/mod.ts";
import type { Role } from "../../../connect.ts";

/** Time to wait for a reply before the view counts as not live, ms. */
const REPLY_TIMEOUT_MS = 1000;
const CHECK_INTERVAL_MS = 250;

/**
 * The state of the connection of a watch: not live while the broker is
 * disconnected, the server is offline, or a request has no reply.
 */
export class ConnectionStatus implements Disposable {
  readonly #topics: Topics;
  readonly #onChange: (notice: string | undefined) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #isDisconnected = false;
  #isServerOffline = false;
  /** When the unanswered request was sent, as `performance.now()`. */
  #requested: number | undefined;
  #notice: string | undefined;

  /** @param onChange receives why the view is not live; undefined if it is */
  constructor(topics: Topics, onChange: (notice: string | undefined) => void) {
    this.#topics = topics;
    this.#onChange = onChange;
    this.#timer = setInterval(() => this.#update(), CHECK_INTERVAL_MS);
  }

  /** Returns a role whose messages are observed. */
  observe(role: Role): Role {
    return {
      name: role.name,
      subscriptions: role.subscriptions,
      handlersFor: (link) => {
        const handlers = role.handlersFor(link);
        return {
          ...handlers,
          message: (message) => {
            this.#receive(message);
            handlers.message(message);
          },
        };
      },
    };
  }

  /** The handlers for lost and restored connections. */
  get connectionHandlers(): Pick<LinkHandlers, "up" | "down"> {
    return {
      up: () => {
        this.#isDisconnected = false;
        this.#requested = performance.now(); // the watcher requests what changed
        this.#update();
      },
      down: () => {
        this.#isDisconnected = true;
        this.#update();
      },
    };
  }

  /** Returns a link whose requests are observed. */
  observeRequests(link: Link): Link {
    const publish: Link["publish"] = (topic, payload, options) => {
      if (topic === this.#topics.request) {
        this.#requested ??= performance.now();
      }
      return link.publish(topic, payload, options);
    };
    return new Proxy(link, {
      get: (target, key) => {
        if (key === "publish") return publish;
        const value = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #receive({ topic, payload }: Incoming): void {
    if (topic === this.#topics.state) {
      try {
        this.#isServerOffline = parseState(payload).state === "offline";
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    } else this.#requested = undefined;
    this.#update();
  }

  #update(): void {
    const notice = this.#currentNotice();
    if (notice === this.#notice) return;
    this.#notice = notice;
    this.#onChange(notice);
  }

  #currentNotice(): string | undefined {
    if (this.#isDisconnected) {
      return "NOT LIVE: disconnected from the broker, reconnecting";
    }
    if (this.#isServerOffline) {
      return "NOT LIVE: the server is offline, waiting for it";
    }
    const waited = this.#requested === undefined
      ? 0
      : performance.now() - this.#requested;
    return waited < REPLY_TIMEOUT_MS
      ? undefined
      : "NOT LIVE: the server does not answer";
  }
}
