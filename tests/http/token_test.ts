/** Unit tests of the token and of host names. */
import assert from "node:assert/strict";
import { isLoopback, Token } from "../../src/http/mod.ts";

const SECRET = "correct-horse-battery-staple";

Deno.test({
  name: "Token throws for secrets that are too short or not printable ASCII",
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
  name: "Token.authorizes() accepts the token and its cookie only",
  permissions: "none",
  fn: () => {
    const token = new Token(SECRET);
    const authorized = (headers: HeadersInit) =>
      token.authorizes(new Request("http://localhost/", { headers }));
    const cookie = token.cookieHeader(false).split(";")[0]!;
    assert.ok(authorized({ authorization: `Bearer ${SECRET}` }));
    assert.ok(authorized({ authorization: `bearer  ${SECRET}` }));
    assert.ok(authorized({ cookie: `a=b; ${cookie}; c=d` }));
    assert.ok(!authorized({}));
    assert.ok(!authorized({ authorization: SECRET }));
    assert.ok(!authorized({ authorization: "Bearer " }));
    assert.ok(!authorized({ cookie: "occupancy_session=" }));
    assert.ok(!authorized({ cookie: cookie.slice(0, -1) }));
    const other = new Token(`${SECRET}2`);
    assert.ok(
      !other.authorizes(
        new Request("http://localhost/", { headers: { cookie } }),
      ),
    );
  },
});

Deno.test({
  name: "Token.cookieHeader() has Secure if the browser uses TLS",
  permissions: "none",
  fn: () => {
    const token = new Token(SECRET);
    assert.match(token.cookieHeader(true), /; Secure$/);
    assert.doesNotMatch(token.cookieHeader(false), /Secure/);
  },
});

Deno.test({
  name: "isLoopback() is true for names of this machine only",
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
