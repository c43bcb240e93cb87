/**
 * One end of an MQTT connection over TCP that sends and receives single
 * packets: a client, or the broker's end of a client's connection.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  type ConnectOptions,
  encode,
  encodeConnect,
  encodePublish,
  type Packet,
  PacketDecoder,
  type PacketOf,
  type PublishOptions,
  type QoS,
  type Version,
} from "./packets.ts";
import { until, within } from "./until.ts";

/** How long {@linkcode RawConnection.next} waits, in ms. */
const NEXT_TIMEOUT_MS = 15_000;
const READ_BYTES = 64 * 1024;

/** Reads continuously, until it is frozen or closed. */
export class RawConnection implements AsyncDisposable {
  readonly #connection: Deno.TcpConn;
  readonly #decoder = new PacketDecoder();
  readonly #reading: Promise<void>;
  #frozen = false;
  #failure: unknown;
  #changed = Promise.withResolvers<void>();
  /** Received packets that no call has returned yet. */
  readonly packets: Packet[] = [];
  /** True after either end has closed the connection. */
  closed = false;
  /** True if the broker had a session at {@linkcode open}. */
  sessionPresent = false;

  /** Called with all received bytes, before they are decoded. */
  onBytes: ((bytes: Uint8Array) => void) | undefined;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#read();
  }

  /** Connects to a port of the loopback and sends nothing. */
  static async dial(port: number): Promise<RawConnection> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    // Else a second write waits for the delayed ACK of the first, 40 ms.
    connection.setNoDelay();
    return new RawConnection(connection);
  }

  /** Connects a client to a broker. Resolves after the CONNACK. */
  static async open(
    port: number,
    clientId: string,
    options: ConnectOptions = {},
  ): Promise<RawConnection> {
    const client = await RawConnection.dial(port);
    try {
      await client.connect(clientId, options);
      const { sessionPresent } = await client.expect("connack");
      client.sessionPresent = sessionPresent;
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The version of the packets in both directions. */
  get version(): Version {
    return this.#decoder.version;
  }

  set version(version: Version) {
    this.#decoder.version = version;
  }

  /** Sends CONNECT. The packets that follow have its version. */
  async connect(
    clientId: string,
    options: ConnectOptions = {},
  ): Promise<void> {
    this.version = options.version ?? 4;
    await this.write(encodeConnect(clientId, options));
  }

  /** Sends PUBLISH. */
  async publish(
    topic: string,
    payload: string | Uint8Array,
    options: PublishOptions = {},
  ): Promise<void> {
    await this.write(
      encodePublish(topic, payload, { version: this.version, ...options }),
    );
  }

  /** Writes bytes, in one piece. */
  async write(...pieces: Uint8Array[]): Promise<void> {
    const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  /** Sends a packet in the version of the CONNECT; default 3.1.1. */
  async send(packet: Packet): Promise<void> {
    await this.write(encode(packet, this.version));
  }

  /** Subscribes. Resolves after the SUBACK. */
  async subscribe(filter: string, qos: QoS = 0): Promise<void> {
    await this.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [{ topic: filter, qos }],
    });
    await this.take("suback");
  }

  /** Waits until the broker has handled all packets that were sent. */
  async ping(): Promise<void> {
    await this.send({ cmd: "pingreq" });
    await this.expect("pingresp");
  }

  /** Sends DISCONNECT and waits until the broker closes the connection. */
  async disconnect(): Promise<void> {
    await this.send({ cmd: "disconnect" });
    await this.ended();
  }

  /** Sends FIN: this end sends no more, but reads. */
  async endWriting(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Stops reading, as a client that hangs. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Resolves after the next bytes that arrive, or the end. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Waits for the next packet; undefined after the end of the connection. */
  async next(): Promise<Packet | undefined> {
    if (this.packets.length === 0) {
      await within(this.#ready(), "the next packet", NEXT_TIMEOUT_MS);
    }
    return this.packets.shift();
  }

  /** Yields packets until the end of the connection, without a timeout. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Packet> {
    for (;;) {
      await this.#ready();
      const packet = this.packets.shift();
      if (packet === undefined) return;
      yield packet;
    }
  }

  /**
   * Waits for the next packet, which must be of a type.
   *
   * @throws {Error} if it is of another type, or the connection ends
   */
  async expect<C extends Packet["cmd"]>(cmd: C): Promise<PacketOf<C>> {
    const packet = await this.next();
    if (packet?.cmd !== cmd) {
      throw new Error(`Expected ${cmd}, got ${packet?.cmd ?? "the end"}`);
    }
    return packet as PacketOf<C>;
  }

  /** As {@linkcode expect}, for the next `count` packets. */
  async expectAll<C extends Packet["cmd"]>(
    cmd: C,
    count: number,
  ): Promise<PacketOf<C>[]> {
    const packets: PacketOf<C>[] = [];
    while (packets.length < count) packets.push(await this.expect(cmd));
    return packets;
  }

  /**
   * Waits for a packet of a type; drops those before it.
   *
   * @param deadline how long, in ms; default that of {@linkcode until}
   * @throws {Error} at the deadline, or if the connection ends first
   */
  async take<C extends Packet["cmd"]>(
    cmd: C,
    deadline?: number,
  ): Promise<PacketOf<C>> {
    return await until(() => {
      for (let next; (next = this.packets.shift()) !== undefined;) {
        if (next.cmd === cmd) return next as PacketOf<C>;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.closed) throw new Error(`Closed before a ${cmd}`);
    }, {
      ...{ what: cmd, changed: () => this.changed() },
      ...(deadline !== undefined && { deadline }),
    });
  }

  /** Returns the received packets of a type; keeps the others. */
  takeReceived<C extends Packet["cmd"]>(cmd: C): PacketOf<C>[] {
    const all = this.packets.splice(0);
    this.packets.push(...all.filter((packet) => packet.cmd !== cmd));
    return all.filter((packet) => packet.cmd === cmd) as PacketOf<C>[];
  }

  /** Waits until the other end has closed the connection; drops its packets. */
  async ended(): Promise<void> {
    while (await this.next() !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    while (!this.#frozen) {
      const chunk = new Uint8Array(READ_BYTES);
      // Rejects if the other end resets the connection, or this one closes it.
      const count = await this.#connection.read(chunk).catch(() => null);
      if (count === null) break;
      this.onBytes?.(chunk.subarray(0, count));
      try {
        this.packets.push(...this.#decoder.push(chunk.subarray(0, count)));
      } catch (error) {
        this.#failure = error;
        break;
      }
      this.#notify();
    }
    if (this.#frozen) return;
    this.#close();
    this.#notify();
  }

  /** Waits for a packet or the end of the connection. */
  async #ready(): Promise<void> {
    while (this.packets.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.closed) return;
      await this.changed();
    }
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#connection.close();
  }
}
