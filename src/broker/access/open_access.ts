/**
 * Access without users: every client may connect, publish to all topics except
 * those of the server, and read everything.
 *
 * @module
 */
import type { Access, Identity, Login, LoginResult } from "./access.ts";
import { ServerTopics, type ServerTopicsOptions } from "./server_topics.ts";

/** Options of {@linkcode OpenAccess}. */
export interface OpenAccessOptions extends ServerTopicsOptions {
  /** Client ids of the server, which no client may take. */
  readonly serverClientIds?: readonly string[];
}

/** Lets every client in. Its answers are never promises. */
export class OpenAccess implements Access {
  readonly version = 0;
  onChange: (() => void) | undefined;
  readonly #topics: ServerTopics;
  readonly #serverClientIds: ReadonlySet<string>;

  /** @param options topics and client ids of the server */
  constructor(options: OpenAccessOptions = {}) {
    this.#topics = new ServerTopics(options);
    this.#serverClientIds = new Set(options.serverClientIds);
  }

  login({ clientId, certificateName }: Login): LoginResult {
    if (this.#serverClientIds.has(clientId)) return { refused: "client-id" };
    return {
      identity: { user: certificateName, clientId, isAdministrator: false },
    };
  }

  mayPublish(_identity: Identity, topic: string): boolean {
    return this.#topics.isOpen(topic);
  }

  maySubscribe(): "all" {
    return "all";
  }

  mayReceive(): boolean {
    return true;
  }

  isCurrent(): boolean {
    return true;
  }
}
