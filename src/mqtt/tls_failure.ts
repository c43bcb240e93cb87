/**
 * Explains why TLS with a broker failed: what is wrong with which certificate,
 * and what to do.
 *
 * @module
 */
import type { BrokerAccess } from "./transport.ts";

/** Why TLS failed. */
export interface TlsFailure {
  /** For people, without a full stop. */
  readonly reason: string;
  /** What to do, as a sentence. */
  readonly hint: string;
}

/** The access that was tried: the hints depend on it. */
export type TriedAccess = Pick<BrokerAccess, "ca" | "cert">;

/** Codes of Node.js for certificates that no trusted authority signed. */
const UNKNOWN_AUTHORITY =
  /^(?:UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(?:_LOCALLY)?)|SELF_SIGNED_CERT_IN_CHAIN|CERT_UNTRUSTED)$|UnknownIssuer/;
/** An alert that the broker sent (RFC 8446, 6.2), in a code of OpenSSL. */
const ALERT = /^ERR_SSL_\w+?_ALERT_(\w+)$/;
const CLIENT_CERTIFICATE_HINT =
  "Give a certificate that an authority of the broker signed, and its private key (cert and key; in a command --cert FILE --key FILE).";

/**
 * Explains why TLS failed.
 *
 * @param code the code of the error, such as `CERT_HAS_EXPIRED`
 * @param message the message of the error
 * @param tried certificate authority and client certificate, if given
 * @returns undefined if the error is not one of TLS
 */
export function explainTlsFailure(
  code: string,
  message: string,
  tried: TriedAccess,
): TlsFailure | undefined {
  const [, alert] = ALERT.exec(code) ?? [];
  if (alert !== undefined) return explainAlert(alert, message, tried);
  const isTls = UNKNOWN_AUTHORITY.test(code) ||
    /certificate|self.signed|UnknownIssuer|TLS|SSL/i.test(`${code} ${message}`);
  return isTls ? explainCertificate(code, message, tried) : undefined;
}

/**
 * Explains what is wrong with the certificate of the broker. The way out is
 * never a connection without TLS: it would show the password.
 */
function explainCertificate(
  code: string,
  message: string,
  { ca }: TriedAccess,
): TlsFailure {
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return {
        reason: "the certificate of the broker has expired",
        hint:
          "Renew the certificate of the broker, or check the clock of this machine.",
      };
    case "CERT_NOT_YET_VALID":
      return {
        reason: "the certificate of the broker is not valid yet",
        hint:
          "Check the clock of this machine, and the certificate of the broker.",
      };
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return {
        reason: `the certificate of the broker is for another host${
          namesIn(message)
        }`,
        hint: "Use a host name that the certificate of the broker lists.",
      };
    case "CERT_REVOKED":
      return {
        reason: "the certificate of the broker was revoked",
        hint: "Give the broker a new certificate.",
      };
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return {
        reason: "the certificate of the broker is self-signed",
        hint:
          "Copy the certificate from the broker and name the file (ca; in a command --ca FILE). For a test only, --insecure accepts it without a check.",
      };
  }
  if (UNKNOWN_AUTHORITY.test(code) || UNKNOWN_AUTHORITY.test(message)) {
    return ca === undefined
      ? {
        reason: "no known authority signed the certificate of the broker",
        hint:
          "If your own authority signed it, name the file of the authority (ca; in a command --ca FILE).",
      }
      : {
        reason:
          "the authority of ca (in a command --ca) did not sign the certificate of the broker",
        hint:
          "Use the file of the authority that signed it, with intermediate authorities that the broker does not send.",
      };
  }
  return {
    reason: `TLS failed (${message})`,
    hint: /certificate|self.signed|issuer/i.test(`${code} ${message}`)
      ? "If your own authority signed the certificate of the broker, name the file of the authority (ca; in a command --ca FILE)."
      : "Check the port: MQTT with TLS usually uses 8883.",
  };
}

/** Returns the names in a certificate from a message: ` (DNS:other.example)`. */
function namesIn(message: string): string {
  const [, names] = /is not in the cert's (?:altnames|list): (.+)$/
    .exec(message) ?? [];
  return names === undefined ? "" : ` (${names})`;
}

/** Explains what the broker said about the client certificate. */
function explainAlert(
  alert: string,
  message: string,
  { cert }: TriedAccess,
): TlsFailure {
  const given = cert !== undefined;
  switch (alert) {
    case "CERTIFICATE_REQUIRED":
      return {
        reason: given
          ? "the broker does not accept the client certificate"
          : "the broker requires a client certificate",
        hint: CLIENT_CERTIFICATE_HINT,
      };
    case "UNKNOWN_CA":
      return {
        reason: "no authority of the broker signed the client certificate",
        hint: CLIENT_CERTIFICATE_HINT,
      };
    case "CERTIFICATE_EXPIRED":
      return {
        reason: "the client certificate has expired, or is not valid yet",
        hint:
          "Renew the client certificate (cert; in a command --cert), or check the clock of the broker.",
      };
    case "CERTIFICATE_REVOKED":
      return {
        reason: "the client certificate was revoked",
        hint: CLIENT_CERTIFICATE_HINT,
      };
    case "BAD_CERTIFICATE":
    case "UNSUPPORTED_CERTIFICATE":
    case "CERTIFICATE_UNKNOWN":
    case "ACCESS_DENIED":
    case "DECRYPT_ERROR":
      return {
        reason: "the broker does not accept the client certificate",
        hint: given
          ? "Read the log of the broker: the certificate may not be for clients (extended key usage)."
          : CLIENT_CERTIFICATE_HINT,
      };
    // Without a certificate, a broker with TLS 1.2 gives no other reason.
    case "HANDSHAKE_FAILURE":
      return {
        reason: given
          ? "the broker refused the TLS handshake"
          : "the broker refused the TLS handshake; it may require a client certificate",
        hint: given
          ? "Read the log of the broker: versions or ciphers of TLS may not match."
          : CLIENT_CERTIFICATE_HINT,
      };
    case "PROTOCOL_VERSION":
      return {
        reason: "the broker does not support TLS 1.2 or 1.3",
        hint: "Enable TLS 1.2 or 1.3 on the broker.",
      };
    case "UNRECOGNIZED_NAME":
      return {
        reason: "the broker does not know this host name",
        hint: "Use a host name that the certificate of the broker lists.",
      };
  }
  return {
    reason: `TLS failed (${message})`,
    hint: "Read the log of the broker.",
  };
}
