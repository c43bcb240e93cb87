/** Hashes of passwords. */
import assert from "node:assert/strict";
import {
  hashPassword,
  parsePasswordHash,
  unmatchableHash,
  verifyPassword,
} from "../../../src/broker/access/password.ts";

const CHEAP = { ln: 4, r: 1, p: 1 };
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test({
  name: "a hash matches its password only, and is different each time",
  permissions: "none",
  fn: async () => {
    const { text } = await hashPassword(bytes("geheim"), CHEAP);
    assert.match(text, /^\$scrypt\$ln=4,r=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    const parsed = parsePasswordHash(text)!;
    assert.equal(await verifyPassword(bytes("geheim"), parsed), true);
    for (const wrong of ["", "Geheim", "geheim "]) {
      assert.equal(await verifyPassword(bytes(wrong), parsed), false, wrong);
    }
    const again = await hashPassword(bytes("geheim"), CHEAP);
    assert.notEqual(again.text, text);
    const never = unmatchableHash(CHEAP);
    assert.equal(await verifyPassword(bytes(""), never), false);
  },
});

Deno.test({
  name: "the hash is that of RFC 7914, chapter 12",
  permissions: "none",
  fn: async () => {
    const known =
      "/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA";
    const parsed = parsePasswordHash(
      `$scrypt$ln=10,r=8,p=16$${btoa("NaCl") + btoa("NaCl")}$${known}`,
    );
    assert.equal(parsed, undefined, "padding is not allowed");
    const salted = {
      text: "",
      cost: { ln: 10, r: 8, p: 16 },
      salt: bytes("NaCl"),
      hash: Uint8Array.from(atob(known), (char) => char.charCodeAt(0)),
    };
    assert.equal(await verifyPassword(bytes("password"), salted), true);
  },
});

Deno.test({
  name: "what is no hash, or costs too much, is refused",
  permissions: "none",
  fn: () => {
    const salt = "A".repeat(22);
    const hash = "A".repeat(43);
    const fields = `${salt}$${hash}`;
    assert.ok(parsePasswordHash(`$scrypt$ln=14,r=8,p=1$${fields}`));
    const wrong = [
      "",
      "secret",
      `$scrypt$ln=14,r=8,p=1$${salt}`,
      `$scrypt$ln=0,r=8,p=1$${fields}`,
      `$scrypt$ln=14,r=0,p=1$${fields}`,
      `$scrypt$ln=14,r=8,p=0$${fields}`,
      `$scrypt$ln=30,r=8,p=1$${fields}`,
      `$scrypt$ln=10,r=8,p=999$${fields}`,
      `$scrypt$ln=14,r=8,p=1$${salt}$AAAA`,
      `$scrypt$ln=14,r=8,p=1$AAAA$${hash}`,
      `$scrypt$ln=14,r=8,p=1$${salt}$${hash}A=`,
      `$scrypt$ln=14,r=8,p=1$${salt}$${"A".repeat(41)}`,
      `$argon2id$v=19$m=65536,t=2,p=1$${fields}`,
      `$7$101$${fields}`,
    ];
    for (const text of wrong) {
      assert.equal(parsePasswordHash(text), undefined, text);
    }
  },
});
