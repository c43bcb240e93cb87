/** The response to {@linkcode rawRequest}. */
export interface RawResponse {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * Sends a request over TCP, with headers that `fetch` does not allow, and
 * closes the connection.
 *
 * @param lines the request line and the headers
 */
export async function rawRequest(
  url: string,
  lines: readonly string[],
  body = "",
): Promise<RawResponse> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = [...lines, "Connection: close", "", ""].join("\r\n");
  await connection.write(new TextEncoder().encode(head + body));
  const text = await new Response(untilClosed(connection)).text();
  const [answered = "", ...rest] = text.split("\r\n\r\n");
  return {
    status: Number(answered.split(" ")[1]),
    head: answered,
    body: rest.join("\r\n\r\n"),
  };
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
