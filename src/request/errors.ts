/** No answer came in time. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string } = {}) {
    super(message);
    this.hint = options.hint;
  }
}

/** The server answered that it will not. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  /** The reason, as in the table of error codes. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
