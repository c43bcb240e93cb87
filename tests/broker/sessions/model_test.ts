/**
 * A session under random events against a model: a correct client, which knows
 * what it must receive.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Message } from "../../../src/broker/message.ts";
import type { Outlet } from "../../../src/broker/sessions/outlet.ts";
import type { QoS } from "../../../src/mqtt/link.ts";
import { message, restarted, type TestRouter } from "./harness.ts";
import { StagedTestRecords } from "./staged_records.ts";

/** What a client sends. */
type Answer =
  | { readonly type: "puback" | "pubcomp"; readonly packetId: number }
  | { readonly type: "pubrec"; readonly packetId: number };

/** A client that follows the specification and checks that the broker does. */
class ModelClient {
  /** Texts in the order of the deliveries to the application. */
  readonly delivered: { readonly text: string; readonly qos: QoS }[] = [];
  /** QoS 2 messages that were not released (4.3.3), by packet id. */
  readonly #received = new Map<number, string>();
  connection: ModelConnection | undefined;

  connect(receiveMaximum: number): ModelConnection {
    return this.connection = new ModelConnection(this, receiveMaximum);
  }

  /** Receives a PUBLISH. Returns the answer. */
  receive(text: string, qos: QoS, packetId: number, dup: boolean): Answer {
    if (qos === 1) {
      this.delivered.push({ text, qos });
      return { type: "puback", packetId };
    }
    const before = this.#received.get(packetId);
    if (before === undefined) {
      this.delivered.push({ text, qos });
      this.#received.set(packetId, text);
    } else {
      assert.equal(before, text, "a packet id in use is not reused");
      assert.ok(dup, "DUP is set when it is sent again");
    }
    return { type: "pubrec", packetId };
  }

  release(packetId: number): Answer {
    this.#received.delete(packetId);
    return { type: "pubcomp", packetId };
  }
}

/** A connection of the client. */
class ModelConnection implements Outlet {
  readonly hasRoom = true;
  /** What the client has not sent yet. */
  readonly answers: Answer[] = [];
  /** PUBLISHes that count against Receive Maximum (MQTT 5, 4.9). */
  readonly #unacknowledged = new Set<number>();

  constructor(
    readonly client: ModelClient,
    readonly receiveMaximum: number,
  ) {}

  sendPublish(
    { payload }: Message,
    qos: QoS,
    _retain: boolean,
    _ids: readonly number[] | undefined,
    packetId: number,
    dup: boolean,
  ): boolean {
    assert.equal(this.client.connection, this, "only the present connection");
    assert.ok(!this.#unacknowledged.has(packetId), "ids are unique in flight");
    this.#unacknowledged.add(packetId);
    assert.ok(this.#unacknowledged.size <= this.receiveMaximum, "the window");
    const text = new TextDecoder().decode(payload);
    this.answers.push(this.client.receive(text, qos, packetId, dup));
    return true;
  }

  queued(): void {}

  sendPubrel(packetId: number, reason: 0 | 0x92): void {
    assert.equal(this.client.connection, this, "only the present connection");
    assert.equal(reason, 0, "the broker knows the packet id");
    this.answers.push(this.client.release(packetId));
  }

  /** The client sends its next answer. */
  next(): Answer | undefined {
    const answer = this.answers.shift();
    if (answer !== undefined && answer.type !== "pubrec") {
      this.#unacknowledged.delete(answer.packetId);
    }
    return answer;
  }

  disconnect(): void {}
}

/** The broker, its store, and the client. */
class Scene {
  readonly client = new ModelClient();
  readonly #limits;
  #records = new StagedTestRecords();
  #test: TestRouter;
  #texts = 0;
  /** Published texts; those that a crash may have lost are not certain. */
  readonly published: { text: string; qos: QoS; isCertain: boolean }[] = [];

  constructor(limits: { maxMessages?: number; maxInFlight?: number }) {
    this.#limits = limits;
    this.#test = restarted(this.#records.persistence(), limits);
    this.connect(10);
    const { session } = this.#session();
    this.#test.router.subscribe(session, {
      ...{ filter: "t/#", qos: 2, noLocal: false, retainAsPublished: false },
      ...{ retainHandling: 0, subscriptionId: undefined },
    });
    this.#records.commit();
  }

  get router() {
    return this.#test.router;
  }

