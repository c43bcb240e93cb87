/**
 * Sockets of an attacker, which has an address of its own: limits by address
 * then do not include the good client.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { delay } from "../../../src/common/async.ts";
import { encodeConnect } from "../../support/packets.ts";

/** The address of the attacker; all of 127.0.0.0/8 are the loopback. */
const ADDRESS = "127.0.0.2";
/** Pause after a refused connection. */
const RETRY_MS = 20;

/** What is attacked, and for how long. */
export interface Target {
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly token: string;
  /** Layer with many cells. */
  readonly layer: string;
  /** The pause between two writes of a flood over MQTT, in ms. */
  readonly pauseMs: number;
  /** Connections of an attack on the broker. */
  readonly connections: number;
  /** Aborted at the end of the attack. */
  readonly signal: AbortSignal;
}

/** An attack, and the limits of which one must count it. */
export interface Attack {
  /**
   * In `occupancy_limited_total{limit="…"}`, reasons of refused readings, or
   * `history-late`.
   */
  readonly counted: readonly string[];
  run(target: Target): Promise<void>;
}

/** A connection that ignores its errors: the server may close it at any time. */
export class AttackSocket {
  readonly #socket: Socket;
  #open = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("close", () => this.#open = false);
  }

  /** Connects; undefined if the server refuses, after a pause. */
  static async open(port: number): Promise<AttackSocket | undefined> {
    const socket = connect({
      ...{ host: "127.0.0.1", port, localAddress: ADDRESS },
      noDelay: true,
    });
    const connected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.once("close", () => resolve(false));
    });
    if (connected) return new AttackSocket(socket);
    await delay(RETRY_MS);
    return undefined;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Writes; waits until the operating system has room. */
  async write(data: string | Uint8Array): Promise<boolean> {
    if (!this.#open) return false;
    const written = this.#socket.write(
      typeof data === "string" ? Buffer.from(data, "latin1") : data,
    );
    if (!written) {
      await new Promise<void>((resolve) => {
        this.#socket.once("drain", resolve);
        this.#socket.once("close", resolve);
      });
    }
    return this.#open;
  }

  /** Reads and drops what arrives; calls the listener with each piece. */
  read(listener: (chunk: Uint8Array) => void = () => {}): this {
    this.#socket.on("data", listener);
    return this;
  }

  /** Waits for the end of the connection. */
  async closed(): Promise<void> {
    if (!this.#open) return;
    await new Promise((resolve) => this.#socket.once("close", resolve));
  }

  destroy(): void {
    this.#open = false;
    this.#socket.destroy();
  }
}

/** Runs a function again and again until the end of the attack. */
export async function repeat(
  { signal }: Target,
  times: number,
  work: () => Promise<void>,
): Promise<void> {
  await Promise.all(Array.from({ length: times }, async () => {
    while (!signal.aborted) await work();
  }));
}

/** Keeps a number of connections open; opens those again that end. */
export async function hold(
  target: Target,
  port: number,
  count: number,
  start: (socket: AttackSocket) => Promise<unknown>,
): Promise<void> {
  await repeat(target, count, async () => {
    const socket = await AttackSocket.open(port);
    if (socket === undefined) return;
    target.signal.addEventListener("abort", () => socket.destroy());
    if (target.signal.aborted) socket.destroy();
    await start(socket);
    await socket.closed();
    await delay(RETRY_MS, target.signal);
  });
}

/** Connects a client to the embedded broker. */
export async function mqtt(
  target: Target,
  clientId: string,
): Promise<AttackSocket | undefined> {
  const socket = await AttackSocket.open(target.mqttPort);
  if (socket === undefined) return undefined;
  target.signal.addEventListener("abort", () => socket.destroy());
  socket.read();
  await socket.write(encodeConnect(clientId));
  return socket;
}

/**
 * Sends packets: as fast as the server reads them, or with pauses.
 */
export async function flood(
  target: Target,
  clientId: string,
  packets: () => Uint8Array,
): Promise<void> {
  let socket: AttackSocket | undefined;
  while (!target.signal.aborted) {
    socket = socket?.open ? socket : await mqtt(target, clientId);
    await socket?.write(packets());
    await delay(target.pauseMs, target.signal);
  }
}

/** The head of a request with the right token. */
export function head(
  target: Target,
  line: string,
  ...headers: string[]
): string {
  return [
    `${line} HTTP/1.1`,
    "Host: localhost",
    `Authorization: Bearer ${target.token}`,
    ...headers,
    "\r\n",
  ].join("\r\n");
}
