/** Records beside the map, committed with the entries. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { needsMount, smallDisk } from "../support/small_disk.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { execSql, queryNumber, readingsEntry, storeOpener } from "./support.ts";

const T0 = 1_700_000_000_000;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

async function openedStore() {
  const folder = await tempDir();
  const path = `${folder.path}/map.sqlite`;
  const open = await storeOpener({ path });
  return {
    path,
    open,
    read: () => {
      const { store } = open();
      const all = [...store.records.load("broker")].map(([id, value]) =>
        [id, text(value)] as const
      );
      store.close();
      return all;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test({
  name: "records are committed with the next entries",
  ...needs(),
  fn: async () => {
    await using file = await openedStore();
    const { store } = file.open();
    const a = store.records.add("broker", () => bytes("a"));
    const b = store.records.add("broker", () => bytes("b"));
    let called = 0;
    store.records.afterCommit(() => called++);
    assert.equal(called, 0);
    store.commit([readingsEntry(T0, [[1, 1, 1]])]);
    await until(() => called === 1);
    store.records.replace(a, () => bytes("changed"));
    store.records.delete(b);
    store.commit([readingsEntry(T0, [[1, 2, 1]])]);
    store.records.afterCommit(() => called++);
    assert.equal(called, 2, "nothing waits");
    store.close();
    assert.deepEqual(file.read(), [[a, "changed"]]);
  },
});

Deno.test({
  name: "records are committed soon if there are no entries",
  ...needs(),
  fn: async () => {
    await using file = await openedStore();
    const { store } = file.open();
    const ids = Array.from(
      { length: 5000 },
      (_, i) => store.records.add("broker", () => bytes(`${i}`)),
    );
    let isCommitted = false;
    store.records.afterCommit(() => isCommitted = true);
    await until(() => isCommitted);
    assert.equal(store.records.hasStaged, false);
    store.records.delete(ids[0]!);
    store.close(); // commits what is staged
    assert.equal(file.read().length, 4999);
  },
});

Deno.test({
  name: "a record that is added and deleted before a commit is not written",
  ...needs(),
  fn: async () => {
    await using file = await openedStore();
    const { store } = file.open();
    let encoded = 0;
    const encode = () => {
      encoded++;
      return bytes("x");
    };
    for (let i = 0; i < 10; i++) {
      store.records.delete(store.records.add("broker", encode));
    }
    const kept = store.records.add("broker", encode);
    for (let i = 0; i < 10; i++) store.records.replace(kept, encode);
    store.commit([readingsEntry(T0, [[1, 1, 1]])]);
    assert.equal(encoded, 1);
    store.close();
    assert.deepEqual(file.read(), [[kept, "x"]]);
  },
});

Deno.test({
  name: "while a commit fails, records wait; they are committed when it works",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const path = `${disk.path}/map.sqlite`;
    const open = await storeOpener({ path });
    const { store } = open();
    await disk.fill();
    const large = new Uint8Array(256 * 1024);
    store.records.add("broker", () => large);
    let isCommitted = false;
    store.records.afterCommit(() => isCommitted = true);
    await until(() => store.problem() !== undefined);
    assert.match(store.problem()!.message, /the disk is full/);
    assert.throws(() => store.commit([readingsEntry(T0, [[1, 1, 1]])]));
    assert.equal(isCommitted, false);
    await disk.free();
    await until(() => isCommitted);
    assert.equal(store.problem(), undefined);
    store.close();
    const after = open();
    assert.equal([...after.store.records.load("broker")].length, 1);
    assert.equal(after.map.size, 0, "the readings were not stored");
    after.store.close();
  },
});

Deno.test({
  name: "a record with changed bytes is an error, not another value",
  ...needs(),
  fn: async () => {
    await using file = await openedStore();
    const { store } = file.open();
    store.records.add("broker", () => bytes("value"));
    store.close();
    await execSql(file.path, "UPDATE record SET value = CAST('vAlue' AS BLOB)");
    assert.throws(() => file.read(), /damaged/i);
  },
});

Deno.test({
  name: "a store of the schema before is opened, and gets its records",
  ...needs(),
  fn: async () => {
    await using file = await openedStore();
    file.open().store.close();
    await execSql(file.path, "DROP TABLE record; PRAGMA user_version = 3");
    assert.deepEqual(file.read(), []);
    assert.equal(await queryNumber(file.path, "PRAGMA user_version"), 5);
  },
});

Deno.test({
  name: "a record and the changes that it is bound to are committed together",
  ...needs(),
  fn: async () => {
    await using file = await openedStore();
    const { store } = file.open();
    await using copy = await tempDir();
    const { records } = store;
    let state = 0;
    const session = records.add("broker", () => bytes(`${state}`));
    const crowd = () => {
      for (let i = 0; i < 3000; i++) {
        records.add("broker", () => bytes("delivery"));
      }
    };
    crowd();
    state = 1;
    records.replace(session, () => bytes(`${state}`));
    records.bind(session);
    crowd(); // not bound
    store.commit([readingsEntry(T0, [[1, 1, 1]])]);
    assert.equal(records.hasStaged, true, "not all at once");
    for (const end of ["", "-wal"]) {
      Deno.copyFileSync(`${file.path}${end}`, `${copy.path}/copy${end}`);
    }
    store.close();
    const count = (path: string) =>
      queryNumber(path, "SELECT count(*) FROM record");
    assert.equal(await count(`${copy.path}/copy`), 3001);
    assert.equal(await count(file.path), 6001);
  },
});

Deno.test({
  name: "each owner reads only its own records",
  ...needs(),
  fn: async () => {
    await using file = await openedStore();
    const { store } = file.open();
    store.records.add("broker", () => bytes("of the broker"));
    const first = store.records.add("zones", () => bytes("zone 1"));
    store.records.add("broker", () => bytes("of the broker too"));
    store.records.add("zones", () => bytes("zone 2"));
    store.close();
    const { store: again } = file.open();
    const read = (owner: "broker" | "zones") =>
      [...again.records.load(owner)].map(([, value]) => text(value));
    assert.deepEqual(read("zones"), ["zone 1", "zone 2"]);
    assert.deepEqual(read("broker"), ["of the broker", "of the broker too"]);
    again.records.replace(first, () => bytes("changed"));
    again.records.add("zones", () => bytes("zone 3"));
    again.close();
    const { store: last } = file.open();
    assert.deepEqual(
      [...last.records.load("zones")].map(([, value]) => text(value)),
      ["changed", "zone 2", "zone 3"],
    );
    last.close();
  },
});
