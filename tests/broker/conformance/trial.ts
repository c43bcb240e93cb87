/**
 * The clients of one test, and what they expect.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { IConnackPacket, ISubscription } from "mqtt-packet";
import type {
  ConnectOptions,
  Packet,
  PacketOf,
  PublishOptions,
  PublishPacket,
  QoS,
  Version,
} from "../../support/packets.ts";
import { RawConnection } from "../../support/raw_connection.ts";
import { until } from "../../support/until.ts";
import type { Subject, SubjectName } from "./subjects.ts";

/** How long a client waits for a packet, or for the end, in ms. */
const TIMEOUT_MS = 10_000;
/** The same for a test that is expected to fail. */
const FAILING_TIMEOUT_MS = 3_000;
let timeoutMs = TIMEOUT_MS;
/** When a client asks whether the broker goes on, in ms. */
const SOON_MS = 500;
/** The same for a test that is expected to fail: mostly it does go on. */
const FAILING_SOON_MS = 50;
let soonMs = SOON_MS;
/** How long a kept session of MQTT 5 is kept, in s. */
const KEEP_S = 600;

/** A subscription with its options. */
export type Subscription = Partial<ISubscription> & { readonly topic: string };

/** Clients of a broker. They are closed at the end of the scope. */
export class Trial implements AsyncDisposable {
  readonly #broker: Subject;
  readonly subject: SubjectName;
  readonly version: Version;
  readonly #clients: RawConnection[] = [];
  #nextId = 100;

  /** @param expected whether the test is expected to pass */
  constructor(
    broker: Subject,
    subject: SubjectName,
    version: Version,
    expected = true,
  ) {
    timeoutMs = expected ? TIMEOUT_MS : FAILING_TIMEOUT_MS;
    soonMs = expected ? SOON_MS : FAILING_SOON_MS;
    this.#broker = broker;
    this.subject = subject;
    this.version = version;
  }

  get port(): number {
    return this.#broker.port;
  }

  /** Ends the broker in order. */
  stopBroker(): Promise<void> {
    return this.#broker.stop();
  }

