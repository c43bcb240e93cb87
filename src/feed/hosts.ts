/**
 * Names of the machine itself. Pure: runs in server and page.
 *
 * @module
 */

const LOCAL_NAME =
  /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Returns true for an address or name that only this machine can reach. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.toLowerCase();
  return LOCAL_NAME.test(bare) || bare === "::1";
}
