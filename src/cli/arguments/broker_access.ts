/**
 * How a command identifies itself to the broker, and how it checks the broker:
 * reads the files that the flags name.
 *
 * @module
 */
import type { BrokerAccess } from "../../mqtt/transport.ts";
import { loginOf } from "../../mqtt/url.ts";
import { usageError } from "../errors.ts";
import { readText } from "../files.ts";
import { readPassword, warnIfReadable } from "../secret_files.ts";
import { brokersOf } from "./addresses.ts";
import type { BrokerFlags } from "./common_options.ts";

/** The flags that {@linkcode readBrokerAccess} uses. */
export interface AccessFlags extends Omit<BrokerFlags, "prefix" | "broker"> {
  /** Several: the same access is used for all of them. */
  readonly broker?: string | readonly string[];
}

/** A certificate of a client or a server. */
export interface CertificateAndKey {
  /** PEM. */
  readonly cert: string;
  /** The private key, PEM. */
  readonly key: string;
}

/** Options that only a connection with TLS uses. */
const TLS_OPTIONS = ["ca", "cert", "key", "insecure"] as const;

/**
 * Reads the certificates, the key and the password that the flags name.
 *
 * @param warn called with a line if other users can read a secret, or if the
 * certificate of the broker is not checked
 * @returns options of a connection
 * @throws {AppError} if the address of the broker is invalid, or a file is
 * unusable or does not fit the address
 */
export async function readBrokerAccess(
  flags: AccessFlags,
  warn: (line: string) => void,
): Promise<BrokerAccess> {
  const { ca, cert, key, insecure, user, passwordFile } = flags;
  const urls = brokersOf(flags);
  checkTls(urls, flags);
  if (insecure) {
    warn(
      "The certificate of the broker is not checked (--insecure): others on the network can read and change all messages, and read the password",
    );
  }
  const password = passwordFile === undefined
    ? flags.password
    : await readPassword(passwordFile, warn);
  // A broker with MQTT 3.1.1 closes the connection without a reason (3.1.2.9).
  const lacksUser = urls.map(loginOf).some((login) =>
    (login.password ?? password) !== undefined &&
    (login.username ?? user) === undefined
  );
  if (lacksUser) {
    throw usageError(
      "Cannot use a password without a user",
      "Set --user (OCCUPANCY_USER), or write user:password@ in --broker.",
    );
  }
  return {
    ...(ca !== undefined && { ca: await readCertificate(ca) }),
    ...(cert !== undefined && key !== undefined &&
      await readCertificateAndKey(cert, key, warn)),
    ...(insecure && { insecure }),
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
  };
}

/** @throws {AppError} (usage) if an option of TLS cannot have an effect */
function checkTls(
  urls: readonly [string, ...string[]],
  flags: AccessFlags,
): void {
  const { broker, cert, key } = flags;
  const schemes = urls.map((url) =>
    url.slice(0, url.indexOf(":")).toLowerCase()
  );
  const [scheme] = schemes;
  const used = TLS_OPTIONS.find((name) => flags[name] !== undefined);
  const hasTls = schemes.some((one) => one === "mqtts" || one === "wss");
  if (used !== undefined && !hasTls) {
    throw usageError(
      broker === undefined
        ? `Cannot use --${used} without --broker`
        : `Cannot use --${used} with ${scheme}://: such a connection has no TLS`,
      `Use --broker ${
        scheme === "ws" ? "wss" : "mqtts"
      }://HOST, or remove --${used}.`,
    );
  }
  if (cert !== undefined && key === undefined) {
    throw usageError(
      "Cannot use --cert without --key",
      "Add --key FILE with the private key of the certificate. It may be the same file.",
    );
  }
  if (key !== undefined && cert === undefined) {
    throw usageError(
      "Cannot use --key without --cert",
      "Add --cert FILE with the client certificate. It may be the same file.",
    );
  }
}

/**
 * Reads certificates in PEM format.
 *
 * @throws {AppError} if the file is not a certificate
 */
export async function readCertificate(path: string): Promise<string> {
  const pem = await readText(path);
  const { X509Certificate } = await import("node:crypto");
  try {
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw usageError(
      `${path} is not a certificate`,
      "Use a file in PEM format.",
      error,
    );
  }
}

/**
 * Reads a certificate with its private key. An unsuitable key is an error here:
 * TLS would send no certificate, or report another reason.
 *
 * @param certPath the file of the certificate, PEM
 * @param keyPath the file of the private key, PEM
 * @param warn called with a line if other users can read the key
 * @throws {AppError} if a file is unusable, or the key is of another certificate
 */
export async function readCertificateAndKey(
  certPath: string,
  keyPath: string,
  warn: (line: string) => void,
): Promise<CertificateAndKey> {
  const cert = await readCertificate(certPath);
  const key = await readText(keyPath);
  await warnIfReadable(keyPath, "private key", warn);
  if (/^-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(key)) {
    throw usageError(
      `The private key in ${keyPath} is encrypted`,
      `Decrypt it: openssl pkey -in ${keyPath} -out FILE, then chmod 600 FILE.`,
    );
  }
  const { createPrivateKey, X509Certificate } = await import("node:crypto");
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw usageError(
      `${keyPath} is not a private key`,
      "Use the private key of the certificate, in PEM format.",
      error,
    );
  }
  if (fits) return { cert, key };
  throw usageError(
    `The private key in ${keyPath} does not belong to the certificate in ${certPath}`,
    "Use the key with which the certificate was requested.",
  );
}
