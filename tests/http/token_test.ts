/** Unit tests of the token and of host names. */
import assert from "node:assert/strict";
import { isLoopback } from "../../src/feed/hosts.ts";
import { Token } from "../../src/http/mod.ts";

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

function cookieOf(token: Token): string {
  return token.cookieHeader({ secure: false, embedded: false }).split(";")[0]!;
}

Deno.test({
  name: "Token.check() accepts the token and its cookie only",
  permissions: "none",
  fn: () => {
    const token = new Token(SECRET);
    const check = (headers: HeadersInit, against = token) =>
      against.check(new Request("http://localhost/", { headers }));
    const cookie = cookieOf(token);
    const [name] = cookie.split("=");
    assert.equal(check({ authorization: `Bearer ${SECRET}` }), "right");
    assert.equal(check({ authorization: `bearer  ${SECRET}` }), "right");
    assert.equal(check({ cookie: `a=b; ${cookie}; c=d` }), "right");
    assert.equal(check({}), "none");
    assert.equal(check({ authorization: SECRET }), "none");
    assert.equal(check({ authorization: "Bearer " }), "none");
    assert.equal(check({ authorization: `Bearer ${SECRET}x` }), "wrong");
    // Also beside a right cookie.
    assert.equal(
      check({ authorization: `Bearer ${SECRET}x`, cookie }),
      "wrong",
    );
    assert.equal(check({ cookie: `${name}=` }), "wrong");
    assert.equal(check({ cookie: `${name}=${SECRET}` }), "wrong");
    assert.equal(check({ cookie: cookie.slice(0, -1) }), "wrong");
    const other = new Token(`${SECRET}2`);
    assert.equal(check({ cookie }, other), "none", "a cookie of another token");
  },
});

Deno.test({
  name: "Token.cookieHeader() has another name for each token, and no Path",
  permissions: "none",
  fn: () => {
    // Cookies do not depend on the port: two servers of one host need two.
    const [one, two] = [new Token(SECRET), new Token(`${SECRET}2`)];
    const nameOf = (token: Token) => cookieOf(token).split("=")[0]!;
    assert.match(nameOf(one), /^occupancy_[0-9a-f]{12}$/);
    assert.notEqual(nameOf(one), nameOf(two));
    assert.equal(nameOf(one), nameOf(new Token(SECRET)));
    const both = new Request("http://localhost/", {
      headers: { cookie: `${cookieOf(two)}; ${cookieOf(one)}` },
    });
    assert.equal(one.check(both), "right");
    assert.equal(two.check(both), "right");
    assert.doesNotMatch(
      one.cookieHeader({ secure: true, embedded: true }),
      /path=/i,
    );
  },
});

Deno.test({
  name:
    "Token.cookieHeader() has Secure with TLS, and SameSite=None only if also embedded",
  permissions: "none",
  fn: () => {
    const token = new Token(SECRET);
    for (
      const [secure, embedded, attributes] of [
        [false, false, "SameSite=Lax"],
        [true, false, "SameSite=Lax; Secure"],
        // Browsers ignore SameSite=None without Secure.
        [false, true, "SameSite=Lax"],
        [true, true, "SameSite=None; Secure; Partitioned"],
      ] as const
    ) {
      const header = token.cookieHeader({ secure, embedded });
      assert.equal(
        header.split("; ").slice(1).join("; "),
        `Max-Age=7776000; HttpOnly; ${attributes}`,
      );
    }
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
