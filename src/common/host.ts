/**
 * Addresses of endpoints.
 *
 * @module
 */

/**
 * Returns host and port as in a URL.
 *
 * @param host a name or an address; an IPv6 address without brackets
 * @param port 0 to 65535
 */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
