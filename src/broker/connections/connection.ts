/**
 * The connection of one client, from its first byte to its end.
 *
 * @module
 */
import type { Identity, LoginResult } from "../access/access.ts";
import { appendConnack } from "../codec/connack.ts";
import { appendDisconnect } from "../codec/disconnect.ts";
import { MAX_CONTROL_PACKET_BYTES } from "../codec/frame.ts";
import { MalformedPacket, protocolError } from "../codec/malformed.ts";
import { PacketDecoder } from "../codec/packet_decoder.ts";
import {
  type ClientPacket,
  type ConnectPacket,
  type DisconnectPacket,
  PacketType,
} from "../codec/packets.ts";
import { ConnackCode, ReasonCode } from "../codec/reason_codes.ts";
import { messageOf } from "../../common/errors.ts";
import type { Transport } from "../listeners/transport.ts";
import { type Client, handlePacket, openClient, readPuback } from "./client.ts";
import {
  appendRefusal,
  type ConnectRefusal,
  describeRefusal,
  loginOf,
  problemOf,
  secondsOf,
} from "./connect.ts";
import type { ConnectionContext, OpenConnection } from "./context.ts";
import { Output, type OutputEvents } from "./output.ts";
import { Input } from "./read_buffers.ts";
import type { Worker } from "./turns.ts";

/** How long the last packets to a client may take, in ms. */
const CLOSE_TIMEOUT_MS = 1000;
/** Packets between two looks at the clock. */
const PACKETS_IN_STEP = 64;
/** A client may be silent for this multiple of its keep-alive (3.1.2.10). */
const KEEP_ALIVE_FACTOR = 1.5;
/**
 * - `new`: waits for CONNECT
 * - `login`: waits for the answer of the access rules
 * - `open`
 * - `closing`: sends its last packets, and ignores what arrives
 * - `closed`
 */
type State = "new" | "login" | "open" | "closing" | "closed";

/** A connection. */
export class Connection implements OpenConnection, OutputEvents, Worker {
  readonly #context: ConnectionContext;
  readonly #transport: Transport;
  readonly #input: Input;
  readonly #decoder = new PacketDecoder(MAX_CONTROL_PACKET_BYTES);
  #state: State = "new";
  #client: Client | undefined;
  #isReading = false;
  /** When the last packet arrived, ms of `performance.now()`. */
  #lastPacket = performance.now();
  /** The longest time without a packet, in ms. */
  #silenceLimit = Infinity;
  /** When a closing connection ends, whatever is unsent. */
  #closeBy = Infinity;
  /** True if the client has ended the connection. */
  #isLeft = false;
  /** What waits to be sent. */
  readonly output: Output;
  #onEnded: (() => void) | undefined;

  /** @param transport a new one; it is read at once */
  constructor(context: ConnectionContext, transport: Transport) {
    this.#context = context;
    this.#transport = transport;
    this.output = new Output(transport, context, this);
    this.#input = new Input(context.readBuffers);
    context.connections.add(this);
    this.#read();
  }

  get identity(): Identity | undefined {
    return this.#client?.session.identity;
  }

  ended(): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    return new Promise((resolve) => this.#onEnded = resolve);
  }

  close(reason: number): void {
    this.#close(reason);
  }

  destroy(): void {
    this.#end();
  }

