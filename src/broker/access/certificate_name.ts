/**
 * The user that a client certificate names.
 *
 * @module
 */

/** The part of a certificate that names its owner, as in `node:tls`. */
export interface CertificateNames {
  /** An array if the certificate has several common names. */
  readonly subject?: { readonly CN?: string | readonly string[] };
  /** Such as `DNS:sensor-17, email:sensor@example.org`. */
  readonly subjectaltname?: string | undefined;
}

/**
 * Returns the name of the user: the common name (CN), or without one the first
 * DNS name or email address among the alternative names (RFC 5280, 4.2.1.6).
 *
 * @param certificate of a client, which the TLS listener has verified
 * @returns undefined if it has no such name, or several common names
 */
export function certificateName(
  { subject, subjectaltname = "" }: CertificateNames,
): string | undefined {
  const commonName = subject?.CN;
  if (typeof commonName === "string" && commonName !== "") return commonName;
  // It does not say which of several names is the user.
  if (Array.isArray(commonName) && commonName.length > 0) return undefined;
  // A value with special characters is in quotation marks: it is no user.
  return /(?:^|, )(?:DNS|email):([^",]+)(?:,|$)/.exec(subjectaltname)?.[1];
}
