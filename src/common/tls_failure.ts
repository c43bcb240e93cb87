/**
 * Explains why TLS with a server failed, such as an MQTT broker: what is wrong
 * with which certificate, and what to do.
 *
 * @module
 */

/** Why TLS failed. */
export interface TlsFailure {
  /** For people, without a full stop. */
  readonly reason: string;
  /** What to do, as a sentence. */
  readonly hint: string;
}

/** The access that was tried: the hints depend on it. */
export interface TriedAccess {
  /** Certificate authorities, if given. */
  readonly ca?: string | undefined;
  /** The client certificate, if given. */
  readonly cert?: string | undefined;
}

/** The server of a connection, and how its access is set; for the texts. */
export interface TlsPeer {
  /** With its article: `the broker`. */
  readonly name: string;
  /** The setting of {@linkcode TriedAccess.ca}. */
  readonly ca: string;
  /** How to give the file of an authority: `--ca FILE`. */
  readonly giveCa: string;
  /** The setting of {@linkcode TriedAccess.cert}. */
  readonly cert: string;
  /** How to give a client certificate and its key: `--cert FILE --key FILE`. */
  readonly giveCert: string;
  /** A way to accept any certificate, as a sentence; empty if there is none. */
  readonly insecure: string;
  /** The usual port, as a sentence. */
  readonly port: string;
}

/** Codes of Node.js for certificates that no trusted authority signed. */
const UNKNOWN_AUTHORITY =
  /^(?:UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(?:_LOCALLY)?)|SELF_SIGNED_CERT_IN_CHAIN|CERT_UNTRUSTED)$|UnknownIssuer/;
/** An alert that the broker sent (RFC 8446, 6.2), in a code of OpenSSL. */
const ALERT = /^ERR_SSL_\w+?_ALERT_(\w+)$/;

/**
 * Explains why TLS failed.
 *
 * @param code the code of the error, such as `CERT_HAS_EXPIRED`
 * @param message the message of the error
 * @param tried certificate authority and client certificate, if given
 * @param peer the server
 * @returns undefined if the error is not one of TLS
 */
export function explainTlsFailure(
  code: string,
  message: string,
  tried: TriedAccess,
  peer: TlsPeer,
): TlsFailure | undefined {
  const [, alert] = ALERT.exec(code) ?? [];
  if (alert !== undefined) return explainAlert(alert, message, tried, peer);
  const isTls = UNKNOWN_AUTHORITY.test(code) ||
    /certificate|self.signed|UnknownIssuer|TLS|SSL/i.test(`${code} ${message}`);
  return isTls ? explainCertificate(code, message, tried, peer) : undefined;
}

/**
 * Explains what is wrong with the certificate of the broker. The way out is
 * never a connection without TLS: it would show the password.
 */
function explainCertificate(
  code: string,
  message: string,
  { ca }: TriedAccess,
  peer: TlsPeer,
): TlsFailure {
  const { name } = peer;
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return {
        reason: `the certificate of ${name} has expired`,
        hint:
          `Renew the certificate of ${name}, or check the clock of this machine.`,
      };
    case "CERT_NOT_YET_VALID":
      return {
        reason: `the certificate of ${name} is not valid yet`,
        hint:
          `Check the clock of this machine, and the certificate of ${name}.`,
      };
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return {
        reason: `the certificate of ${name} is for another host${
          namesIn(message)
        }`,
        hint: `Use a host name that the certificate of ${name} lists.`,
      };
    case "CERT_REVOKED":
      return {
        reason: `the certificate of ${name} was revoked`,
        hint: `Give ${name} a new certificate.`,
      };
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return {
        reason: `the certificate of ${name} is self-signed`,
        hint:
          `Copy the certificate from ${name} and name the file (${peer.giveCa}).${peer.insecure}`,
      };
  }
  if (UNKNOWN_AUTHORITY.test(code) || UNKNOWN_AUTHORITY.test(message)) {
    return ca === undefined
      ? {
        reason: `no known authority signed the certificate of ${name}`,
        hint:
          `If your own authority signed it, name the file of the authority (${peer.giveCa}).`,
      }
      : {
        reason:
          `the authority of ${peer.ca} did not sign the certificate of ${name}`,
        hint:
          `Use the file of the authority that signed it, with intermediate authorities that ${name} does not send.`,
      };
  }
  return {
    reason: `TLS failed (${message})`,
    hint: /certificate|self.signed|issuer/i.test(`${code} ${message}`)
      ? `If your own authority signed the certificate of ${name}, name the file of the authority (${peer.giveCa}).`
      : peer.port,
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
  peer: TlsPeer,
): TlsFailure {
  const { name } = peer;
  const given = cert !== undefined;
  const certificateHint =
    `Give a certificate that an authority of ${name} signed, and its private key (${peer.giveCert}).`;
  switch (alert) {
    case "CERTIFICATE_REQUIRED":
      return {
        reason: given
          ? `${name} does not accept the client certificate`
          : `${name} requires a client certificate`,
        hint: certificateHint,
      };
    case "UNKNOWN_CA":
      return {
        reason: `no authority of ${name} signed the client certificate`,
        hint: certificateHint,
      };
    case "CERTIFICATE_EXPIRED":
      return {
        reason: "the client certificate has expired, or is not valid yet",
        hint:
          `Renew the client certificate (${peer.cert}), or check the clock of ${name}.`,
      };
    case "CERTIFICATE_REVOKED":
      return {
        reason: "the client certificate was revoked",
        hint: certificateHint,
      };
    case "BAD_CERTIFICATE":
    case "UNSUPPORTED_CERTIFICATE":
    case "CERTIFICATE_UNKNOWN":
    case "ACCESS_DENIED":
    case "DECRYPT_ERROR":
      return {
        reason: `${name} does not accept the client certificate`,
        hint: given
          ? `Read the log of ${name}: the certificate may not be for clients (extended key usage).`
          : certificateHint,
      };
    // Without a certificate, a broker with TLS 1.2 gives no other reason.
    case "HANDSHAKE_FAILURE":
      return {
        reason: given
          ? `${name} refused the TLS handshake`
          : `${name} refused the TLS handshake; it may require a client certificate`,
        hint: given
          ? `Read the log of ${name}: versions or ciphers of TLS may not match.`
          : certificateHint,
      };
    case "PROTOCOL_VERSION":
      return {
        reason: `${name} does not support TLS 1.2 or 1.3`,
        hint: `Enable TLS 1.2 or 1.3 on ${name}.`,
      };
    case "UNRECOGNIZED_NAME":
      return {
        reason: `${name} does not know this host name`,
        hint: `Use a host name that the certificate of ${name} lists.`,
      };
  }
  return {
    reason: `TLS failed (${message})`,
    hint: `Read the log of ${name}.`,
  };
}
