/// <reference lib="deno.worker" />
/**
 * Viewers of the live feed for `live_load.ts`, in a thread of their own: they
 * take what comes and say so, and do not look into it, so that what is measured
 * is the server.
 *
 * @module
 */
import { type View, viewMessage } from "../src/feed/messages.ts";

/** Asks for so many viewers: those before are closed. */
export interface ViewersWanted {
  /** `ws:` */
  readonly url: string;
  readonly views: readonly View[];
}

/** What came, all viewers together, since the last report. */
export interface ViewersReport {
  readonly frames: number;
  readonly bytes: number;
}

let sockets: WebSocket[] = [];
let frames = 0;
let bytes = 0;

self.onmessage = async ({ data }: MessageEvent<ViewersWanted>) => {
  for (const socket of sockets) socket.close();
  self.postMessage({ frames, bytes } satisfies ViewersReport);
  frames = bytes = 0;
  sockets = await Promise.all(
    data.views.map((view) => open(data.url, view)),
  );
  self.postMessage("ready");
};

/** Resolves when the first cells have come. */
function open(url: string, view: View): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  let got = 0;
  socket.onopen = () => socket.send(viewMessage(view));
  socket.onerror = () => reject(new Error("A viewer was cut off"));
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") return;
    frames++;
    bytes += data.byteLength;
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(`{"type":"got","frames":${++got}}`);
    }
    resolve(socket);
  };
  return promise;
}
