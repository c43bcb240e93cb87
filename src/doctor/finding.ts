/**
 * How something is: `right`; `warning`, it works but may lose or mislead;
 * `wrong`, it does not work; `unseen`, it cannot be known from here.
 */
export type Status = "right" | "warning" | "wrong" | "unseen";

/** What a check has found. */
export interface Finding {
  readonly status: Status;
  /** In words for people, without a full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The same for programs: names and plain values. */
  readonly data?: Readonly<Record<string, string | number | boolean>>;
}

/** What may be known besides the message. */
export type FindingOptions = Omit<Finding, "status" | "message">;

/** All is well. */
export function right(message: string, options: FindingOptions = {}): Finding {
  return { status: "right", message, ...options };
}

/** It works, but may lose or mislead. */
export function warning(
  message: string,
  options: FindingOptions = {},
): Finding {
  return { status: "warning", message, ...options };
}

/** It does not work. */
export function wrong(message: string, options: FindingOptions = {}): Finding {
  return { status: "wrong", message, ...options };
}

/** It cannot be known from here. */
export function unseen(
  message: string,
  options: FindingOptions = {},
): Finding {
  return { status: "unseen", message, ...options };
}

/** An error that has words for people, and a hint, as a finding. */
export function wrongBecause(error: unknown): Finding {
  const { message, hint } = error as { message?: string; hint?: string };
  return wrong(message ?? String(error), hint === undefined ? {} : { hint });
}
