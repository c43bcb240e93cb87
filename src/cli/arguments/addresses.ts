/** Default addresses, and the addresses that flags select. */
import { env } from "../env.ts";
import { brokerUrl, redactUrl, withoutLogin } from "../../mqtt/url.ts";
import { defaultStorePath } from "../../store/location.ts";
import { usageError } from "../errors.ts";
import type { BrokerFlags } from "./common_options.ts";

/** How many brokers a server joins at most: each has its connections. */
const MAX_BROKERS = 16;

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
 * The full addresses of all brokers.
 *
 * @param broker the values of `--broker`; one that is not a list is one broker
 * @throws {LinkError} if one is not a broker address
 * @throws {AppError} (usage) if there are too many, or one twice
 */
export function brokersOf(
  { broker = [] }: { readonly broker?: string | readonly string[] },
): readonly [string, ...string[]] {
  const [first = brokerUrl(DEFAULT_BROKER), ...others] = [broker].flat().map(
    brokerUrl,
  );
  if (others.length >= MAX_BROKERS) {
    throw usageError(
      `Cannot use more than ${MAX_BROKERS} --broker`,
      "Connect the brokers to each other, and use some of them.",
    );
  }
  const all = [first, ...others] as const;
  const addresses = all.map((url) => withoutLogin(url).replace(/\/$/, ""));
  const twice = addresses.find((one, i) => addresses.indexOf(one) < i);
  if (twice !== undefined) {
    throw usageError(
      `Cannot use --broker twice with the same broker: ${redactUrl(twice)}`,
      "Remove one of them: they would have the same client id, and a broker accepts it once.",
    );
  }
  return all;
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
