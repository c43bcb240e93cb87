/**
 * Asks the server that runs on this machine, over HTTP.
 *
 * @module
 */
import { type CheckOptions, localUrl } from "./check_context.ts";

/** Longer answers are those of another program. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** An answer of whatever listens on the address. */
export interface LocalAnswer {
  /** The address, for messages. */
  readonly where: string;
  readonly status: number;
  /** The body as JSON. */
  readonly body: unknown;
}

/**
 * Sends a GET request to the address of `--http`.
 *
 * @param path with a slash at its begin
 * @returns undefined if no server is there, or the answer is no JSON
 */
export async function askLocalServer(
  { http, defaultHttp, httpToken, timeout }: CheckOptions,
  path: string,
): Promise<LocalAnswer | undefined> {
  const at = http ?? defaultHttp;
  if (at === false) return undefined;
  try {
    const response = await fetch(localUrl("http", at) + path, {
      redirect: "error",
      signal: AbortSignal.timeout(timeout / 2),
      headers: httpToken === undefined
        ? {}
        : { authorization: `Bearer ${httpToken}` },
    });
    const text = await textOf(response);
    if (text === undefined) return undefined;
    const where = `${at.host}:${at.port}`;
    return { where, status: response.status, body: JSON.parse(text) };
  } catch {
    return undefined; // no server, or another program's answer
  }
}

/** Undefined if it is too long. */
async function textOf({ body }: Response): Promise<string | undefined> {
  if (body === null) return undefined;
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) return undefined; // leaving cancels the body
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
