/**
 * The live feed of the page: a WebSocket with cells in binary and the rest in
 * JSON. docs/LIVE.md is the specification.
 *
 * @module
 */
import type { HttpContext } from "../context.ts";
import { Problem } from "../problem.ts";
import { LiveFeed } from "./feed.ts";

export { LiveFeed } from "./feed.ts";
export { DEFAULT_LIMITS, type LiveLimits } from "./limits.ts";

/** A viewer that answers no ping for so long is cut off, seconds. */
const IDLE_TIMEOUT = 30;

const feeds = new WeakMap<HttpContext, LiveFeed>();

/**
 * Begins to keep the history that a viewer is shown. Call it when the server
 * starts: else it begins with the first viewer. It ends with the context's signal.
 *
 * @returns the one feed of this context
 */
export function startLive(context: HttpContext): LiveFeed {
  let feed = feeds.get(context);
  if (feed === undefined) {
    feed = new LiveFeed(context);
    feeds.set(context, feed);
  }
  return feed;
}

/**
 * Shows the map over a WebSocket. Who may ask must have been checked.
 *
 * @throws {Problem} 426 if the request is not one for a WebSocket
 */
export function live(request: Request, context: HttpContext): Response {
  return showOver(request, startLive(context));
}

/**
 * As {@linkcode live}, with a feed of one's own.
 *
 * @throws {Problem} 426 if the request is not one for a WebSocket
 */
export function showOver(request: Request, feed: LiveFeed): Response {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw new Problem({
      status: 426,
      code: "no-websocket",
      message: "The live feed is a WebSocket",
      hint: "Programs may rather follow GET /api/v1/changes.",
      headers: { upgrade: "websocket" },
    });
  }
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: IDLE_TIMEOUT,
  });
  socket.binaryType = "arraybuffer";
  socket.onopen = () => feed.admit(socket);
  socket.onerror = () => {}; // it closes then
  return response;
}
