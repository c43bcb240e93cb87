/**
 * Connections to a broker that is killed at any moment.
 *
 * @module
 */
import { type ConnectOptions, encodeConnect } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until } from "../support/until.ts";

/** Longest time without a broker, or without any progress. */
export const TIMEOUT_MS = 30_000;

/** Connects; repeats this until a broker accepts. */
export async function reconnect(
  port: number,
  clientId: string,
  options: ConnectOptions = {},
): Promise<RawConnection> {
  return await until(async () => {
    let connection: RawConnection | undefined;
    try {
      connection = await RawConnection.dial(port);
      await connection.write(encodeConnect(clientId, options));
      if ((await connection.next())?.cmd === "connack") return connection;
    } catch (error) {
      if (!isLoss(error)) throw error;
    }
    await connection?.[Symbol.asyncDispose]();
  }, { deadline: TIMEOUT_MS, what: "a connection to the broker" });
}

/** Returns true if the error means that the connection is lost. */
export function isLoss(error: unknown): boolean {
  return [
    Deno.errors.ConnectionRefused,
    Deno.errors.ConnectionReset,
    Deno.errors.BrokenPipe,
    Deno.errors.BadResource,
    Deno.errors.Interrupted,
    Deno.errors.NotConnected,
  ].some((Loss) => error instanceof Loss);
}
