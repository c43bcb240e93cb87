/**
 * `GET /live`: upgrades to the WebSocket of the live feed. docs/LIVE.md is the
 * specification.
 *
 * @module
 */
import type { WebRequest } from "../listener/incoming.ts";
import { problemSpec } from "../openapi/schemas.ts";
import { Problem } from "../problem.ts";
import type { Endpoint, RequestContext } from "../endpoint.ts";

/** The only version of the protocol (RFC 6455, 4.1). */
const WEBSOCKET_VERSION = "13";
/** 16 bytes in base64. */
const WEBSOCKET_KEY = /^[A-Za-z0-9+/]{22}==$/;

/** `GET /live` */
export const getLive: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The live feed of the dashboard: a WebSocket",
    description: "docs/LIVE.md is the specification.",
    responses: {
      101: { description: "The feed begins" },
      400: problemSpec("Sec-WebSocket-Key is not valid"),
      403: problemSpec("The request was sent by a page of another origin"),
      426: problemSpec("The request is not a WebSocket upgrade"),
    },
  },
  handle: upgrade,
};

/** Token, Host and Origin were checked by the {@linkcode Guard} before. */
function upgrade(context: RequestContext): Response {
  const { request, exchange, feed, guard: { access }, upgrade } = context;
  checkHandshake(request);
  if (upgrade === undefined) throw noWebSocket();
  return upgrade((socket) => feed.add(socket, exchange, access));
}

/**
 * Checks the opening handshake (RFC 6455, 4.2.1).
 *
 * @throws {Problem} 426 if it is not one, 400 if its key is invalid
 */
function checkHandshake({ method, headers }: WebRequest): void {
  const has = (name: string, option: string) =>
    (headers.get(name) ?? "").toLowerCase().split(",")
      .some((part) => part.trim() === option);
  const isWebSocket = method === "GET" && has("connection", "upgrade") &&
    has("upgrade", "websocket") &&
    headers.get("sec-websocket-version") === WEBSOCKET_VERSION;
  if (!isWebSocket) throw noWebSocket();
  if (WEBSOCKET_KEY.test(headers.get("sec-websocket-key") ?? "")) return;
  throw new Problem({
    status: 400,
    code: "bad-websocket-key",
    message: "Sec-WebSocket-Key is not the base64 of 16 bytes",
    hint: "Send a new random key in each request.",
  });
}

function noWebSocket(): Problem {
  return new Problem({
    status: 426,
    code: "no-websocket",
    message: "The live feed is a WebSocket",
    hint:
      "Programs can use GET /api/v1/changes. A proxy must pass on the headers Connection and Upgrade.",
    headers: {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": WEBSOCKET_VERSION,
    },
  });
}
