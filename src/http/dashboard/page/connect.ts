/// <reference lib="dom" />
/**
 * The page's connection to the live feed.
 *
 * @module
 */

import { decodeFrame } from "../../live/frames.ts";
import {
  parseServerMessage,
  type View,
  viewMessage,
} from "../../live/messages.ts";
import type { Link, LinkEvents } from "./link.ts";

/** Opens the live feed of the server that the page is from. */
export function connect(events: LinkEvents): Link {
  let view: View | undefined;
  let socket: WebSocket | undefined;
  let wait = 250;
  const open = () => {
    const url = new URL("/live", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const here = socket = new WebSocket(url);
    here.binaryType = "arraybuffer";
    let got = 0;
    let work = Promise.resolve();
    here.onopen = () => {
      wait = 250;
      if (view) here.send(viewMessage(view));
    };
    here.onmessage = ({ data }) => {
      if (typeof data === "string") {
        const message = parseServerMessage(data);
        if (message?.type === "hello") events.hello(message);
        else if (message?.type === "status") events.status(message);
        else if (message?.type === "latest") events.latest(message);
        else if (message?.type === "history") events.history(message);
        else if (message?.type === "gone" || message?.type === "error") {
          events.refused(message.message);
        }
        return;
      }
      work = work.then(async () => {
        events.frame(await decodeFrame(new Uint8Array(data), inflate));
        got++;
        if (here.readyState === WebSocket.OPEN) {
          here.send(JSON.stringify({ type: "got", frames: got }));
        }
      });
    };
    here.onclose = () => {
      events.lost();
      setTimeout(open, wait);
      wait = Math.min(2 * wait, 5000);
    };
  };
  open();
  return {
    view(next) {
      view = next;
      if (socket?.readyState === WebSocket.OPEN) socket.send(viewMessage(next));
    },
  };
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(
    new DecompressionStream("deflate-raw"),
  );
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
