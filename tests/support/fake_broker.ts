/** A broker whose answers the test defines packet by packet. */
import type { IConnackPacket, ISubscribePacket } from "mqtt-packet";
import { encode } from "./packets.ts";
import { RawConnection } from "./raw_connection.ts";

/** Answers to a CONNECT of each protocol version. */
export interface Answers {
  /** MQTT 5. Default: refused, as by a broker of MQTT 3.1.1. */
  readonly five?: Uint8Array | "hang up";
  /** MQTT 3.1.1. Default: accepted. */
  readonly four?: Uint8Array | "hang up";
}

/** Encodes a CONNACK of MQTT 3.1.1 (3.2). */
export function connack4(returnCode = 0, sessionPresent = false): Uint8Array {
  return encode({ cmd: "connack", returnCode, sessionPresent }, 4);
}

/** Encodes a CONNACK of MQTT 5 (3.2). */
export function connack5(
  reasonCode = 0,
  properties: NonNullable<IConnackPacket["properties"]> = {},
): Uint8Array {
  return encode(
    { cmd: "connack", reasonCode, sessionPresent: false, properties },
    5,
  );
}

const UNSUPPORTED_VERSION = 1; // MQTT 3.1.1, 3.2.2.3

/** Listens on the loopback. The test accepts the connections one by one. */
export class FakeBroker implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #answers: Answers;
  readonly #connections: RawConnection[] = [];
  #closed = false;

  constructor(answers: Answers = {}) {
    this.#answers = answers;
  }

  get url(): string {
    const { port } = this.#listener.addr as Deno.NetAddr;
    return `mqtt://127.0.0.1:${port}`;
  }

  /** Accepts the next TCP connection and sends nothing. */
  async accept(): Promise<RawConnection> {
    const connection = new RawConnection(await this.#listener.accept());
    this.#connections.push(connection);
    return connection;
  }

  /** Answers CONNECTs until it has accepted one. */
  async acceptClient(): Promise<RawConnection> {
    for (;;) {
      const connection = await this.accept();
      const { protocolVersion } = await connection.take("connect");
      const { five = connack4(UNSUPPORTED_VERSION), four = connack4() } =
        this.#answers;
      const answer = protocolVersion === 5 ? five : four;
      if (answer !== "hang up") {
        await connection.write(answer);
        if (answer[3] === 0) return connection; // the code, in both versions
      }
      await connection[Symbol.asyncDispose]();
    }
  }

  /** As {@linkcode acceptClient}; also answers a SUBSCRIBE to one filter. */
  async acceptSubscriber(grant = 1): Promise<RawConnection> {
    const connection = await this.acceptClient();
    await grantSubscription(
      connection,
      await connection.take("subscribe"),
      grant,
    );
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const connection of this.#connections) {
      await connection[Symbol.asyncDispose]();
    }
  }
}

/** Answers a SUBSCRIBE with one code for each filter. */
export async function grantSubscription(
  connection: RawConnection,
  { messageId, subscriptions }: ISubscribePacket,
  grant = 1,
): Promise<void> {
  await connection.send({
    cmd: "suback",
    messageId: messageId!,
    granted: subscriptions.map(() => grant),
  });
}
