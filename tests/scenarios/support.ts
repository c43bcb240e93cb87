/** Requests and server arguments of the scenarios. */
import { encodePublish } from "../support/packets.ts";
import type { RawConnection } from "../support/raw_connection.ts";

const REPLIES = "occupancy/response/scenario";

/** A reply in one part, or an error. */
export interface MapReply {
  readonly status: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly revision: number;
  /** ms since 1970. */
  readonly time: number;
  readonly parts: number;
  /** x, y, value and time of each cell. */
  readonly cells: readonly (readonly number[])[];
}

/**
 * Returns the arguments of a server with a store in a folder.
 *
 * @param broker the address of a broker, or the port of the embedded broker
 */
export function serverArgs(broker: string | number, folder: string): string[] {
  return [
    "server",
    ...(typeof broker === "string"
      ? ["--broker", broker]
      : ["--listen", `127.0.0.1:${broker}`]),
    "--store",
    `sqlite:${folder}/map.sqlite`,
  ];
}

/** Waits for the next message and returns its JSON. */
// deno-lint-ignore no-explicit-any
export async function takeJson(client: RawConnection): Promise<any> {
  return JSON.parse((await client.take("publish")).payload.toString());
}

/** Requests a layer and returns the reply. */
export async function requestMap(
  client: RawConnection,
  { qos = 1, ...rest }: {
    qos?: 0 | 1;
    layer?: string;
    region?: readonly number[];
  } = {},
): Promise<MapReply> {
  await client.subscribe(REPLIES);
  const request = JSON.stringify({ replyTo: REPLIES, ...rest });
  await client.write(
    encodePublish("occupancy/request", request, { qos, id: 8 }),
  );
  return await takeJson(client);
}
