import assert from "node:assert/strict";
import { explainConnectFailure } from "../../src/mqtt/failure.ts";
import type { BrokerAccess } from "../../src/mqtt/transport.ts";

/** Explains an error of a TLS connection. */
function explain(code: string, message: string, tried: BrokerAccess = {}) {
  const cause = Object.assign(new Error(message), { code });
  const error = explainConnectFailure(cause, "mqtts://broker.example", tried);
  assert.equal(error.code, "tls");
  const [start, reason] = error.message.split("mqtts://broker.example: ");
  assert.equal(start, "Cannot connect to ");
  assert.match(error.hint!, /^[A-Z].*\.$/);
  // A connection without TLS would show the password.
  assert.doesNotMatch(error.hint!, /mqtt:/);
  return { reason: reason!, hint: error.hint! };
}

Deno.test({
  name: "each fault of the broker's certificate has its own message and hint",
  permissions: "none",
  fn: () => {
    const cases: [code: string, reason: RegExp, hint: RegExp][] = [
      ["CERT_HAS_EXPIRED", /has expired$/, /^Renew/],
      ["CERT_NOT_YET_VALID", /not valid yet$/, /clock/],
      ["CERT_REVOKED", /was revoked$/, /new certificate/],
      ["ERR_TLS_CERT_ALTNAME_INVALID", /for another host$/, /host name/],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", /is self-signed$/, /--ca FILE/],
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /^no known authority/, /--ca/],
      ["SELF_SIGNED_CERT_IN_CHAIN", /^no known authority/, /--ca/],
      ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /^no known authority/, /--ca/],
      ["CERT_CHAIN_TOO_LONG", /TLS failed \(certificate\)$/, /--ca/],
      ["ECONNRESET", /TLS failed/, /8883/],
    ];
    for (const [code, reason, hint] of cases) {
      const message = code === "ECONNRESET"
        ? "socket disconnected before secure TLS connection"
        : "certificate";
      const found = explain(code, message);
      assert.match(found.reason, reason, code);
      assert.match(found.hint, hint, code);
    }
  },
});

Deno.test({
  name: "the message about another host has the names in the certificate",
  permissions: "none",
  fn: () => {
    const prefix = "Hostname/IP does not match certificate's altnames: ";
    const cases = {
      "Host: localhost. is not in the cert's altnames: DNS:a.example, DNS:b":
        "(DNS:a.example, DNS:b)",
      "IP: 127.0.0.1 is not in the cert's list: 10.0.0.1": "(10.0.0.1)",
    };
    for (const [message, names] of Object.entries(cases)) {
      const { reason } = explain(
        "ERR_TLS_CERT_ALTNAME_INVALID",
        prefix + message,
      );
      assert.equal(
        reason,
        `the certificate of the broker is for another host ${names}`,
      );
    }
  },
});

Deno.test({
  name: "the message about an unknown authority depends on --ca",
  permissions: "none",
  fn: () => {
    const code = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
    const { reason, hint } = explain(code, "unable to verify", { ca: "PEM" });
    assert.match(reason, /--ca\) did not sign/);
    assert.match(hint, /^Use the file of the authority/);
  },
});

Deno.test({
  name: "each alert of a broker about the client certificate has its message",
  permissions: "none",
  fn: () => {
    const cert = { cert: "PEM", key: "PEM" };
    const cases: [
      alert: string,
      tried: BrokerAccess,
      reason: RegExp,
      hint: RegExp,
    ][] = [
      [
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        {},
        /^the broker requires/,
        /--key/,
      ],
      [
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        cert,
        /does not accept/,
        /authority of the broker/,
      ],
      ["TLSV1_ALERT_UNKNOWN_CA", cert, /^no authority of the broker/, /--cert/],
      ["SSLV3_ALERT_CERTIFICATE_EXPIRED", cert, /has expired/, /^Renew/],
      ["SSLV3_ALERT_CERTIFICATE_REVOKED", cert, /was revoked/, /--cert/],
      ["SSLV3_ALERT_BAD_CERTIFICATE", cert, /does not accept/, /key usage/],
      ["SSLV3_ALERT_HANDSHAKE_FAILURE", {}, /may require/, /--cert/],
      ["SSLV3_ALERT_HANDSHAKE_FAILURE", cert, /handshake$/, /log/],
      ["TLSV1_ALERT_PROTOCOL_VERSION", {}, /TLS 1\.2 or 1\.3/, /^Enable/],
      ["TLSV1_ALERT_INTERNAL_ERROR", {}, /TLS failed \(alert\)/, /log/],
    ];
    for (const [alert, tried, reason, hint] of cases) {
      const found = explain(`ERR_SSL_${alert}`, "alert", tried);
      assert.match(found.reason, reason, alert);
      assert.match(found.hint, hint, alert);
    }
  },
});
