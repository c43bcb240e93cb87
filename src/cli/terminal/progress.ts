const EVERY = 200; // ms
const encoder = new TextEncoder();

/** A line on a terminal's stderr that counts up; nothing where nobody looks. */
export class Progress {
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #shown = false;

  /** @param sent How many readings have been sent so far */
  constructor(sent: () => number, { quiet }: { readonly quiet?: true } = {}) {
    if (quiet || !Deno.stderr.isTerminal()) return;
    this.#timer = setInterval(() => {
      this.#shown = true;
      Deno.stderr.writeSync(
        encoder.encode(`\r${sent().toLocaleString("en")} readings sent`),
      );
    }, EVERY);
  }

  /** Takes the line away. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#shown) Deno.stderr.writeSync(encoder.encode("\r\x1b[K"));
  }
}
