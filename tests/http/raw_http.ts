/** The response to {@linkcode rawRequest}. */
export interface RawResponse {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * Sends a request over TCP, with headers that `fetch` does not allow, and reads
 * until the server closes the connection.
 *
 * @param lines the request line and the headers; characters above U+00FF are
 * not allowed. `Connection: close` is added if there is no Connection
 */
export async function rawRequest(
  url: string,
  lines: readonly string[],
  body = "",
): Promise<RawResponse> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const closing = lines.some((line) => /^connection:/i.test(line))
    ? []
    : ["Connection: close"];
  const head = [...lines, ...closing, "", ""].join("\r\n");
  await connection.write(latin1(head + body));
  const text = await new Response(untilClosed(connection)).text();
  const [answered = "", ...rest] = text.split("\r\n\r\n");
  return {
    status: Number(answered.split(" ")[1]),
    head: answered,
    body: rest.join("\r\n\r\n"),
  };
}

/** Returns the characters up to U+00FF as bytes. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function untilClosed(
  connection: Deno.Conn,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(16 * 1024);
      const count = await connection.read(buffer);
      if (count === null) controller.close();
      else controller.enqueue(buffer.subarray(0, count));
    },
  });
}