  /** Connects and sends nothing. */
  async dial(): Promise<RawConnection> {
    const client = await RawConnection.dial(this.#broker.port);
    client.version = this.version;
    this.#clients.push(client);
    return client;
  }

  /** Connects; the broker must accept. Default: a clean session. */
  async connect(
    clientId: string,
    options: ConnectOptions = {},
  ): Promise<RawConnection> {
    return (await this.connack(clientId, options)).client;
  }

  /** Connects with a session that is kept after the connection. */
  async resume(
    clientId: string,
    options: ConnectOptions = {},
  ): Promise<RawConnection> {
    return (await this.connack(clientId, kept(options))).client;
  }

  /** Returns true if the broker has a session. Keeps it. */
  async hasSession(clientId: string): Promise<boolean> {
    const { client, connack } = await this.connack(clientId, kept({}));
    await client.disconnect();
    return connack.sessionPresent;
  }

  /** As {@linkcode connect}, with the CONNACK. */
  async connack(
    clientId: string,
    options: ConnectOptions = {},
  ): Promise<{ client: RawConnection; connack: IConnackPacket }> {
    const client = await this.dial();
    await client.connect(clientId, { version: this.version, ...options });
    const connack = await receive(client, "connack");
    assert.equal(codeOf(connack), 0, "the code of CONNACK");
    return { client, connack };
  }

  /** Sends bytes in place of CONNECT and returns the code of CONNACK. */
  async refusal(bytes: Uint8Array): Promise<number | undefined> {
    const client = await this.dial();
    await client.write(bytes);
    const packets = await closed(client);
    assert.ok(packets.length < 2, packets.map(({ cmd }) => cmd).join());
    const [packet] = packets;
    if (packet === undefined) return undefined;
    assert.equal(packet.cmd, "connack");
    const code = codeOf(packet as IConnackPacket);
    assert.notEqual(code, 0, "the code of CONNACK");
    return code;
  }

  /**
   * Sends a CONNECT that the broker must refuse. In MQTT 5 it may send CONNACK
   * before it closes (4.13.1).
   *
   * @param codes allowed codes of the CONNACK
   */
  async refuses(bytes: Uint8Array, ...codes: number[]): Promise<void> {
    const code = await this.refusal(bytes);
    if (code === undefined) return;
    assert.equal(this.version, 5, `CONNACK ${code}`);
    assert.ok(codes.includes(code), `CONNACK ${code}`);
  }

  /** Connects a client that sends bytes: the broker must close. */
  async mustClose(bytes: Uint8Array, ...reasons: number[]): Promise<void> {
    const client = await this.connect("closed");
    await client.write(bytes);
    await this.closes(client, ...reasons);
  }

  /**
   * Waits until the broker closes the connection. In MQTT 5 the broker may send
   * DISCONNECT before that; the embedded one does.
   *
   * @param reasons allowed codes of the DISCONNECT. Default: any of an error
   */
  async closes(client: RawConnection, ...reasons: number[]): Promise<void> {
    if (!client.closed) await isSoonClosed(client);
    await this.ends(client, ...reasons);
  }

  /** As {@linkcode closes}, while the client sends nothing. */
  async ends(client: RawConnection, ...reasons: number[]): Promise<void> {
    const last = (await closed(client)).at(-1);
    if (this.version === 4) {
      return assert.notEqual(last?.cmd, "disconnect", "DISCONNECT in 3.1.1");
    }
    if (last?.cmd !== "disconnect") {
      return assert.equal(this.subject, "mosquitto", "closed, no DISCONNECT");
    }
    const code = last.reasonCode ?? 0;
    const hex = `DISCONNECT 0x${code.toString(16)}`;
    if (reasons.length === 0) assert.ok(code >= 0x80, hex);
    else assert.ok(reasons.includes(code), hex);
  }

  /** Publishes and completes the exchange of acknowledgements. */
  async publish(
    client: RawConnection,
    topic: string,
    payload: string | Uint8Array = "x",
    options: PublishOptions = {},
  ): Promise<number> {
    const { qos = 0, id = this.#nextId++ } = options;
    await client.publish(topic, payload, { ...options, qos, id });
    if (qos === 0) {
      await ping(client);
      return 0;
    }
    if (qos === 1) return codeOf(await receive(client, "puback"));
    const code = codeOf(await receive(client, "pubrec"));
    if (code >= 0x80) return code;
    await client.send({ cmd: "pubrel", messageId: id });
    await receive(client, "pubcomp");
    return code;
  }

  /** Subscribes and returns the codes of SUBACK. */
  async subscribe(
    client: RawConnection,
    filters: string | readonly Subscription[],
    { qos = 0, identifier }: { qos?: QoS; identifier?: number } = {},
  ): Promise<number[]> {
    const list = typeof filters === "string" ? [{ topic: filters }] : filters;
    const messageId = this.#nextId++;
    await client.send({
      cmd: "subscribe",
      messageId,
      subscriptions: list.map((one) => ({
        ...{ qos, nl: false, rap: false, rh: 0 },
        ...one,
      })),
      ...(identifier !== undefined &&
        { properties: { subscriptionIdentifier: identifier } }),
    });
    const suback = await receive(client, "suback");
    assert.equal(suback.messageId, messageId);
    return suback.granted as number[];
  }

  /** Unsubscribes and returns the codes of UNSUBACK; none in MQTT 3.1.1. */
  async unsubscribe(
    client: RawConnection,
    ...unsubscriptions: string[]
  ): Promise<readonly number[]> {
    const messageId = this.#nextId++;
    await client.send({ cmd: "unsubscribe", messageId, unsubscriptions });
    const unsuback = await receive(client, "unsuback");
    assert.equal(unsuback.messageId, messageId);
    return this.version === 5 ? unsuback.granted : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
  }
}

function kept(options: ConnectOptions): ConnectOptions {
  const { properties, ...rest } = options;
  return {
    ...{ clean: false, ...rest },
    properties: { sessionExpiryInterval: KEEP_S, ...properties },
  };
}

/** Returns the code of an acknowledgement or a CONNACK. */
export function codeOf(
  packet: { reasonCode?: number; returnCode?: number },
): number {
  return packet.reasonCode ?? packet.returnCode ?? 0;
}

/** Waits for a packet of a type; keeps those before it. */
export async function receive<C extends Packet["cmd"]>(
  client: RawConnection,
  cmd: C,
): Promise<PacketOf<C>> {
  return await until(() => {
    const at = client.packets.findIndex((packet) => packet.cmd === cmd);
    if (at >= 0) return client.packets.splice(at, 1)[0] as PacketOf<C>;
    if (client.closed) throw new Error(`closed before ${cmd}`);
  }, {
    deadline: timeoutMs,
    changed: () => client.changed(),
    what: () => `${cmd}, but ${client.packets.map(({ cmd }) => cmd)}`,
  });
}

/** Waits until the broker has handled what the client has sent. */
export async function ping(client: RawConnection): Promise<void> {
  await client.send({ cmd: "pingreq" });
  await receive(client, "pingresp");
}

/** Waits until the broker closes the connection; returns its last packets. */
export async function closed(client: RawConnection): Promise<Packet[]> {
  await until(() => client.closed, {
    deadline: timeoutMs,
    changed: () => client.changed(),
    what: () => `the end, but ${client.packets.map(({ cmd }) => cmd)}`,
  });
  const packets: Packet[] = [];
  for (let next; (next = await client.next()) !== undefined;) {
    packets.push(next);
  }
  return packets;
}

/**
 * Waits for the end of the connection; fails without the timeout if the broker
 * goes on to answer.
 */
async function isSoonClosed(client: RawConnection): Promise<void> {
  const changed = () => client.changed();
  const soon = until(() => client.closed, { deadline: soonMs, changed });
  if (await soon.catch(() => false)) return;
  await client.send({ cmd: "pingreq" }).catch(() => {});
  const answered = () => client.packets.some(({ cmd }) => cmd === "pingresp");
  await until(() => client.closed || answered(), {
    deadline: timeoutMs,
    changed,
  });
  assert.ok(!answered(), "the broker goes on");
}

/** Closes the connection without DISCONNECT. */
export async function drop(client: RawConnection): Promise<void> {
  await client[Symbol.asyncDispose]();
}

/** Returns the messages that the broker has sent so far. */
export async function messages(
  client: RawConnection,
): Promise<PublishPacket[]> {
  await ping(client);
  return client.takeReceived("publish");
}

/** Waits for the next message. */
export function message(client: RawConnection): Promise<PublishPacket> {
  return receive(client, "publish");
}

/** Returns the payloads of messages as text. */
export function texts(packets: readonly PublishPacket[]): string[] {
  return packets.map(({ payload }) => payload.toString());
}

/** Completes the exchange of acknowledgements for a received message. */
export async function acknowledge(
  client: RawConnection,
  { qos, messageId = 0 }: PublishPacket,
): Promise<void> {
  if (qos === 1) await client.send({ cmd: "puback", messageId });
  if (qos < 2) return;
  await client.send({ cmd: "pubrec", messageId });
  await receive(client, "pubrel");
  await client.send({ cmd: "pubcomp", messageId });
}