  onSent(): void {
    const client = this.#client;
    client?.retained.continue();
    client?.outlet.onSent();
    if (this.#state === "closing") void this.#endOutput();
  }

  onUnsentLimit(): void {
    if (this.#state !== "open") return this.#end();
    this.#context.onLimit("mqtt-unsent-bytes");
    this.#endReader();
  }

  checkTime(now: number): void {
    const { settings } = this.#context;
    const { waitsSince = Infinity } = this.output;
    switch (this.#state) {
      case "new":
        if (now - this.#lastPacket < settings.connectTimeoutMs) return;
        this.#context.onLimit("mqtt-connect-timeout");
        this.#context.onDropped(undefined, "sent no CONNECT in time");
        return this.#end();
      case "open":
        this.#client?.outlet.checkProgress();
        if (now - waitsSince >= settings.stallTimeoutMs) {
          this.#context.onLimit("mqtt-stalled-reader");
          this.#endReader();
        } else if (!this.#isReading) {
          this.#lastPacket = now; // packets may wait to be handled
        } else if (now - this.#lastPacket > this.#silenceLimit) {
          this.#fail(ReasonCode.KeepAliveTimeout, "keep-alive time is over");
        }
        return;
      case "closing":
        if (now >= this.#closeBy) this.#end();
    }
  }

  /** Handles what has arrived, then reads more. */
  work(): void {
    try {
      if (this.#handleInput()) this.#read();
    } catch (error) {
      this.#onError(error);
    }
  }

  #read(): void {
    if (this.#isReading || this.#state === "closed") return;
    const packetBytes = this.#decoder.incompleteEnd - this.#input.start;
    const space = this.#input.space(Math.max(0, packetBytes));
    if (space === undefined) {
      this.#context.onLimit("mqtt-incomplete-bytes");
      this.#fail(ReasonCode.QuotaExceeded, "too many incomplete packets");
      return;
    }
    this.#isReading = true;
    this.#transport.read(space).then(this.#onRead, this.#onEnd);
  }

  readonly #onRead = (count: number | null): void => {
    this.#isReading = false;
    if (count === null) return this.#end();
    this.#context.counters.bytesReceived += count;
    if (this.#state === "closing") return this.#read();
    if (this.#state === "closed") return;
    this.#input.received(count);
    this.#context.turns.enter(this);
  };

  /** The connection was lost. What had arrived is handled. */
  readonly #onEnd = (): void => {
    this.#isReading = false;
    this.#end();
  };

  /**
   * Handles the packets that have arrived.
   *
   * @returns false if the rest has to wait; then {@linkcode work} is called
   */
  #handleInput(): boolean {
    const { turns, counters } = this.#context;
    const input = this.#input;
    const decoder = this.#decoder;
    for (let i = 1;; i++) {
      if (i % PACKETS_IN_STEP === 0 && turns.isOver()) {
        turns.later(this);
        return false;
      }
      const client = this.#client;
      if (client !== undefined) {
        if (this.#state !== "open") return true;
        const { receiver } = client;
        if (receiver.waits(this.#onRoom)) return false;
        if (receiver.canRun && receiver.readRun(decoder, input) > 0) {
          this.#lastPacket = turns.now;
          i |= PACKETS_IN_STEP - 1;
          continue;
        }
        if (readPuback(this.#context, client, input)) {
          this.#lastPacket = turns.now;
          continue;
        }
      } else if (this.#state !== "new") return this.#state === "closing";
      const packet = decoder.next(input.bytes, input.start, input.end);
      if (packet === undefined) return true;
      input.start = decoder.end;
      counters.packetsReceived++;
      this.#lastPacket = turns.now;
      this.#handle(packet);
    }
  }

  readonly #onRoom = (): void => this.#context.turns.later(this);

  #handle(packet: ClientPacket): void {
    if (packet.type === PacketType.Connect) return this.#connect(packet);
    const client = this.#client;
    // The decoder requires a CONNECT first.
    if (client === undefined) throw protocolError("no CONNECT");
    switch (packet.type) {
      case PacketType.Publish:
        return client.receiver.receive(packet, this.#input);
      case PacketType.Disconnect:
        return this.#onDisconnect(packet, client);
      default:
        handlePacket(this.#context, client, this.output, packet);
    }
  }

  #connect(packet: ConnectPacket): void {
    const { access, settings, turns } = this.#context;
    const problem = problemOf(packet, settings.maxTopicLevels);
    if (problem !== undefined) return this.#refuse(packet, problem);
    this.#state = "login";
    const isConnected = () => this.#state !== "closed";
    const login = loginOf(packet, this.#transport, isConnected);
    const result = access.login(login);
    if (!(result instanceof Promise)) {
      return this.#onLogin(packet, result);
    }
    void result.then((result) => {
      if (this.#state !== "login") return;
      this.#onLogin(packet, result);
      turns.later(this);
    });
  }

  #onLogin(packet: ConnectPacket, result: LoginResult): void {
    if (result.refused !== undefined) {
      return this.#refuse(packet, result.refused);
    }
    const context = this.#context;
    if (
      this.#transport.isForeignPage && result.identity.user === undefined
    ) {
      context.onLimit("mqtt-foreign-origin");
      return this.#refuse(packet, "foreign-page");
    }
    const client = openClient(context, {
      ...{ packet, identity: result.identity, output: this.output },
      disconnect: (reason) => this.#onSessionLost(reason),
    });
    if (typeof client === "string") return this.#refuse(packet, client);
    this.#client = client;
    this.#state = "open";
    this.#lastPacket = performance.now();
    this.#silenceLimit = packet.keepAlive === 0
      ? Infinity
      : packet.keepAlive * 1000 * KEEP_ALIVE_FACTOR;
    this.#decoder.maxPacketBytes = context.settings.maxPacketBytes;
    this.#transport.markBusy(packet.keepAlive === 0);
  }

  #refuse(packet: ConnectPacket, refusal: ConnectRefusal): void {
    if (appendRefusal(this.output.begin(), packet, refusal)) {
      this.#context.counters.packetsSent++;
    }
    const { clientId } = packet;
    // Wrong logins are reported by the access rules, with user and address.
    if (refusal !== "bad-credentials") {
      this.#context.onDropped(
        clientId === "" ? undefined : clientId,
        describeRefusal(refusal),
      );
    }
    this.#close(undefined);
  }

  #onDisconnect(packet: DisconnectPacket, client: Client): void {
    const { session, outlet, version } = client;
    const interval = packet.properties.sessionExpiryInterval;
    const expiry = interval === undefined ? undefined : secondsOf(interval);
    // (MQTT 5, 3.14.2.2.2)
    if (expiry !== undefined && expiry > 0 && !session.isKept) {
      throw protocolError("a session that ends with its connection is kept");
    }
    // (MQTT 5, 3.14.4-3)
    const publishWill = version === 5 && packet.reasonCode !== 0;
    const { sessions } = this.#context.router;
    sessions.disconnect(session, outlet, { publishWill, expiry });
    this.#isLeft = true;
    this.#close(undefined);
  }

  /** Another connection has the session, or it has ended. */
  #onSessionLost(reason: number): void {
    if (this.#state !== "open") return;
    if (reason !== ReasonCode.SessionTakenOver) {
      this.#context.onDropped(this.identity?.clientId, "its session has ended");
    }
    this.#close(reason);
  }

  #endReader(): void {
    this.output.cut();
    this.#fail(ReasonCode.QuotaExceeded, "does not read its messages");
  }

  #onError(error: unknown): void {
    if (!(error instanceof MalformedPacket)) {
      this.#fail(ReasonCode.UnspecifiedError, `internal: ${messageOf(error)}`);
      return;
    }
    const { reasonCode, connackVersion, message } = error;
    if (reasonCode === ReasonCode.PacketTooLarge) {
      this.#context.onLimit("mqtt-packet-bytes");
    }
    if (this.#state === "new" && connackVersion !== undefined) {
      appendConnack(this.output.begin(), connackVersion, {
        sessionPresent: false,
        reasonCode: connackVersion === 4
          ? ConnackCode.UnacceptableProtocolVersion
          : reasonCode,
      });
      this.#context.counters.packetsSent++;
    }
    this.#fail(reasonCode, message);
  }

  /** Disconnects the client because of an error of its own. */
  #fail(reason: number, text: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#context.onDropped(this.identity?.clientId, text);
    this.#close(reason);
  }

  #close(reason: number | undefined): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    const isOpen = this.#state === "open";
    this.#state = "closing";
    this.#closeBy = performance.now() + CLOSE_TIMEOUT_MS;
    // (MQTT 5, 3.14.0-1: only after CONNACK)
    if (reason !== undefined && isOpen && this.#client?.version === 5) {
      appendDisconnect(this.output.begin(), reason);
      this.#context.counters.packetsSent++;
    }
    this.#leaveSession();
    this.#input.start = this.#input.end = 0;
    this.output.send();
  }

  #leaveSession(): void {
    const client = this.#client;
    if (client === undefined) return;
    const { session, outlet } = client;
    const { sessions } = this.#context.router;
    if (this.#context.isClosing) sessions.publishWill(session, outlet);
    else {
      sessions.disconnect(session, outlet, { publishWill: true });
      // Kept sessions receive the rest of them later.
      client.retained.continue();
    }
    outlet.onGone();
  }

  /** Ends the stream to the client; it closes the connection then. */
  async #endOutput(): Promise<void> {
    if (this.#isLeft) return this.#end();
    await this.#transport.end();
    this.#read();
  }

  #end(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#leaveSession();
    this.output.break();
    this.#context.connections.delete(this);
    this.#transport.destroy();
    this.#input.close();
    this.#onEnded?.();
  }
}
