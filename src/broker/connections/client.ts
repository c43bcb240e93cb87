/**
 * A client that has logged in, and its packets but PUBLISH, CONNECT and
 * DISCONNECT.
 *
 * @module
 */
import type { Identity } from "../access/access.ts";
import {
  type AcknowledgementPacket,
  type ClientPacket,
  type ConnectPacket,
  PacketType,
} from "../codec/packets.ts";
import { appendPingresp } from "../codec/ping.ts";
import { protocolError } from "../codec/malformed.ts";
import type { Session } from "../sessions/session.ts";
import { ClientOutlet } from "./client_outlet.ts";
import {
  appendAccepted,
  type ConnectRefusal,
  expiryOf,
  mayAccept,
  willOf,
} from "./connect.ts";
import type { ConnectionContext } from "./context.ts";
import type { Output } from "./output.ts";
import { PublishReceiver } from "./publish_receiver.ts";
import type { Input } from "./read_buffers.ts";
import { RetainedSender } from "./retained_sender.ts";
import { subscribe, type Subscriber, unsubscribe } from "./subscribe.ts";

const PUBACK_HEADER = PacketType.Puback << 4;
/** A PUBACK without reason code. */
const PUBACK_BYTES = 4;

/** The client of a connection. */
export interface Client extends Subscriber {
  readonly outlet: ClientOutlet;
  readonly receiver: PublishReceiver;
}

/** Options of {@linkcode openClient}. */
export interface ClientOptions {
  readonly packet: ConnectPacket;
  readonly identity: Identity;
  readonly output: Output;
  /** Called when the session is lost. */
  readonly disconnect: (reason: number) => void;
}

/**
 * Opens the session of a client, appends the CONNACK, and sends what waits in
 * the session.
 *
 * @returns the client, or why there is no session: nothing is appended then
 */
export function openClient(
  context: ConnectionContext,
  { packet, identity, output, disconnect }: ClientOptions,
): Client | ConnectRefusal {
  const { version, properties, clean: cleanStart, isBridge } = packet;
  const outlet = new ClientOutlet(context, output, {
    ...{ version, disconnect },
    receiveMaximum: properties.receiveMaximum,
    maxPacketBytes: properties.maximumPacketSize,
  });
  if (!mayAccept(packet, context, identity.clientId)) return "packet-size";
  const will = willOf(packet.will, identity);
  if (will !== undefined) context.wills.add(will, identity);
  const connected = context.router.sessions.connect({
    ...{ identity, outlet, will, cleanStart },
    expiry: expiryOf(packet),
  });
  if (connected.refused !== undefined) return connected.refused;
  const { session, isPresent } = connected;
  outlet.session = session;
  const receiver = new PublishReceiver(context, output, version, session);
  const retained = isPresent && context.retainedSenders.get(session) ||
    new RetainedSender(context.turns);
  const { gate } = receiver;
  const { settings } = context;
  appendAccepted(output.begin(), packet, settings, session, isPresent);
  context.counters.packetsSent++;
  context.counters.noteClients(context.router.sessions.connected);
  session.resume();
  return {
    ...{ version, session, outlet, receiver, gate, retained, isBridge },
    maxPacketBytes: properties.maximumPacketSize,
  };
}

/**
 * Handles a PUBACK without reason code in place: nothing is allocated for it.
 *
 * @returns false if the next packet is another one, or is incomplete
 */
export function readPuback(
  context: ConnectionContext,
  client: Client,
  input: Input,
): boolean {
  const { bytes, start, end } = input;
  if (
    bytes[start] !== PUBACK_HEADER || end - start < PUBACK_BYTES ||
    bytes[start + 1] !== PUBACK_BYTES - 2
  ) return false;
  const packetId = bytes[start + 2]! << 8 | bytes[start + 3]!;
  if (packetId === 0) return false;
  input.start = start + PUBACK_BYTES;
  context.counters.packetsReceived++;
  if (!client.session.acknowledged(packetId)) {
    checkUnknown(client.session, packetId);
  }
  client.retained.continue();
  client.outlet.onAcknowledged();
  return true;
}

/** Handles a packet that needs nothing of the connection. */
export function handlePacket(
  context: ConnectionContext,
  client: Client,
  output: Output,
  packet: ClientPacket,
): void {
  switch (packet.type) {
    case PacketType.Subscribe:
      return subscribe(context, client, packet);
    case PacketType.Unsubscribe:
      return unsubscribe(context, client, packet);
    case PacketType.Pingreq:
      context.counters.packetsSent++;
      return appendPingresp(output.begin());
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubcomp:
      return onAcknowledgement(client, packet);
    case PacketType.Pubrel:
      return client.receiver.release(packet.packetId);
    default:
      // AUTH: there is no authentication method (MQTT 5, 4.12).
      throw protocolError("AUTH without an authentication method");
  }
}

function onAcknowledgement(
  { session, retained, outlet }: Client,
  { type, packetId, reasonCode }: AcknowledgementPacket,
): void {
  const isExpected = type === PacketType.Puback
    ? session.acknowledged(packetId)
    : type === PacketType.Pubrec
    ? session.received(packetId, reasonCode)
    : session.completed(packetId);
  if (!isExpected) checkUnknown(session, packetId);
  retained.continue();
  outlet.onAcknowledged();
}

/**
 * Checks an acknowledgement that was not expected. An unknown packet id is
 * ignored: it may be of a message that was dropped.
 *
 * @throws {MalformedPacket} if it is of the wrong kind (MQTT 5, 4.3)
 */
function checkUnknown({ queue }: Session, packetId: number): void {
  if (queue.isInFlight(packetId)) {
    throw protocolError("an acknowledgement of the wrong kind");
  }
}
