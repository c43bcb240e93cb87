/**
 * Answers to connections and requests that are refused before they reach a
 * handler.
 *
 * @module
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { encodeText } from "../../protocol/text.ts";
import { Problem } from "../problem.ts";
import { LINGER_MS } from "./timeouts.ts";

/**
 * Sends a last answer and closes the connection when the client has read it, or
 * after some time. What still arrives is discarded: closing with unread data
 * would discard the answer on its way.
 */
export function endWith(socket: Socket, answer: string): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.once("end", () => socket.destroy());
  socket.resume();
  socket.end(answer);
}

/** Returns the answer at a budget of connections. */
export function tooManyConnections(): string {
  return rawResponse(
    new Problem({
      status: 503,
      code: "too-many-connections",
      message: "Too many connections with requests at the same time",
      hint: "Try again in a moment, with fewer connections.",
      headers: { "retry-after": "1" },
    }),
  );
}

/** Returns the answer to bytes that are not a request. */
export function malformedRequest(): Problem {
  return new Problem({
    status: 400,
    code: "malformed-request",
    message: "The request is not valid HTTP/1.1",
    hint: "Send requests as in RFC 9112.",
  });
}

/**
 * Returns the answer to a connection that failed before a handler answered.
 *
 * @param code of the error of Node.js
 */
export function answerToFailure(code: string | undefined): string {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return rawResponse(
        new Problem({
          status: 408,
          code: "too-slow",
          message: "The request did not arrive in time",
          hint: "Send the whole request at once.",
        }),
      );
    case "HPE_HEADER_OVERFLOW":
      return rawResponse(
        new Problem({
          status: 431,
          code: "too-large-head",
          message: "The head of the request has more than 16 KiB",
          hint: "Send fewer or shorter headers.",
        }),
      );
    default:
      return rawResponse(malformedRequest());
  }
}

/** Returns a problem as the last response of a connection. */
function rawResponse(problem: Problem): string {
  const { status, headers, content } = problem.toResponse();
  const length = encodeText(String(content)).length;
  const fields = [...headers, ["connection", "close"], [
    "content-length",
    length,
  ]];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}\r\n${content}`;
}
