import { deadline } from "./harness.ts";

/** One frame as received: the packet type (MQTT 3.1.1, 2.2.1), its flags, and what follows. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

/** The packet types that the tests look at. */
export const Type = {
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBCOMP: 7,
  SUBACK: 9,
  PINGRESP: 13,
} as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A frame from its first byte and its parts; numbers are two bytes, big-endian. */
export function frame(
  first: number,
  ...parts: (Uint8Array | string | number)[]
): Uint8Array<ArrayBuffer> {
  const pieces = parts.map((part) =>
    typeof part === "number"
      ? Uint8Array.of(part >> 8, part & 0xff)
      : typeof part === "string"
      ? withLength(encoder.encode(part))
      : part
  );
  let rest = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const digits: number[] = [];
  do {
    digits.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return concat([Uint8Array.of(first, ...digits), ...pieces]);
}

/** The pieces as one. */
export function concat(
  pieces: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    pieces.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function withLength(bytes: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

/** A CONNECT of MQTT 3.1.1, keep-alive 60 s. */
export function connectFrame(
  id: string,
  { clean = true, will }: {
    clean?: boolean;
    will?: { topic: string; payload: string };
  } = {},
): Uint8Array<ArrayBuffer> {
  const flags = (clean ? 2 : 0) | (will === undefined ? 0 : 0x0c);
  return frame(
    0x10,
    "MQTT",
    Uint8Array.of(4, flags),
    60,
    id,
    ...will === undefined ? [] : [will.topic, will.payload],
  );
}

/** A PUBLISH; with an identifier at QoS 1, or the QoS that is given. */
export function publishFrame(
  topic: string,
  payload: string | Uint8Array,
  id = 0,
  { qos = id === 0 ? 0 : 1, retain = false, dup = false } = {},
): Uint8Array<ArrayBuffer> {
  return frame(
    0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0),
    topic,
    ...qos === 0 ? [] : [id],
    typeof payload === "string" ? encoder.encode(payload) : payload,
  );
}

/** A SUBSCRIBE to one filter. */
export function subscribeFrame(filter: string, qos = 0, id = 1) {
  return frame(0x82, id, filter, Uint8Array.of(qos));
}

/** The identifier that starts a PUBACK and the like. */
export function idOf({ body }: Frame): number {
  return (body[0]! << 8) | body[1]!;
}

/** A PUBLISH taken apart. */
export function readPublish({ flags, body }: Frame) {
  const end = 2 + ((body[0]! << 8) | body[1]!);
  const qos = (flags >> 1) & 3;
  return {
    topic: decoder.decode(body.subarray(2, end)),
    qos,
    retain: (flags & 1) === 1,
    dup: (flags & 8) === 8,
    id: qos === 0 ? 0 : (body[end]! << 8) | body[end + 1]!,
    bytes: body.subarray(qos === 0 ? end : end + 2),
    get text() {
      return decoder.decode(this.bytes);
    },
  };
}

/** A client that sends exactly the bytes it is told to, and reads when it is told to. */
export class RawClient implements Disposable {
  readonly #connection: Deno.Conn;
  /** What was read and not yet cut: from #start to #end. */
  #buffer = new Uint8Array(256 * 1024);
  #start = 0;
  #end = 0;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Opens the connection and sends nothing. */
  static async dial(
    { port }: { port: number },
    open: (at: { hostname: string; port: number }) => Promise<Deno.Conn> =
      Deno.connect,
  ): Promise<RawClient> {
    return new RawClient(await open({ hostname: "127.0.0.1", port }));
  }

  /** Opens the connection, says CONNECT, and takes the CONNACK. */
  static async connect(
    at: { port: number },
    id: string,
    options: Parameters<typeof connectFrame>[1] = {},
  ): Promise<RawClient> {
    const client = await RawClient.dial(at);
    await client.send(connectFrame(id, options));
    await client.take(Type.CONNACK);
    return client;
  }

  async send(...pieces: Uint8Array[]): Promise<void> {
    const bytes = pieces.length === 1 ? pieces[0]! : concat(pieces);
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  async subscribe(filter: string, qos = 0): Promise<void> {
    await this.send(subscribeFrame(filter, qos));
    await this.take(Type.SUBACK);
  }

  /** Returns when all that was sent so far has been dealt with. */
  async ping(): Promise<void> {
    await this.send(Uint8Array.of(0xc0, 0));
    await this.take(Type.PINGRESP);
  }

  /** Says goodbye, and waits until it was heard. */
  async leave(): Promise<void> {
    await this.send(Uint8Array.of(0xe0, 0));
    await this.ended();
  }

  /** The next frame, which must be of this type. */
  async take(type: number): Promise<Frame> {
    const next = await this.next();
    if (next?.type !== type) {
      throw new Error(`Expected type ${type}, got ${next?.type ?? "the end"}`);
    }
    return next;
  }

  /** The next `count` frames, all of one type. */
  async takeAll(type: number, count: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < count) frames.push(await this.take(type));
    return frames;
  }

  /** The next frame; undefined at the end of the stream. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const found = this.#cut();
      if (found !== undefined) return found;
      if (!await this.#read()) return undefined;
    }
  }

  /** Resolves when the other side has ended the connection; frames on the way are dropped. */
  async ended(): Promise<void> {
    while (await this.next() !== undefined);
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // closed already
    }
  }

  /** Reads on; false at the end of the stream. */
  async #read(): Promise<boolean> {
    if (this.#end === this.#buffer.length) {
      const held = this.#buffer.subarray(this.#start, this.#end);
      // Frames that were cut still look into the old one.
      const size = Math.max(this.#buffer.length, 2 * held.length);
      this.#buffer = new Uint8Array(size);
      this.#buffer.set(held);
      this.#start = 0;
      this.#end = held.length;
    }
    try {
      const count = await deadline(
        this.#connection.read(this.#buffer.subarray(this.#end)),
        "more bytes",
      );
      this.#end += count ?? 0;
      return count !== null;
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) return false;
      throw error;
    }
  }

  #cut(): Frame | undefined {
    const held = this.#buffer.subarray(this.#start, this.#end);
    let length = 0;
    let at = 1;
    for (let shift = 0;; shift += 7) {
      const digit = held[at++];
      if (digit === undefined) return undefined;
      length |= (digit & 0x7f) << shift;
      if (digit < 0x80) break;
    }
    if (held.length < at + length) return undefined;
    this.#start += at + length;
    return {
      type: held[0]! >> 4,
      flags: held[0]! & 0x0f,
      body: held.subarray(at, at + length),
    };
  }
}
