/** A broker that does exactly what a test says, byte by byte. */
import {
  encodePacket,
  encodePublish,
  Packet,
  RawConnection,
  type RawPacket,
} from "./raw_mqtt.ts";

/** What the broker answers to a CONNECT of each version: bytes, or it hangs up. */
export interface Answers {
  /** MQTT 5. Default: refused, as a broker of 3.1.1 does. */
  readonly five?: Uint8Array | "hang up";
  /** MQTT 3.1.1. Default: accepted. */
  readonly four?: Uint8Array | "hang up";
}

/** CONNACK of MQTT 3.1.1 (3.2). */
export function connack4(code = 0): Uint8Array {
  return encodePacket(Packet.connack, Uint8Array.of(0, code));
}

/** CONNACK of MQTT 5 (3.2), with properties. */
export function connack5(
  code = 0,
  properties: readonly number[] = [],
): Uint8Array {
  return encodePacket(
    Packet.connack,
    Uint8Array.of(0, code, properties.length, ...properties),
  );
}

const UNSUPPORTED = 1; // MQTT 3.1.1, 3.2.2.3
const PROTOCOL_LEVEL = 6; // behind the name "MQTT" and its length

/** Listens on the loopback, and lets clients in one by one. */
export class FakeBroker implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #answers: Answers;
  readonly #open: RawConnection[] = [];
  #closed = false;

  constructor(answers: Answers = {}) {
    this.#answers = answers;
  }

  get url(): string {
    const { port } = this.#listener.addr as Deno.NetAddr;
    return `mqtt://127.0.0.1:${port}`;
  }

  /** The next connection, whatever it says. */
  async accept(): Promise<RawConnection> {
    const raw = new RawConnection(await this.#listener.accept());
    this.#open.push(raw);
    return raw;
  }

  /** Lets the next client in that speaks a version which is accepted. */
  async admit(): Promise<RawConnection> {
    for (;;) {
      const raw = await this.accept();
      const { body } = await raw.take(Packet.connect);
      const { five = connack4(UNSUPPORTED), four = connack4() } = this.#answers;
      const answer = body[PROTOCOL_LEVEL] === 5 ? five : four;
      if (answer !== "hang up") await raw.write(answer);
      const code = answer === "hang up" ? -1 : answer[3];
      if (code === 0) return raw;
      await raw[Symbol.asyncDispose]();
    }
  }

  /** As {@linkcode admit}, and grants what the client subscribes to. */
  async admitSubscriber(grant = 1): Promise<RawConnection> {
    const raw = await this.admit();
    await grantSubscription(raw, await raw.take(Packet.subscribe), grant);
    return raw;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const raw of this.#open) await raw[Symbol.asyncDispose]();
  }
}

/** Answers a SUBSCRIBE to one filter with a SUBACK of MQTT 3.1.1 (3.9). */
export async function grantSubscription(
  raw: RawConnection,
  { body }: RawPacket,
  grant = 1,
): Promise<void> {
  const answer = Uint8Array.of(body[0]!, body[1]!, grant);
  await raw.write(encodePacket(Packet.suback, answer));
}

/** PUBLISH packets at QoS 1 with the ids from 1 on; the payload says which. */
export function numbered(topic: string, count: number): Uint8Array[] {
  return Array.from(
    { length: count },
    (_, i) => encodePublish(topic, String(i + 1), { qos: 1, id: i + 1 }),
  );
}
