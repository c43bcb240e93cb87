/** The user that a client certificate names. */
import assert from "node:assert/strict";
import { certificateName } from "../../../src/broker/access/certificate_name.ts";

Deno.test({
  name: "the user is the common name, else the first alternative name",
  permissions: "none",
  fn: () => {
    const of = (CN?: string | string[], subjectaltname?: string) =>
      certificateName({
        subject: CN === undefined ? {} : { CN },
        subjectaltname,
      });
    assert.equal(of("alice", "DNS:other"), "alice");
    assert.equal(of(undefined, "DNS:sensor-17, email:a@b.c"), "sensor-17");
    assert.equal(of("", "IP Address:192.0.2.1, email:a@b.c"), "a@b.c");
    assert.equal(of(undefined, "URI:urn:x"), undefined);
    assert.equal(of(undefined, 'DNS:"a, DNS:root"'), undefined);
    assert.equal(of(), undefined);
    assert.equal(of(["alice", "root"], "DNS:bob"), undefined);
    assert.equal(certificateName({}), undefined);
  },
});
