/** The kept state of the broker: what is read back is what was set. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Message } from "../../../src/broker/message.ts";
import type {
  KeptDelivery,
  KeptSession,
} from "../../../src/broker/persistence/persistence.ts";
import { StoredState } from "../../../src/broker/persistence/stored_state.ts";
import {
  type RecordOwner,
  type Records,
  StoreError,
} from "../../../src/store/store.ts";

/** Records in memory: what a database would contain. */
class MemoryRecords implements Records {
  readonly values = new Map<number, Uint8Array<ArrayBuffer>>();
  #lastId = 0;

  load() {
    return [...this.values];
  }

  add(_owner: RecordOwner, encode: () => Uint8Array<ArrayBuffer>): number {
    this.values.set(++this.#lastId, encode());
    return this.#lastId;
  }

  replace(id: number, encode: () => Uint8Array<ArrayBuffer>): void {
    assert.ok(this.values.has(id));
    this.values.set(id, encode());
  }

  delete(id: number): void {
    assert.ok(this.values.delete(id));
  }

  bind(): void {}

  afterCommit(callback: (counts: boolean) => void): void {
    callback(true);
  }

  /** A database that is opened again. */
  reopened(): MemoryRecords {
    const records = new MemoryRecords();
    for (const [id, value] of this.values) records.values.set(id, value);
    records.#lastId = this.#lastId;
    return records;
  }
}

const message = (topic: string, payload = "p", extra = {}): Message => ({
  topic,
  payload: new TextEncoder().encode(payload),
  qos: 1,
  retain: false,
  properties: undefined,
  expiresAt: undefined,
  publisher: "a",
  holders: 0,
  ...extra,
});

const session = (clientId: string, extra = {}): KeptSession => ({
  clientId,
  user: undefined,
  expiry: 60,
  disconnectedAt: undefined,
  subscriptions: [],
  receivedIds: [],
  ...extra,
});

const delivery = (
  sequence: number,
  of: Message,
  extra = {},
): KeptDelivery => ({
  message: of,
  qos: 1,
  retain: false,
  subscriptionIds: undefined,
  sequence,
  packetId: 0,
  released: false,
  share: undefined,
  ...extra,
});

function loaded(records: MemoryRecords) {
  const { retained, sessions, wills } = new StoredState(records.reopened())
    .load();
  return {
    retained: [...retained],
    sessions: [...sessions],
    wills: [...wills],
  };
}

function started() {
  const records = new MemoryRecords();
  const state = new StoredState(records);
  state.load();
  return { records, state };
}

Deno.test({
  name: "retained messages are set, replaced and deleted",
  permissions: "none",
  fn: () => {
    const { records, state } = started();
    const first = message("a", "1", {
      retain: true,
      expiresAt: 17,
      properties: new Uint8Array([3, 0, 1, 65]),
    });
    state.setRetained("b", message("b", "2", { publisher: undefined }));
    state.setRetained("a", message("a", "0"));
    state.setRetained("a", first);
    state.setRetained("b", undefined);
    state.setRetained("never", undefined);
    assert.deepEqual(loaded(records).retained, [first]);
  },
});

Deno.test({
  name: "sessions are kept with their subscriptions and deliveries, in order",
  permissions: "none",
  fn: () => {
    const { records, state } = started();
    const subscription = {
      filter: "$share/g/a/+",
      qos: 2,
      noLocal: true,
      retainAsPublished: false,
      retainHandling: 1,
      subscriptionId: 5,
    } as const;
    const kept = session("c\n", {
      user: "u",
      expiry: Infinity,
      disconnectedAt: 3,
      subscriptions: [subscription],
      receivedIds: [1, 65535],
    });
    const shared = message("a/b");
    state.setSession(session("other"));
    state.setSession(kept);
    state.setDelivery("c\n", delivery(2, shared, { subscriptionIds: [5] }));
    state.setDelivery("other", delivery(1, shared));
    state.setDelivery("c\n", delivery(1, message("x"), { qos: 2 }));
    const sent = delivery(1, message("x"), { packetId: 9, released: true });
    state.setDelivery("c\n", sent);
    state.deleteSession("other");
    assert.deepEqual(loaded(records).sessions, [{
      ...kept,
      deliveries: [sent, delivery(2, shared, { subscriptionIds: [5] })],
    }]);
  },
});

Deno.test({
  name: "a message to many sessions is stored once, until all have it",
  permissions: "none",
  fn: () => {
    const { records, state } = started();
    const large = message("t", "x".repeat(10_000));
    const clients = Array.from({ length: 100 }, (_, i) => `client-${i}`);
    for (const client of clients) {
      state.setSession(session(client));
      state.setDelivery(client, delivery(1, large));
    }
    const size = [...records.values.values()]
      .reduce((sum, { length }) => sum + length, 0);
    assert.ok(size < 60_000, `${size}`);
    const { sessions } = loaded(records);
    assert.equal(sessions.length, 100);
    assert.equal(
      sessions[0]!.deliveries[0]!.message,
      sessions[99]!.deliveries[0]!.message,
    );
    for (const client of clients) state.deleteDelivery(client, 1);
    assert.equal(records.values.size, 100);
    for (const client of clients) state.deleteSession(client);
    assert.equal(records.values.size, 0);
  },
});

Deno.test({
  name: "wills that wait are kept until they are deleted",
  permissions: "none",
  fn: () => {
    const { records, state } = started();
    const will = {
      ...{ clientId: "a", delay: 3, due: 5, message: message("w") },
      ...{ user: "eve", expiryInterval: 7 },
    };
    state.setWill("a", { ...will, due: undefined });
    state.setWill("a", will);
    state.setWill("b", { ...will, clientId: "b" });
    state.setWill("b", undefined);
    assert.deepEqual(loaded(records).wills, [will]);
  },
});

Deno.test({
  name:
    "after any changes, the next start deletes and replaces the same records",
  permissions: "none",
  fn: () => {
    const clients = ["a", "b", "c"];
    const messages = Array.from({ length: 5 }, (_, i) => message(`t${i}`));
    const change = fc.tuple(
      fc.constantFrom("deliver", "delete", "end", "restart"),
      fc.constantFrom(...clients),
      fc.nat(4),
    );
    fc.assert(fc.property(fc.array(change), (changes) => {
      let records = new MemoryRecords();
      let state = new StoredState(records);
      state.load();
      const model = new Map<string, Map<number, string>>();
      for (const [kind, client, n] of changes) {
        if (kind === "restart") {
          records = records.reopened();
          state = new StoredState(records);
          state.load();
        } else if (kind === "end") {
          state.deleteSession(client);
          model.delete(client);
        } else if (kind === "delete") {
          state.deleteDelivery(client, n);
          model.get(client)?.delete(n);
        } else {
          if (!model.has(client)) {
            state.setSession(session(client));
            model.set(client, new Map());
          }
          if (model.get(client)!.has(n)) continue;
          state.setDelivery(client, delivery(n, messages[n]!));
          model.get(client)!.set(n, messages[n]!.topic);
        }
      }
      const read = new Map(
        loaded(records).sessions.map(({ clientId, deliveries }) => [
          clientId,
          new Map(deliveries.map((d) => [d.sequence, d.message.topic])),
        ]),
      );
      assert.deepEqual(read, model);
      for (const client of clients) state.deleteSession(client);
      assert.equal(records.values.size, 0, "nothing is left behind");
    }));
  },
});

Deno.test({
  name: "a record of another version is an error with a hint",
  permissions: "none",
  fn: () => {
    for (const bytes of [[], [99, 0, 0, 0, 0], [1, 9, 0, 0, 0, 123]]) {
      const records = new MemoryRecords();
      records.values.set(1, new Uint8Array(bytes));
      assert.throws(
        () => new StoredState(records).load(),
        (error) => error instanceof StoreError && error.hint !== undefined,
      );
    }
  },
});
