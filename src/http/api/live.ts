/**
 * `GET /live`: upgrades to the WebSocket of the live feed. docs/LIVE.md is the
 * specification.
 *
 * @module
 */
import { problemSpec } from "../openapi/schemas.ts";
import { Problem } from "../problem.ts";
import type { Endpoint, RequestContext } from "../endpoint.ts";

/** A viewer that answers no ping for this time is disconnected. */
const IDLE_TIMEOUT_S = 30;

/** `GET /live` */
export const getLive: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The live feed of the dashboard: a WebSocket",
    description: "docs/LIVE.md is the specification.",
    responses: {
      101: { description: "The feed begins" },
      403: problemSpec("The request was sent by a page of another origin"),
      426: problemSpec("The request is not a WebSocket upgrade"),
    },
  },
  handle: upgrade,
};

/** Token, Host and Origin were checked by the {@linkcode Guard} before. */
function upgrade({ request, feed }: RequestContext): Response {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw new Problem({
      status: 426,
      code: "no-websocket",
      message: "The live feed is a WebSocket",
      hint: "Programs can use GET /api/v1/changes.",
      headers: { upgrade: "websocket" },
    });
  }
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: IDLE_TIMEOUT_S,
  });
  socket.binaryType = "arraybuffer";
  socket.onopen = () => feed.add(socket);
  socket.onerror = () => {}; // a close event follows
  return response;
}
