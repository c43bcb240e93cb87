import { deepEqual, equal } from "node:assert/strict";
import { Output } from "../../../src/broker/connections/output.ts";
import { Counters } from "../../../src/broker/sys/counters.ts";
import { UnsentBudget } from "../../../src/broker/connections/unsent_budget.ts";
import type { Transport } from "../../../src/broker/listeners/transport.ts";
import { settled } from "../../support/fake_link.ts";

const PURE = { permissions: "none" } as const;

/** A connection whose client reads when the test says so. */
class FakeTransport implements Transport {
  readonly address = "192.0.2.1";
  readonly certificateName = undefined;
  readonly written: Uint8Array[] = [];
  #pending: { bytes: Uint8Array; done: (count: number) => void } | undefined;
  fails = false;

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.fails) return Promise.reject(new Error("lost"));
    return new Promise((done) => this.#pending = { bytes, done });
  }

  /** Lets the client take at most a number of bytes. */
  async take(count = Infinity): Promise<void> {
    const { bytes, done } = this.#pending!;
    this.#pending = undefined;
    const part = bytes.slice(0, count);
    this.written.push(part);
    done(part.length);
    await settled();
  }

  get isWriting(): boolean {
    return this.#pending !== undefined;
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
  destroy(): void {}
  markBusy(): void {}
}

function setUp(limits = { perClient: 1e9, inAll: 1e9 }) {
  const budget = new UnsentBudget(limits);
  const counters = new Counters();
  const events: string[] = [];
  const add = (name: string) => {
    const transport = new FakeTransport();
    const output = new Output(transport, { unsent: budget, counters }, {
      onSent: () => events.push(`${name} sent`),
      onUnsentLimit: () => {
        events.push(`${name} limit`);
        output.cut();
      },
    });
    return { transport, output };
  };
  return { budget, counters, events, add };
}

function bytes(length: number, value = 1): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}

Deno.test(
  "Output sends what a turn collects in one write, and while it writes, collects",
  PURE,
  async () => {
    const { events, add, budget, counters } = setUp();
    const { transport, output } = add("a");
    for (let i = 0; i < 10; i++) output.begin().raw(bytes(3, i));
    equal(transport.isWriting, false);
    await settled();
    output.begin().raw(bytes(5));
    output.begin().raw(bytes(6));
    equal(output.unsent, 41);
    await transport.take(7);
    await transport.take();
    deepEqual(transport.written.map(({ length }) => length), [7, 23]);
    deepEqual(events, []);
    await transport.take();
    deepEqual(transport.written.map(({ length }) => length), [7, 23, 11]);
    deepEqual(events, ["a sent"]);
    deepEqual([output.unsent, budget.bytes], [0, 0]);
    equal(counters.bytesSent, 41);
  },
);

Deno.test(
  "a large payload is not copied, and counts once for many clients",
  PURE,
  async () => {
    const { add, budget } = setUp();
    const payload = bytes(1_000_000);
    const all = ["a", "b", "c"].map(add);
    for (const { output } of all) {
      output.begin().raw(bytes(10));
      output.payload(payload);
      output.begin().raw(bytes(20));
    }
    await settled();
    equal(budget.bytes, 1_000_000 + 3 * 2 * 4096); // their buffers
    for (const { transport, output } of all) {
      equal(output.unsent, 1_000_030);
      await transport.take();
      await transport.take(400_000);
      await transport.take();
      await transport.take();
      deepEqual(
        transport.written.map(({ length }) => length),
        [10, 400_000, 600_000, 20],
      );
    }
    equal(budget.bytes, 0);
  },
);

Deno.test(
  "a client above its limit is reported; the packet that is being written stays whole",
  PURE,
  async () => {
    const { add, budget, events } = setUp({ perClient: 1000, inAll: 1e9 });
    const { transport, output } = add("a");
    output.begin().raw(bytes(10));
    output.payload(bytes(50_000)); // the longest does not count
    await settled();
    deepEqual(events, []);
    output.begin().raw(bytes(1100));
    await settled();
    deepEqual(events, ["a limit"]);
    output.begin().raw(bytes(2, 7)); // the DISCONNECT
    while (transport.isWriting) await transport.take();
    deepEqual(
      transport.written.map(({ length }) => length),
      [10, 50_000, 2],
    );
    equal(budget.bytes, 0);
  },
);

Deno.test(
  "above the limit of all, the client with the most unsent bytes is reported",
  PURE,
  async () => {
    const { add, events } = setUp({ perClient: 1e9, inAll: 100_000 });
    const [a, b, c] = ["a", "b", "c"].map(add);
    a!.output.begin().raw(bytes(30_000));
    b!.output.begin().raw(bytes(40_000));
    await settled();
    b!.output.begin().raw(bytes(20_000));
    c!.output.begin().raw(bytes(20_000));
    await settled();
    deepEqual(events, ["b limit"]);
  },
);

Deno.test(
  "Output drops everything after the connection was lost",
  PURE,
  async () => {
    const { add, budget, events } = setUp();
    const { transport, output } = add("a");
    transport.fails = true;
    output.begin().raw(bytes(30_000));
    output.payload(bytes(30_000));
    await settled();
    output.begin().raw(bytes(30_000));
    await settled();
    deepEqual([output.unsent, budget.bytes], [0, 0]);
    deepEqual(events, ["a sent"]);
  },
);
