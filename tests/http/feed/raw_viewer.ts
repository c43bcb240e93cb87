/**
 * A viewer that reads only on request, unlike the WebSocket class: it
 * implements WebSocket (RFC 6455) over TCP.
 */
import { Buffer } from "node:buffer";
import { FrameSequence } from "../../../src/page/feed/frame_sequence.ts";
import { decodeFrame } from "../../../src/feed/frames.ts";
import { inflateRaw } from "../../../src/page/feed/inflate.ts";
import { type View, viewMessage } from "../../../src/feed/messages.ts";
import type { ZonesMessage } from "../../../src/feed/zone_messages.ts";
import { ViewerModel } from "./viewer_model.ts";

const TEXT = 1;
const BINARY = 2;
const PING = 9;
const PONG = 10;

export class RawViewer implements Disposable {
  readonly model = new ViewerModel();
  readonly zones: ZonesMessage[] = [];
  readonly #connection: Deno.Conn;
  readonly #sequence = new FrameSequence();
  #bytes: Uint8Array = new Uint8Array();
  #got = 0;
  #closed = false;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Connects and upgrades to a WebSocket. */
  static async connect(url: string): Promise<RawViewer> {
    const { hostname, port, host } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const viewer = new RawViewer(connection);
    await viewer.#write(new TextEncoder().encode(
      `GET /live HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    ));
    const end = () =>
      new TextDecoder("latin1").decode(viewer.#bytes).indexOf("\r\n\r\n");
    while (end() < 0) await viewer.#receive();
    viewer.#bytes = viewer.#bytes.subarray(end() + 4);
    return viewer;
  }

  /** Requests a view. */
  async requestView(view: View): Promise<void> {
    this.#sequence.start(view);
    await this.#send(TEXT, new TextEncoder().encode(viewMessage(view)));
  }

  /** Reads and handles one message. */
  async read(): Promise<void> {
    const { opcode, payload } = await this.#message();
    if (opcode === PING) await this.#send(PONG, payload);
    if (opcode === TEXT) {
      const message = JSON.parse(new TextDecoder().decode(payload));
      if (message.type !== "zones") return;
      this.zones.push(message);
    } else if (opcode === BINARY) await this.#handleFrame(payload);
    else return;
    const got = JSON.stringify({ type: "got", frames: ++this.#got });
    await this.#send(TEXT, new TextEncoder().encode(got));
  }

  async #handleFrame(payload: Uint8Array<ArrayBuffer>): Promise<void> {
    const frame = await decodeFrame(payload, inflateRaw);
    const action = this.#sequence.check(frame);
    if (action === "gap") throw new Error("A frame is missing");
    if (action === "apply") this.model.apply(frame);
  }

  /** Safe to call twice. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }

  /** Reads a message of the server: one WebSocket frame, not masked. */
  async #message() {
    await this.#receiveUntil(2);
    const opcode = this.#bytes[0]! & 15;
    let length = this.#bytes[1]! & 127;
    let start = 2;
    if (length >= 126) {
      start = length === 126 ? 4 : 10;
      await this.#receiveUntil(start);
      length = 0;
      for (const byte of this.#bytes.subarray(2, start)) {
        length = length * 256 + byte;
      }
    }
    await this.#receiveUntil(start + length);
    const payload = this.#bytes.slice(start, start + length);
    this.#bytes = this.#bytes.subarray(start + length);
    return { opcode, payload };
  }

  async #receiveUntil(count: number): Promise<void> {
    while (this.#bytes.length < count) await this.#receive();
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    const count = await this.#connection.read(buffer);
    if (count === null) throw new Error("The server closed the connection");
    this.#bytes = new Uint8Array(
      Buffer.concat([this.#bytes, buffer.subarray(0, count)]),
    );
  }

  /** Sends up to 125 bytes; clients must mask them: here with zeros. */
  async #send(opcode: number, payload: Uint8Array): Promise<void> {
    const head = Uint8Array.of(128 | opcode, 128 | payload.length, 0, 0, 0, 0);
    await this.#write(Buffer.concat([head, payload]));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }
}