  connect(receiveMaximum: number): void {
    const outlet = this.client.connect(receiveMaximum);
    const { session } = this.#test.router.sessions.connect({
      identity: { clientId: "a", user: undefined, isAdministrator: false },
      cleanStart: false,
      expiry: 3600,
      will: undefined,
      outlet,
    });
    session!.resume();
  }

  disconnect(): void {
    const { connection } = this.client;
    if (connection === undefined) return;
    this.client.connection = undefined;
    this.router.sessions.disconnect(this.#session().session, connection, {
      publishWill: false,
    });
  }

  publish(qos: QoS): void {
    const text = String(++this.#texts);
    this.published.push({ text, qos, isCertain: false });
    this.router.publish(message(`t/${qos}`, text, { qos }));
  }

  answer(): boolean {
    const answer = this.client.connection?.next();
    if (answer === undefined) return false;
    const { session } = this.#session();
    const { type, packetId } = answer;
    if (type === "puback") assert.ok(session.acknowledged(packetId));
    else if (type === "pubrec") assert.ok(session.received(packetId));
    else assert.ok(session.completed(packetId));
    return true;
  }

  commit(): void {
    this.#records.commit();
    for (const one of this.published) one.isCertain = true;
  }

  crash(): void {
    this.client.connection = undefined;
    this.#records = this.#records.crashed();
    this.#test = restarted(this.#records.persistence(), this.#limits);
    // The publisher would send these again: not part of this test.
    for (let i = this.published.length; i-- > 0;) {
      if (!this.published[i]!.isCertain) this.published.splice(i, 1);
    }
  }

  /** Delivers all that is left. */
  finish(): void {
    if (this.client.connection === undefined) this.connect(3);
    for (let i = 0; i < 100_000; i++) {
      this.commit();
      if (!this.answer()) break;
    }
    assert.equal(this.#session().session.queue.length, 0);
    assert.equal(this.router.sessions.budget.bytes, 0);
    assert.equal(this.router.sessions.budget.messages, 0);
    // The session itself is the only record.
    assert.equal(this.#records.size, 1);
  }

  #session() {
    return { session: this.router.sessions.get("a")! };
  }
}

const event = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("publish 1", "publish 2") },
  { weight: 8, arbitrary: fc.constant("answer") },
  { weight: 3, arbitrary: fc.constant("commit") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "connect 1",
      "connect 3",
      "connect 100",
      "disconnect",
    ),
  },
  { weight: 1, arbitrary: fc.constant("crash") },
);

function run(scene: Scene, events: readonly string[]): void {
  for (const event of events) {
    const [name, number] = event.split(" ");
    if (name === "publish") scene.publish(number === "1" ? 1 : 2);
    else if (name === "answer") scene.answer();
    else if (name === "commit") scene.commit();
    else if (name === "connect") scene.connect(Number(number));
    else if (name === "disconnect") scene.disconnect();
    else scene.crash();
  }
}

/** The texts in the order in which they were first delivered. */
function firsts(scene: Scene, qos: QoS): string[] {
  const texts = scene.client.delivered.filter((one) => one.qos === qos)
    .map(({ text }) => text);
  return [...new Set(texts)];
}

Deno.test({
  name:
    "a session loses nothing, keeps the order, the window and the ids, and delivers QoS 2 once",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 120, size: "max" }),
        (events) => {
          const scene = new Scene({ maxInFlight: 7 });
          run(scene, events);
          scene.finish();
          for (const qos of [1, 2] as const) {
            const certain = scene.published.filter((one) => one.qos === qos)
              .map(({ text }) => text);
            const texts = firsts(scene, qos);
            // What a crash lost may have been delivered before.
            assert.deepEqual(
              texts.filter((text) => certain.includes(text)),
              certain,
            );
          }
          const twice = scene.client.delivered.filter(({ qos }) => qos === 2);
          assert.equal(twice.length, firsts(scene, 2).length);
        },
      ),
      { numRuns: 500 },
    );
  },
});

Deno.test({
  name:
    "a session that is too small drops messages, counts them, and no others",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 120, size: "max" }),
        (events) => {
          const scene = new Scene({ maxInFlight: 3, maxMessages: 4 });
          run(scene, events.filter((event) => event !== "crash"));
          scene.finish();
          const seen = [...firsts(scene, 1), ...firsts(scene, 2)];
          assert.equal(
            seen.length + scene.router.counters.publishDropped,
            scene.published.length,
          );
          for (const qos of [1, 2] as const) {
            const texts = firsts(scene, qos).map(Number);
            assert.deepEqual(texts, texts.toSorted((a, b) => a - b));
          }
        },
      ),
      { numRuns: 300 },
    );
  },
});
