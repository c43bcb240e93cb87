import assert from "node:assert/strict";
import {
  formatRedisAddress,
  hideRedisLogin,
  parseRedisAddress,
} from "../../../src/store/redis/address.ts";
import { crc16, keySlot } from "../../../src/store/redis/key_slot.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { freePort } from "../../support/temp.ts";

const LOCAL = { host: "localhost", port: 6379 };

Deno.test("an address of Redis has servers, a prefix and a login", () => {
  const plain = {
    kind: "redis",
    tls: false,
    endpoints: [LOCAL],
    prefix: "occupancy",
  };
  const cases: [string, unknown][] = [
    ["redis://localhost", plain],
    ["REDIS://LOCALHOST:6379/", plain],
    ["rediss://localhost", { ...plain, tls: true }],
    ["redis://localhost/site-1", { ...plain, prefix: "site-1" }],
    ["redis://me@localhost", { ...plain, username: "me" }],
    ["redis://:secret@localhost", { ...plain, password: "secret" }],
    [
      "redis://me:p%40:%2F@localhost",
      { ...plain, username: "me", password: "p@:/" },
    ],
    // Without encoding: the host begins after the last @.
    ["redis://me:a@b@localhost", {
      ...plain,
      username: "me",
      password: "a@b",
    }],
    [
      "redis://a.example:1,[::1]:2,127.0.0.1/x",
      {
        ...plain,
        endpoints: [
          { host: "a.example", port: 1 },
          { host: "::1", port: 2 },
          { host: "127.0.0.1", port: 6379 },
        ],
        prefix: "x",
      },
    ],
    ["redis+sentinel://localhost/main", {
      ...plain,
      kind: "sentinel",
      endpoints: [{ host: "localhost", port: 26379 }],
      masterName: "main",
    }],
    ["rediss+sentinel://[::1]:7/main/site", {
      kind: "sentinel",
      tls: true,
      endpoints: [{ host: "::1", port: 7 }],
      masterName: "main",
      prefix: "site",
    }],
  ];
  for (const [text, expected] of cases) {
    const address = parseRedisAddress(text);
    assert.deepEqual(address, expected, text);
    // What is shown is an address, of the same servers.
    const { username: _, password: __, ...shown } = address;
    assert.deepEqual(parseRedisAddress(formatRedisAddress(address)), shown);
  }
});

Deno.test("an invalid address of Redis is refused without its password", () => {
  const cases: [string, RegExp][] = [
    ["redis:localhost", /redis:\/\/HOST/],
    ["http://localhost", /redis:\/\/HOST/],
    ["redis://", /Name a host/],
    ["redis:///x", /Name a host/],
    ["redis://me:secret@/x", /Name a host/],
    ["redis://a,,b", /Name a host/],
    ["redis://me:secret@a:0", /HOST:PORT/],
    ["redis://a:65536", /HOST:PORT/],
    ["redis://me:secret", /HOST:PORT/],
    ["redis://me:s1ecret/7", /HOST:PORT/],
    ["redis://::1", /brackets/],
    ["redis://a b", /HOST:PORT/],
    ["redis://a\\b", /HOST:PORT/],
    ["redis://a/0", /no number/],
    ["redis://a/x/y", /prefix/],
    ["redis://a/{x}", /prefix/],
    [`redis://a/${"x".repeat(65)}`, /prefix/],
    ["redis://a/x?db=1", /Remove/],
    ["redis://me:se/cret@a", /%2F/],
    ["redis://me:%secret@a", /%25/],
    ["redis+sentinel://a", /Name the master/],
    ["redis+sentinel://a/b/c/d", /prefix/],
    [`redis://${"a,".repeat(100)}a`, /at most 100/],
  ];
  for (const [text, expected] of cases) {
    assert.throws(() => parseRedisAddress(text), (error: unknown) => {
      assert(error instanceof RangeError, text);
      assert.match(error.message, expected, text);
      assert.doesNotMatch(error.message, /cret/, text);
      return true;
    });
    assert.doesNotMatch(hideRedisLogin(text), /cret/, text);
  }
  assert.equal(hideRedisLogin("redis://me:a/b@c"), "redis://***@c");
  for (const other of ["sqlite:a@b", "redis://[::1]:1,b:2/x", "redis://a:0"]) {
    assert.equal(hideRedisLogin(other), other);
  }
});

Deno.test("slots follow the specification of Redis Cluster", () => {
  const bytes = new TextEncoder().encode("123456789");
  assert.equal(crc16(bytes), 0x31c3);
  assert.equal(keySlot("foo"), 12_182);
  const tag = keySlot("user1000");
  assert.equal(keySlot("{user1000}.following"), tag);
  assert.equal(keySlot("foo{user1000}{x}"), tag);
  assert.equal(keySlot("foo{{user1000}}"), keySlot("{user1000"));
  assert.notEqual(keySlot("foo{}{user1000}"), tag);
});

Deno.test({
  name: "slots are those of Redis",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({
      args: ["--cluster-enabled", "yes", "--cluster-port", `${freePort()}`],
    });
    const keys = ["", "{", "}", "{}", "a{}b", "{a", "a}b{c}", "é{ü}", "{{}}"];
    for (let i = 0; i < 16; i++) keys.push(`{occupancy/${i}}:journal`);
    for (const key of keys) {
      assert.equal(
        keySlot(key),
        await redis.command("CLUSTER", "KEYSLOT", key),
        key,
      );
    }
  },
});
