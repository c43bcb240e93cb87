import assert from "node:assert/strict";
import { isLoopback, Token } from "../../src/http/mod.ts";

const SECRET = "correct-horse-battery-staple";

Deno.test({
  name: "Token refuses secrets that can be guessed or cannot be sent",
  permissions: "none",
  fn: () => {
    for (
      const bad of [
        "",
        "short",
        "x".repeat(15),
        "a".repeat(20) + " b",
        "ü".repeat(20),
      ]
    ) {
      assert.throws(() => new Token(bad), RangeError, bad);
    }
    new Token("x".repeat(16));
  },
});

Deno.test({
  name: "Token.isShown() knows the token and its cookie, and nothing else",
  permissions: "none",
  fn: () => {
    const token = new Token(SECRET);
    const shown = (headers: HeadersInit) =>
      token.isShown(new Request("http://localhost/", { headers }));
    const cookie = token.cookie(false).split(";")[0]!;
    assert.ok(shown({ authorization: `Bearer ${SECRET}` }));
    assert.ok(shown({ authorization: `bearer  ${SECRET}` }));
    assert.ok(shown({ cookie: `a=b; ${cookie}; c=d` }));
    assert.ok(!shown({}));
    assert.ok(!shown({ authorization: SECRET }));
    assert.ok(!shown({ authorization: "Bearer " }));
    assert.ok(!shown({ cookie: "occupancy_session=" }));
    assert.ok(!shown({ cookie: cookie.slice(0, -1) }));
    const other = new Token(`${SECRET}2`);
    assert.ok(
      !other.isShown(new Request("http://localhost/", { headers: { cookie } })),
    );
  },
});

Deno.test({
  name: "Token.cookie() is for TLS only when the browser came over it",
  permissions: "none",
  fn: () => {
    const token = new Token(SECRET);
    assert.match(token.cookie(true), /; Secure$/);
    assert.doesNotMatch(token.cookie(false), /Secure/);
  },
});

Deno.test({
  name: "isLoopback() is true for this machine's own names only",
  permissions: "none",
  fn: () => {
    for (
      const own of [
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "[::1]",
      ]
    ) {
      assert.ok(isLoopback(own), own);
    }
    for (
      const other of [
        "",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "127.0.0.1.example",
        "localhost.example",
        "notlocalhost",
        "::ffff:10.0.0.1",
      ]
    ) {
      assert.ok(!isLoopback(other), other);
    }
  },
});
