/**
 * Requests the map of an occupancy server over a {@linkcode RawClient}.
 *
 * @module
 */
import { parseReply } from "../../src/protocol/mod.ts";
import { type LoadShape, Readings, REQUEST_ID } from "./packets.ts";
import type { RawClient } from "./raw_client.ts";

const decoder = new TextDecoder();
/** The header of a reply, which has the number of its parts, is in here. */
const HEAD_BYTES = 400;

/** Requests the map or one cell, and counts the replies. */
export class RawRequester {
  readonly #client: RawClient;
  readonly #requestTopic: string;
  readonly #replyTopic: string;
  #parts: Uint8Array[] | undefined;
  #bytes = 0;
  /** Received parts of the current reply. */
  #received = 0;
  #expected = Infinity;
  /** Number of complete replies. */
  replies = 0;

  /** Called at each complete reply, in the order of the requests. */
  onReply: () => void = () => {};

  /**
   * @param client a connected client, whose messages this takes over
   * @param prefix prefix of the server's topics
   * @param name the last level of the reply topic, unique on the broker
   */
  constructor(client: RawClient, prefix: string, name: string) {
    this.#client = client;
    this.#requestTopic = `${prefix}/request`;
    this.#replyTopic = `${prefix}/response/${name}`;
  }

  /** Subscribes to the replies. */
  async open(): Promise<void> {
    this.#client.onMessage = ({ payload }) => this.#receive(payload);
    await this.#client.subscribe(this.#replyTopic);
  }

  /** Requests a cell without waiting for the reply. */
  async postCell(x = 0, y = 0): Promise<void> {
    await this.#post({ region: [x, y, x, y] });
  }

  /** Requests a cell and waits for the reply. */
  async requestCell(x: number, y: number): Promise<void> {
    await this.#request({ region: [x, y, x, y] });
  }

  /**
   * Requests the map and waits for the reply.
   *
   * @returns the size of the reply, bytes
   */
  async requestMap(): Promise<number> {
    this.#bytes = 0;
    await this.#request({});
    return this.#bytes;
  }

  /**
   * Compares the map with the readings that were sent.
   *
   * @param shape the load
   * @param readings how many of its readings were sent
   * @param count how many cells the last of them set
   * @returns how many cells are wrong, missing or surplus
   */
  async compare(
    shape: LoadShape,
    readings: number,
    count: number,
  ): Promise<number> {
    const parts: Uint8Array[] = this.#parts = [];
    await this.#request({});
    this.#parts = undefined;
    const expected = new Map<number, number>();
    const model = new Readings(shape);
    for (let n = readings - count; n < readings; n++) {
      model.seek(n);
      expected.set(keyOf(model.x, model.y), model.value);
    }
    let wrong = 0;
    for (const part of parts) {
      const reply = parseReply(part);
      if (reply.status === "error") throw new Error(reply.message);
      const { cells } = reply;
      for (let i = 0; i < cells.length; i++) {
        const key = keyOf(cells.x[i]!, cells.y[i]!);
        if (expected.get(key) !== cells.value[i]) wrong++;
        expected.delete(key);
      }
    }
    return wrong + expected.size;
  }

  async #request(request: Record<string, unknown>): Promise<void> {
    const before = this.replies;
    await this.#post(request);
    await this.#client.until(() => this.replies > before);
  }

  /** Publishes at QoS 1: every broker delivers it after earlier readings. */
  async #post(request: Record<string, unknown>): Promise<void> {
    const payload = JSON.stringify({ ...request, replyTo: this.#replyTopic });
    await this.#client.send({
      cmd: "publish",
      topic: this.#requestTopic,
      payload,
      qos: 1,
      messageId: REQUEST_ID,
      retain: false,
      dup: false,
    });
  }

  #receive(payload: Uint8Array): void {
    this.#bytes += payload.length;
    this.#parts?.push(payload.slice());
    const head = decoder.decode(payload.subarray(0, HEAD_BYTES));
    const parts = /"parts":(\d+)/.exec(head)?.[1];
    if (parts === undefined) throw new Error(`Not a reply: ${head}`);
    this.#expected = Number(parts);
    if (++this.#received < this.#expected) return;
    this.#received = 0;
    this.replies++;
    this.onReply();
  }
}

function keyOf(x: number, y: number): number {
  return y * 2 ** 26 + x;
}
