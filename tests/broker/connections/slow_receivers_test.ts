import { deepEqual, equal } from "node:assert/strict";
import {
  type Receiver,
  SlowReceivers,
} from "../../../src/broker/connections/slow_receivers.ts";
import { settled } from "../../support/fake_link.ts";

const PURE = { permissions: "none" } as const;

class FakeReceiver implements Receiver {
  keepsUp = false;
  isFrozen = false;
  #callbacks: (() => void)[] = [];

  afterChange(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  change(state: Partial<Pick<FakeReceiver, "keepsUp" | "isFrozen">>): void {
    Object.assign(this, state);
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}

function setUp(states: Partial<FakeReceiver>[]) {
  const receivers = states.map((state) =>
    Object.assign(new FakeReceiver(), state)
  );
  const slow = new SlowReceivers();
  const collect = () =>
    slow.collect(() => receivers.forEach((one) => slow.add(one)));
  const state = { done: false };
  const result = collect();
  void result?.then(() => state.done = true);
  const isDone = async () => {
    await settled();
    return result === undefined || state.done;
  };
  return { receivers, isDone };
}

Deno.test("a publish waits for all slow receivers", PURE, async () => {
  const { receivers: [a, b], isDone } = setUp([{}, {}, { keepsUp: true }]);
  equal(await isDone(), false);
  a!.change({ keepsUp: true });
  equal(await isDone(), false);
  b!.change({ keepsUp: true });
  equal(await isDone(), true);
});

Deno.test(
  "it does not wait for a frozen one, while another one keeps up",
  PURE,
  async () => {
    const frozen = { isFrozen: true };
    deepEqual(
      await Promise.all(
        [[frozen, { keepsUp: true }], [frozen], [frozen, {}], []]
          .map((states) => setUp(states).isDone()),
      ),
      [true, false, false, true],
    );
    const { receivers: [a, b], isDone } = setUp([{}, {}]);
    a!.change(frozen);
    equal(await isDone(), false);
    b!.change({ keepsUp: true });
    equal(await isDone(), true);
  },
);

Deno.test("while all are frozen, it waits for one", PURE, async () => {
  const { receivers: [a], isDone } = setUp([{}, { isFrozen: true }]);
  a!.change({ isFrozen: true });
  equal(await isDone(), false);
  a!.change({ isFrozen: false });
  equal(await isDone(), true);
});
