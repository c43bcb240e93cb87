import type { Incoming, Link, LinkHandlers } from "../../../../mqtt/link.ts";
import {
  parseState,
  ProtocolError,
  type Topics,
} from "../../../../protocol/mod.ts";
import type { Role } from "../../../connect.ts";

/** How long an answer may take until the picture is called what it is, ms. */
const PATIENCE = 1000;
const EVERY = 250;

/**
 * Knows whether what is shown is live: the broker and the server are there, and
 * a question is not left without an answer. It tells at once when they are gone.
 */
export class ConnectionStatus {
  readonly #topics: Topics;
  readonly #note: (words: string | undefined) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #brokerGone = false;
  #serverGone = false;
  /** When a question was asked that nothing has come after, of `performance.now()`. */
  #asked: number | undefined;
  #told: string | undefined;

  /** @param note Is told why it is not live, and undefined when it is again */
  constructor(topics: Topics, note: (words: string | undefined) => void) {
    this.#topics = topics;
    this.#note = note;
    this.#timer = setInterval(() => this.#tell(), EVERY);
  }

  /** The same party, whose messages are listened to. */
  listening(party: Role): Role {
    return {
      name: party.name,
      subscriptions: party.subscriptions,
      handlersFor: (link) => {
        const handlers = party.handlersFor(link);
        return {
          ...handlers,
          message: (message) => {
            this.#hear(message);
            handlers.message(message);
          },
        };
      },
    };
  }

  /** What is to be told when the connection is lost, and when it is there. */
  get connection(): Pick<LinkHandlers, "up" | "down"> {
    return {
      up: () => {
        this.#brokerGone = false;
        this.#asked = performance.now(); // what was missed is asked for
        this.#tell();
      },
      down: () => {
        this.#brokerGone = true;
        this.#tell();
      },
    };
  }

  /** The same link, whose questions are noticed. */
  asking(link: Link): Link {
    const publish: Link["publish"] = (topic, payload, options) => {
      if (topic === this.#topics.request) this.#asked ??= performance.now();
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

  /** Ends it. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #hear({ topic, payload }: Incoming): void {
    if (topic === this.#topics.state) {
      try {
        this.#serverGone = parseState(payload).state === "offline";
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    } else this.#asked = undefined;
    this.#tell();
  }

  #tell(): void {
    const words = this.#words();
    if (words === this.#told) return;
    this.#told = words;
    this.#note(words);
  }

  #words(): string | undefined {
    if (this.#brokerGone) return "NOT LIVE: the broker is gone, trying again";
    if (this.#serverGone) return "NOT LIVE: the server is gone, waiting for it";
    const silent = this.#asked === undefined
      ? 0
      : performance.now() - this.#asked;
    return silent < PATIENCE
      ? undefined
      : "NOT LIVE: the server does not answer";
  }
}
