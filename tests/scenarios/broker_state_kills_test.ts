/**
 * A server that is killed at random moments: the embedded broker delivers each
 * acknowledged message, and each message at QoS 2 exactly once.
 */
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { Random } from "../../src/simulate/random.ts";
import { needs } from "../support/needs.ts";
import type { Packet, PublishPacket } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { startBroker } from "./broker_state_support.ts";

const ROUNDS = 20;
/** The longest time from the first message of a round to the kill, ms. */
const MAX_ROUND_MS = 120;
const WINDOW = 30;
const TOPICS = ["once/plain", "occupancy/data", "least/plain", "kept"] as const;
const LAST = "last";

interface Unacknowledged {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 1 | 2;
  isReceived: boolean;
}

/** Publishes numbers, and sends again what was not acknowledged. */
class Sender {
  readonly #unacknowledged = new Map<number, Unacknowledged>();
  /** Numbers that were acknowledged, by topic. */
  readonly acknowledged = new Map<string, string[]>(
    TOPICS.map((topic) => [topic, []]),
  );
  /** The number that was sent last. */
  last = 0;
  #lastId = 0;
  /** Stops sending new messages. */
  isDone = false;

  get isIdle(): boolean {
    return this.#unacknowledged.size === 0;
  }

  /** Sends until the connection ends, or all is acknowledged at the end. */
  async run(port: number): Promise<void> {
    await using raw = await connect(port, "sender", this.last > 0);
    try {
      for (const [id, message] of this.#unacknowledged) {
        await this.#send(raw, id, message, true);
      }
      while (!raw.closed && !(this.isDone && this.isIdle)) {
        if (!this.isDone && this.#unacknowledged.size < WINDOW) {
          await this.#sendNext(raw);
        } else await this.#take(raw, await raw.next());
        while (raw.packets.length > 0) await this.#take(raw, await raw.next());
      }
    } catch (error) {
      if (!raw.closed && !isLoss(error)) throw error;
    }
  }

  async #sendNext(raw: RawConnection): Promise<void> {
    do this.#lastId = this.#lastId % 65_535 + 1; while (
      this.#unacknowledged.has(this.#lastId)
    );
    const number = ++this.last;
    const topic = TOPICS[number % TOPICS.length]!;
    const message: Unacknowledged = {
      topic,
      payload: topic === "occupancy/data" ? `${number},0,1` : `${number}`,
      qos: topic === "least/plain" || topic === "kept" ? 1 : 2,
      isReceived: false,
    };
    this.#unacknowledged.set(this.#lastId, message);
    await this.#send(raw, this.#lastId, message, false);
  }

  async #send(
    raw: RawConnection,
    id: number,
    { topic, payload, qos, isReceived }: Unacknowledged,
    dup: boolean,
  ): Promise<void> {
    if (isReceived) return await raw.send({ cmd: "pubrel", messageId: id });
    await raw.publish(topic, payload, {
      qos,
      id,
      dup,
      retain: topic === "kept",
    });
  }

  async #take(raw: RawConnection, packet: Packet | undefined): Promise<void> {
    const id = packet?.messageId;
    const message = this.#unacknowledged.get(id!);
    if (packet === undefined || message === undefined) return;
    if (packet.cmd === "pubrec") {
      if (!message.isReceived) this.#acknowledge(message);
      message.isReceived = true;
      return await raw.send({ cmd: "pubrel", messageId: id! });
    }
    if (packet.cmd === "puback") this.#acknowledge(message);
    else assert.equal(packet.cmd, "pubcomp");
    this.#unacknowledged.delete(id!);
  }

  #acknowledge({ topic, payload }: Unacknowledged): void {
    this.acknowledged.get(topic)!.push(payload);
  }
}

/** Receives all topics, with a session that is kept. */
class Reader {
  readonly received = new Map<string, string[]>(
    TOPICS.map((topic) => [topic, []]),
  );
  /** Ids at QoS 2 that were not released. */
  readonly #ids = new Set<number>();
  #lasts = 0;

