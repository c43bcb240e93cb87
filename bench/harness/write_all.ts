/**
 * Writes to a connection.
 *
 * @module
 */

/** Writes all of the bytes: `write` of a connection may write fewer. */
export async function writeAll(
  connection: Pick<Deno.Conn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}
