/** Default addresses, and the addresses that flags select. */
import { env } from "../env.ts";
import { brokerUrl } from "../../mqtt/url.ts";
import { defaultStorePath } from "../../store/location.ts";
import { usageError } from "../errors.ts";
import { readText } from "../files.ts";
import type { BrokerFlags } from "./common_options.ts";

/** The broker without `--broker`. */
export const DEFAULT_BROKER = "mqtt://localhost:1883";

/** Where the embedded broker listens without `--listen`. */
export const DEFAULT_LISTEN = { host: "127.0.0.1", port: 1883 };

/** Where HTTP is served without `--http`. */
export const DEFAULT_HTTP = { host: "127.0.0.1", port: 8080 };

/**
 * The full address of the broker.
 *
 * @throws {LinkError} if it is not a broker address
 */
export function brokerOf({ broker }: Pick<BrokerFlags, "broker">): string {
  return brokerUrl(broker ?? DEFAULT_BROKER);
}

/**
 * The certificate authority of `--ca` as an option of a connection.
 *
 * @throws {AppError} if the file is not a certificate, or the address of the
 * broker is not one with TLS
 */
export async function caOf(
  { broker, ca }: Pick<BrokerFlags, "broker" | "ca">,
): Promise<{ ca?: string }> {
  if (ca === undefined) return {};
  const url = brokerOf({ ...(broker !== undefined && { broker }) });
  const scheme = url.slice(0, url.indexOf(":")).toLowerCase();
  if (scheme === "mqtt" || scheme === "ws") {
    throw usageError(
      broker === undefined
        ? "Cannot use --ca without --broker"
        : `Cannot use --ca with ${scheme}://: such a connection has no TLS`,
      `Use --broker ${
        scheme === "ws" ? "wss" : "mqtts"
      }://HOST, or remove --ca.`,
    );
  }
  return { ca: await readCertificate(ca) };
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
 * The address of the store: that of `--store`, else a file named after the
 * server.
 *
 * @returns undefined if the system does not define a folder for data
 */
export function storeAddress(
  flags: { readonly store?: string; readonly name: string },
): string | undefined {
  if (flags.store !== undefined) return flags.store;
  const path = defaultStorePath(flags.name, Deno.build.os, env);
  return path && `sqlite:${path}`;
}
