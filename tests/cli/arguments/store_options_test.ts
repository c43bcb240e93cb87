/** The options of a store in Redis. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { forEachAtOnce, runOccupancy } from "../../support/processes.ts";
import { assertFailure } from "../../support/assert_failure.ts";
import { tempDir } from "../../support/temp.ts";

const REDIS = "redis://127.0.0.1:1";

Deno.test({
  name: "wrong options of a store in Redis say what to write",
  ...needs("sh"),
  fn: async () => {
    const cases: [string[], RegExp, RegExp][] = [
      [
        ["--store", "redis://ann:secret@h:x"],
        /Invalid value|--store/,
        /HOST:PORT/,
      ],
      [["--store", "redis://h/0"], /--store/, /no number/],
      [["--store", "http://h"], /--store/, /redis:\/\/HOST:PORT\/PREFIX/],
      [["--store", REDIS, "--shards", "0"], /--shards/, /1 to 256/],
      [["--store", REDIS, "--shards", "257"], /--shards/, /1 to 256/],
      [
        ["--store", REDIS, "--redis-replicas", "-1"],
        /--redis-replicas/,
        /0 to 16|=/,
      ],
      [
        ["--store", "memory:", "--redis-ca", "x"],
        /--redis-ca without a store/,
        /redis:/,
      ],
      [["--store", REDIS, "--redis-ca", "x"], /has no TLS/, /rediss:/],
      [
        ["--store", "rediss://h", "--redis-key", "x"],
        /without --redis-cert/,
        /./,
      ],
      [
        ["--store", REDIS, "--listen", "127.0.0.1:0"],
        /embedded broker with a store in Redis/,
        /--broker .* Mosquitto/,
      ],
      [["--shards", "4", "--store", "memory:"], /--shards/, /redis:/],
      [
        ["--redis-replicas", "1", "--store", "sqlite:x"],
        /--redis-replicas/,
        /redis:/,
      ],
    ];
    await forEachAtOnce(cases, async ([args, message, hint]) => {
      const ended = await runOccupancy(["server", "--http", "off", ...args]);
      assertFailure(ended, 2, message, hint);
      assert.doesNotMatch(ended.stderr, /secret/);
    });
  },
});

Deno.test({
  name: "the password of Redis is never printed",
  ...needs("sh"),
  fn: async () => {
    await using dir = await tempDir();
    const config = await dir.file(
      "occupancy.toml",
      'store = "redis://ann:geheim@h/site"\nredis-password = "geheim"\n',
    );
    const { stdout, stderr, code } = await runOccupancy(
      ["config", "server", "--config", config],
      { env: { OCCUPANCY_STORE: "" } },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /redis:\/\/\*\*\*@h\/site/);
    assert.doesNotMatch(stdout + stderr, /geheim/);
  },
});
