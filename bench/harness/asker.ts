import { parseReply } from "../../src/protocol/mod.ts";
import type { RawClient } from "./mqtt.ts";
import {
  encodePublish,
  type LoadShape,
  Readings,
  REQUEST_ID,
} from "./packets.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Where a reply says which of its parts a message is. */
const HEAD_BYTES = 400;

/** Asks an occupancy server for its map, or for one cell of it. */
export class Asker {
  readonly #client: RawClient;
  readonly #requestTopic: string;
  readonly #replyTopic: string;
  #parts: Uint8Array[] | undefined;
  #bytes = 0;
  /** Parts that have come of the reply that is awaited. */
  #received = 0;
  #expected = Infinity;
  /** Replies that have come whole. */
  answered = 0;

  /** Told of each reply that has come whole, in the order of the requests. */
  onAnswer: () => void = () => {};

  constructor(client: RawClient, prefix: string, name: string) {
    this.#client = client;
    this.#requestTopic = `${prefix}/request`;
    this.#replyTopic = `${prefix}/response/${name}`;
  }

  /** Subscribes to the replies. */
  async open(): Promise<void> {
    this.#client.onMessage = ({ payload }) => this.#take(payload);
    await this.#client.subscribe(this.#replyTopic);
  }

  /** Asks for a cell, and does not wait. */
  async post(x = 0, y = 0): Promise<void> {
    await this.#request({ region: [x, y, x, y] });
  }

  /** Asks for a cell; resolves when the answer is there. */
  async cell(x: number, y: number): Promise<void> {
    await this.#ask({ region: [x, y, x, y] });
  }

  /** Asks for the map; resolves with the bytes of the answer. */
  async map(): Promise<number> {
    this.#bytes = 0;
    await this.#ask({});
    return this.#bytes;
  }

  /**
   * Compares the map with what a sweep must have left: how many of `count`
   * cells are wrong, missing or too many, after readings 0 to `readings - 1`.
   */
  async compare(
    shape: LoadShape,
    readings: number,
    count: number,
  ): Promise<number> {
    const parts: Uint8Array[] = this.#parts = [];
    await this.#ask({});
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

  async #ask(request: Record<string, unknown>): Promise<void> {
    const before = this.answered;
    await this.#request(request);
    await this.#client.until(() => this.answered > before);
  }

  /** At QoS 1: behind all readings that were sent before, with any broker. */
  async #request(request: Record<string, unknown>): Promise<void> {
    const payload = JSON.stringify({ ...request, replyTo: this.#replyTopic });
    await this.#client.write(
      encodePublish(this.#requestTopic, encoder.encode(payload), REQUEST_ID),
    );
  }

  #take(payload: Uint8Array): void {
    this.#bytes += payload.length;
    this.#parts?.push(payload.slice());
    const head = decoder.decode(payload.subarray(0, HEAD_BYTES));
    const parts = /"parts":(\d+)/.exec(head)?.[1];
    if (parts === undefined) throw new Error(`Not a reply: ${head}`);
    this.#expected = Number(parts);
    if (++this.#received < this.#expected) return;
    this.#received = 0;
    this.answered++;
    this.onAnswer();
  }
}

function keyOf(x: number, y: number): number {
  return y * 2 ** 26 + x;
}
