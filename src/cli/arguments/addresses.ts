/** Default addresses, and the addresses that flags select. */
import { env } from "../env.ts";
import { brokerUrl } from "../../mqtt/url.ts";
import { defaultStorePath } from "../../store/location.ts";
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
