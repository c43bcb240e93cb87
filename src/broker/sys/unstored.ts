/**
 * Keeps the state below `$SYS` out of the store.
 *
 * @module
 */
import type { Persistence } from "../persistence/persistence.ts";

/**
 * Returns a persistence that stores everything but retained messages below
 * `$SYS`: they describe this process.
 */
export function withoutSys(inner: Persistence): Persistence {
  return {
    load: () => inner.load(),
    setRetained: (message) => {
      if (!message.topic.startsWith("$SYS/")) inner.setRetained(message);
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
