/**
 * Keeps the server's own retained messages out of the store.
 *
 * @module
 */
import type { Persistence } from "../persistence/persistence.ts";

const NO_BYTES = new Uint8Array();

/**
 * Returns a persistence that stores everything but retained messages of the
 * server: `$SYS` and its state describe this process. It publishes them again
 * at each start, and after a crash an old state would look like the present
 * one, for ever if the prefix of the topics is another one then.
 */
export function withoutOwn(inner: Persistence): Persistence {
  return {
    load: () => inner.load(),
    setRetained: (message) => {
      const isOwn = message.publisher === undefined;
      // An empty message deletes the one that is stored.
      inner.setRetained(isOwn ? { ...message, payload: NO_BYTES } : message);
    },
    setSession: (session) => inner.setSession(session),
    deleteSession: (clientId) => inner.deleteSession(clientId),
    setDelivery: (clientId, delivery) => inner.setDelivery(clientId, delivery),
    deleteDelivery: (clientId, sequence) =>
      inner.deleteDelivery(clientId, sequence),
    setWill: (clientId, will) => inner.setWill(clientId, will),
    afterCommit: (callback) => inner.afterCommit(callback),
  };
}
