/** The budgets of connections, without sockets. */
import assert from "node:assert/strict";
import {
  type ConnectionLimits,
  Connections,
} from "../../src/common/connection_budget.ts";

const pure = { permissions: "none" } as const;

class FakeConnection {
  closed = false;
  slow = false;
  destroy(): void {
    this.closed = true;
  }
}

function setUp(limits: ConnectionLimits) {
  const reached: string[] = [];
  const connections = new Connections<FakeConnection>(
    limits,
    { onLimit: (limit) => reached.push(limit), isSlow: ({ slow }) => slow },
  );
  const add = (address: string) => {
    const connection = new FakeConnection();
    return { connection, added: connections.add(connection, address) };
  };
  return { connections, reached, add };
}

Deno.test("at the budget the connection idle longest is closed", pure, () => {
  const { connections, reached, add } = setUp({
    connections: 3,
    connectionsPerAddress: 3,
  });
  const [a, b, c] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(add);
  connections.setBusy(a!.connection);
  connections.setIdle(a!.connection); // now the one idle shortest
  assert.ok(add("10.0.0.4").added);
  assert.deepEqual(
    [a, b, c].map((one) => one!.connection.closed),
    [false, true, false],
  );
  assert.equal(connections.size, 3);
  assert.deepEqual(reached, ["connections"]);
});

Deno.test(
  "connections with requests are kept: a new one is refused",
  pure,
  () => {
    const { connections, add } = setUp({
      connections: 2,
      connectionsPerAddress: 2,
    });
    const all = [add("10.0.0.1"), add("10.0.0.2")];
    for (const { connection } of all) connections.setBusy(connection);
    assert.ok(connections.full);
    assert.equal(add("10.0.0.3").added, false);
    assert.ok(all.every(({ connection }) => !connection.closed));
    connections.remove(all[0]!.connection);
    assert.ok(!connections.full);
    assert.ok(add("10.0.0.3").added);
  },
);

Deno.test("if none is idle, the oldest slow one is closed", pure, () => {
  const { connections, add } = setUp({
    connections: 3,
    connectionsPerAddress: 3,
  });
  const all = [add("10.0.0.1"), add("10.0.0.2"), add("10.0.0.3")];
  for (const { connection } of all) connections.setBusy(connection);
  all[1]!.connection.slow = all[2]!.connection.slow = true;
  assert.ok(add("10.0.0.4").added);
  assert.deepEqual(
    all.map(({ connection }) => connection.closed),
    [false, true, false],
  );
});

Deno.test(
  "an address at its budget closes only its own connections",
  pure,
  () => {
    const { connections, reached, add } = setUp({
      connections: 100,
      connectionsPerAddress: 2,
    });
    const other = add("10.0.0.9");
    const first = add("2001:db8::1");
    add("2001:db8::2"); // the same /64
    assert.ok(add("2001:db8::3").added);
    assert.ok(first.connection.closed);
    assert.ok(!other.connection.closed);
    assert.equal(connections.size, 3);
    assert.deepEqual(reached, ["connections-per-address"]);
  },
);

Deno.test("an address has half of all connections by default", pure, () => {
  const { connections, add } = setUp({ connections: 10 });
  for (let i = 0; i < 20; i++) add("10.0.0.1");
  assert.equal(connections.size, 5);
});

Deno.test("connections that have ended are not counted", pure, () => {
  const { connections, reached, add } = setUp({ connections: 4 });
  for (let i = 0; i < 1000; i++) {
    const { connection, added } = add(`10.0.0.${i % 8}`);
    assert.ok(added);
    connections.remove(connection);
    connections.remove(connection);
    connections.setIdle(connection);
  }
  assert.equal(connections.size, 0);
  assert.deepEqual(reached, []);
});
