/** A server-sent event: the fields that the server uses. */
export interface Event {
  readonly id: string | undefined;
  readonly name: string | undefined;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

/** Reads the events of a response; disposing it closes the stream. */
export class EventReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Returns the next event; undefined at the end. Skips comments. */
  async next(): Promise<Event | undefined> {
    for (;;) {
      const end = this.#rest.indexOf("\n\n");
      if (end === -1) {
        const { done, value } = await this.#reader.read();
        if (done) return undefined;
        this.#rest += value;
        continue;
      }
      const lines = this.#rest.slice(0, end).split("\n");
      this.#rest = this.#rest.slice(end + 2);
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field("data");
      if (data === undefined) continue;
      return {
        id: field("id"),
        name: field("event"),
        data: JSON.parse(data),
      };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}
