/// <reference lib="deno.worker" />
/**
 * The viewers of `live_load.ts`, in a worker. They confirm each frame without
 * decoding it, so that the server is the limit.
 *
 * @module
 */
import { type View, viewMessage } from "../src/feed/messages.ts";

/** Opens viewers, one per view, after it has closed the previous ones. */
export interface ViewersCommand {
  /** A `ws:` URL. */
  readonly url: string;
  readonly views: readonly View[];
}

/** The totals of all viewers since the last command. */
export interface ViewersReport {
  readonly frames: number;
  readonly bytes: number;
}

let sockets: WebSocket[] = [];
let frames = 0;
let bytes = 0;

self.onmessage = async ({ data }: MessageEvent<ViewersCommand>) => {
  for (const socket of sockets) socket.close();
  self.postMessage({ frames, bytes } satisfies ViewersReport);
  frames = bytes = 0;
  sockets = await Promise.all(
    data.views.map((view) => open(data.url, view)),
  );
  self.postMessage("ready");
};

/** Opens a viewer and waits for its first frame. */
function open(url: string, view: View): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  let received = 0;
  socket.onopen = () => socket.send(viewMessage(view));
  socket.onerror = () =>
    reject(new Error("The server closed a viewer's connection"));
  socket.onmessage = ({ data }) => {
    const isFrame = typeof data !== "string";
    if (!isFrame && !data.startsWith('{"type":"zones"')) return;
    if (isFrame) {
      frames++;
      bytes += data.byteLength;
    }
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(`{"type":"got","frames":${++received}}`);
    }
    if (isFrame) resolve(socket);
  };
  return promise;
}