  async subscribe(port: number): Promise<void> {
    await using raw = await connect(port, "reader", false);
    await raw.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: TOPICS.map((topic) => ({ topic, qos: 2 })),
    });
    await raw.expect("suback");
  }

  /** Receives until the connection ends, or all is received at the end. */
  async run(port: number): Promise<void> {
    await using raw = await connect(port, "reader", true);
    try {
      for await (const packet of raw) {
        await this.#take(raw, packet);
        if (this.#lasts === 2) return;
      }
    } catch (error) {
      if (!raw.closed && !isLoss(error)) throw error;
    }
  }

  async #take(raw: RawConnection, packet: Packet): Promise<void> {
    const messageId = packet.messageId!;
    if (packet.cmd === "pubrel") {
      this.#ids.delete(messageId);
      return await raw.send({ cmd: "pubcomp", messageId });
    }
    assert.equal(packet.cmd, "publish");
    const { topic, payload, qos } = packet as PublishPacket;
    const isRepeated = qos === 2 && this.#ids.has(messageId);
    if (qos === 2) this.#ids.add(messageId);
    if (!isRepeated) this.received.get(topic)!.push(payload.toString());
    if (payload.toString() === LAST) this.#lasts++;
    const cmd = qos === 2 ? "pubrec" : "puback";
    await raw.send({ cmd, messageId });
  }
}

/** Connects with a session that is kept. */
async function connect(
  port: number,
  clientId: string,
  isPresent: boolean,
): Promise<RawConnection> {
  const raw = await RawConnection.open(port, clientId, { clean: false });
  if (isPresent) assert.ok(raw.sessionPresent, `session of ${clientId}`);
  return raw;
}

function isLoss(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted;
}

/** Asserts that a retained message is not older than the acknowledged one. */
async function checkRetained(port: number, sender: Sender): Promise<void> {
  const acknowledged = Number(sender.acknowledged.get("kept")!.at(-1) ?? 0);
  if (acknowledged === 0) return;
  await using raw = await RawConnection.open(port, "judge");
  await raw.subscribe("kept", 1);
  const { payload, retain } = await raw.take("publish");
  const value = Number(payload.toString());
  assert.ok(retain);
  assert.ok(acknowledged <= value && value <= sender.last, `${value}`);
}

const numberOf = (payload: string) => Number.parseInt(payload);

for (const durability of ["fsync", "commit"]) {
  Deno.test({
    name:
      `a server that is killed at ${ROUNDS} random moments delivers what was acknowledged (${durability})`,
    ...needs(),
    fn: async () => {
      const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
      const random = new Random(seed);
      await using folder = await tempDir();
      await using server = await startBroker(folder.path, [
        ...["--durability", durability, "--mqtt-queue", "1000000"],
      ]);
      const sender = new Sender();
      const reader = new Reader();
      await reader.subscribe(server.port);
      for (let round = 0; round < ROUNDS; round++) {
        const { port } = server;
        const running = [sender.run(port)];
        // Else its messages wait in the store.
        if (random.unit() < 0.6) running.push(reader.run(port));
        const before = sender.last;
        await until(() => sender.last > before);
        await delay(random.unit() * MAX_ROUND_MS);
        await server.kill();
        await Promise.all(running);
        await server.start();
        await checkRetained(port, sender);
      }
      sender.isDone = true;
      await sender.run(server.port);
      await using end = await RawConnection.open(server.port, "end");
      // Each QoS has an order of its own (4.6).
      await end.publish("least/plain", LAST, { qos: 1, id: 1 });
      await end.publish("once/plain", LAST, { qos: 2, id: 2 });
      await end.expect("puback");
      await end.expect("pubrec");
      await reader.run(server.port);

      for (const topic of TOPICS) {
        const acknowledged = sender.acknowledged.get(topic)!;
        const received = reader.received.get(topic)!
          .filter((payload) => payload !== LAST);
        assert.ok(acknowledged.length > ROUNDS, `${acknowledged.length}`);
        const all = new Set(received);
        const lost = acknowledged.filter((payload) => !all.has(payload));
        const text = `${topic}, seed ${seed}`;
        assert.deepEqual(lost, [], `lost: ${text}`);
        const firsts = [...all].map(numberOf);
        assert.deepEqual(firsts, firsts.toSorted((a, b) => a - b), text);
        if (topic === "once/plain" || topic === "occupancy/data") {
          assert.equal(received.length, all.size, `doubled: ${text}`);
        }
      }
    },
  });
}
