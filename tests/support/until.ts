const EVERY = 5; // ms

/** How long to wait, and what for. */
export interface UntilOptions {
  /** ms. Default 10,000. */
  readonly deadline?: number;
  /** Told if it does not come true; asked then, so that it can say how far it came. */
  readonly what?: string | (() => string);
}

/**
 * Waits for a condition.
 *
 * @returns what the condition returned when it was first truthy
 * @throws {Error} if it has not come true at the deadline
 */
export async function until<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { deadline = 10_000, what = String(condition) }: UntilOptions = {},
): Promise<T> {
  const end = performance.now() + deadline;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) {
      const told = typeof what === "string" ? what : what();
      throw new Error(`Not within ${deadline} ms: ${told}`);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

/** Waits for a promise, but not for ever. @throws {Error} at the deadline */
export async function within<T>(
  promise: Promise<T>,
  what: string | (() => string),
  deadline = 10_000,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const told = typeof what === "string" ? what : what();
    late.reject(new Error(`Not within ${deadline} ms: ${told}`));
  }, deadline);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
