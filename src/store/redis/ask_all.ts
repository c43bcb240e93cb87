/**
 * Asks several servers at the same time, and does not wait for those that are
 * dead.
 *
 * @module
 */
import type { RedisEndpoint } from "./address.ts";
import { formatEndpoint } from "./address.ts";
import { RedisError, type RedisNode } from "./deployment.ts";

/** Opens a connection. */
export type ConnectTo = (endpoint: RedisEndpoint) => Promise<RedisNode>;

/** An answer, and the server that gave it. */
export interface Answer<T> {
  readonly from: RedisEndpoint;
  readonly value: T;
}

/** The answers and failures of several servers. */
export interface Answers<T> {
  /** In the order of the servers. */
  readonly answers: readonly Answer<T>[];
  readonly errors: readonly RedisError[];
}

/** How long the others may take after the first sufficient answer, in ms. */
const GRACE_MS = 250;
/** Enough to find a living one; a cluster can have hundreds. */
const MAX_ASKED = 16;

/**
 * Asks servers, each over a connection of its own.
 *
 * @param endpoints at most 16 of them are asked, the first ones
 * @param connect opens a connection
 * @param ask sends the question
 * @param suffices returns true for an answer that may be the wanted one: others
 * are then waited for 250 ms only
 * @throws what `ask` throws, except {@linkcode RedisError}
 */
export async function askAll<T>(
  endpoints: readonly RedisEndpoint[],
  connect: ConnectTo,
  ask: (node: RedisNode) => Promise<T>,
  suffices: (value: T) => boolean,
): Promise<Answers<T>> {
  const asked = distinct(endpoints).slice(0, MAX_ASKED);
  const answers = new Map<RedisEndpoint, T>();
  const errors: RedisError[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  Promise.all(asked.map(async (endpoint) => {
    try {
      const node = await connect(endpoint);
      try {
        const value = await ask(node);
        answers.set(endpoint, value);
        if (suffices(value)) timer ??= setTimeout(resolve, GRACE_MS);
      } finally {
        node.close();
      }
    } catch (error) {
      if (!(error instanceof RedisError)) throw error;
      errors.push(error);
    }
  })).then(() => resolve(), reject);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
  return {
    answers: asked.flatMap((from) =>
      answers.has(from) ? [{ from, value: answers.get(from)! }] : []
    ),
    errors: [...errors],
  };
}

/** Returns endpoints without repeated ones. */
export function distinct(endpoints: readonly RedisEndpoint[]): RedisEndpoint[] {
  return [
    ...new Map(endpoints.map((one) => [formatEndpoint(one), one])).values(),
  ];
}
