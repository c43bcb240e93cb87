/**
 * Groups the IP addresses of clients.
 *
 * @module
 */

/** The 16-bit groups of an IPv6 address that name its network: a /64. */
const NETWORK_GROUPS = 4;
/** Groups of an IPv6 address. */
const GROUPS = 8;

/**
 * Returns the network of a client, as a key for what is counted by client: an
 * IPv4 address as it is, and of an IPv6 address the first 64 bits, because one
 * client can use all addresses of such a network (RFC 6177).
 *
 * @param address an IP address without brackets, also an IPv4 address in IPv6
 * (`::ffff:192.0.2.1`); any other text is returned as it is
 *
 * @example
 * ```ts
 * import { clientNetwork } from "./client_network.ts";
 *
 * clientNetwork("192.0.2.1"); // "192.0.2.1"
 * clientNetwork("::ffff:192.0.2.1"); // "192.0.2.1"
 * clientNetwork("2001:db8::1"); // "2001:db8:0:0::/64"
 * ```
 */
export function clientNetwork(address: string): string {
  if (!address.includes(":")) return address;
  const [bare = ""] = address.toLowerCase().split("%", 1); // without its zone
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare);
  if (mapped !== null) return mapped[1]!;
  const [head = [], tail] = bare.split("::").map((part) =>
    part === "" ? [] : part.split(":")
  );
  const missing = tail === undefined ? 0 : GROUPS - head.length - tail.length;
  const groups = [...head, ...Array(Math.max(0, missing)).fill("0")]
    .concat(tail ?? [])
    .map((group) => group.replace(/^0+(?=.)/, ""));
  return `${groups.slice(0, NETWORK_GROUPS).join(":")}::/64`;
}
