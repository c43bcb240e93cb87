/**
 * How clients reach the broker of `occupancy server`, for the commands that the
 * dashboard shows.
 */
import { resolve } from "node:path";
import { accessOptions } from "../../../feed/commands.ts";
import type { ClientAccess } from "../../../http/mod.ts";
import { DEFAULT_PREFIX } from "../../../protocol/mod.ts";
import { hostAndPort } from "../../../common/host.ts";
import { isLoopback } from "../../../feed/hosts.ts";
import {
  brokerOf,
  brokersOf,
  DEFAULT_BROKER,
} from "../../arguments/addresses.ts";
import type { ListenAddress } from "../../arguments/address_values.ts";
import type { ServerFlags } from "./options.ts";

/** Addresses that stand for all addresses of a machine. */
const ALL_ADDRESSES = new Set(["0.0.0.0", "::"]);

/** Addresses that a client reaches without `--broker`. */
const DEFAULT_BROKERS = new Set([DEFAULT_BROKER, "mqtt://127.0.0.1:1883"]);

/**
 * Returns how clients reach the broker.
 *
 * @param embedded the address of the embedded broker; undefined if the broker
 * is another one
 */
export function clientAccess(
  flags: Pick<
    ServerFlags,
    | ("broker" | "user" | "ca" | "prefix" | "publicBroker")
    | ("users" | "allowAnonymous")
  >,
  embedded: ListenAddress | undefined,
): ClientAccess {
  const { prefix, publicBroker, users, allowAnonymous } = flags;
  if (publicBroker !== undefined) {
    const url = brokerOf({ broker: publicBroker });
    return { ...withoutLogin(url), prefix, reach: "everywhere" };
  }
  if (embedded === undefined) {
    const url = withoutLogin(brokersOf(flags)[0]);
    const { hostname } = new URL(url.broker);
    const reach = isLoopback(hostname) ? "machine" : "everywhere";
    const { user, ca } = flags;
    return {
      ...url,
      ...(user !== undefined && { needsLogin: true }),
      prefix,
      reach,
      ...(ca && { ca: resolve(ca) }),
    };
  }
  const { host, port } = embedded;
  const isAll = ALL_ADDRESSES.has(host);
  const reach = isAll ? "page" : isLoopback(host) ? "machine" : "everywhere";
  return {
    broker: `mqtt://${hostAndPort(isAll ? "127.0.0.1" : host, port)}`,
    needsLogin: users !== undefined && !allowAnonymous,
    prefix,
    reach,
  };
}

/** Returns the `occupancy request` that shows the map in a terminal. */
export function watchCommand(access: ClientAccess): string {
  const { broker, prefix, ca } = access;
  const isDefault = DEFAULT_BROKERS.has(broker) && prefix === DEFAULT_PREFIX &&
    ca === undefined;
  const command = "occupancy request --watch";
  return isDefault ? command : `${command} ${accessOptions(access)}`;
}

/** Viewers of the page must not get the login of the server. */
function withoutLogin(
  broker: string,
): Pick<ClientAccess, "broker" | "needsLogin"> {
  const url = new URL(broker);
  const needsLogin = url.username !== "" || url.password !== "";
  url.username = url.password = "";
  return { broker: url.href, needsLogin };
}
