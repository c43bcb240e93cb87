/**
 * A server process with a large map, over each kind of broker, and clients that
 * request the map.
 *
 * @module
 */
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { encode, encodePublish } from "../support/packets.ts";
import { Running } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import type { BrokerKind } from "../support/system.ts";
import { watchedArgs } from "../support/turns.ts";
import { until } from "../support/until.ts";

/** The map has so many cells, in rows of 1,000. */
export const CELLS = 300_000;
const ROWS_PER_MESSAGE = 10_000;

/** A server process with a large map. */
export interface AttackedServer extends AsyncDisposable {
  readonly server: Running;
  readonly port: number;
  /** The broker; undefined if it is the embedded one. */
  readonly mosquitto: Mosquitto | undefined;
}

/** Starts a server and fills its map. */
export async function startAttacked(
  kind: BrokerKind,
  args: readonly string[] = [],
): Promise<AttackedServer> {
  const mosquitto = kind === "mosquitto"
    ? await startMosquitto(["max_queued_messages 100000"])
    : undefined;
  const server = new Running(
    Deno.execPath(),
    watchedArgs([
      "server",
      ...(mosquitto
        ? ["--broker", mosquitto.url]
        : ["--listen", "127.0.0.1:0"]),
      ...args,
    ]),
  );
  await server.waitFor(/Ready/);
  const port = mosquitto?.port ??
    Number((await server.waitFor(/127\.0\.0\.1:(\d+)/))[1]);
  await fill(port);
  return {
    server,
    port,
    mosquitto,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await mosquitto?.[Symbol.asyncDispose]();
    },
  };
}

async function fill(port: number): Promise<void> {
  await using client = await RawConnection.open(port, "filler");
  for (let from = 0; from < CELLS; from += ROWS_PER_MESSAGE) {
    const rows = Array.from(
      { length: ROWS_PER_MESSAGE },
      (_, i) => `${(from + i) % 1000},${Math.floor((from + i) / 1000)},1`,
    );
    const id = 1 + from / ROWS_PER_MESSAGE;
    await client.write(
      encodePublish("occupancy/data", rows.join("\n"), { id }),
    );
  }
  for (let from = 0; from < CELLS; from += ROWS_PER_MESSAGE) {
    await client.take("puback");
  }
}

/** Sends requests without waiting for the replies. */
export async function flood(
  client: RawConnection,
  count: number,
  request: (index: number) => Record<string, unknown>,
): Promise<void> {
  const packets = Array.from(
    { length: count },
    (_, i) =>
      encodePublish("occupancy/request", JSON.stringify(request(i)), {
        id: 1 + i % 65_000,
      }),
  );
  await client.write(...packets);
}

/**
 * Requests 16 cells some times, one after the other.
 *
 * @returns the times until the replies, in ms, the shortest first
 */
export async function requestSmall(
  client: RawConnection,
  count: number,
): Promise<number[]> {
  const times: number[] = [];
  const replyTo = "occupancy/response/good";
  await client.subscribe(replyTo, 1);
  for (let transaction = 0; transaction < count; transaction++) {
    const start = performance.now();
    const request = { transaction, region: [0, 0, 3, 3], replyTo };
    await client.write(encodePublish(
      "occupancy/request",
      JSON.stringify(request),
      { id: 1 + transaction },
    ));
    await until(async () => {
      const reply = await client.take("publish");
      await client.write(
        encode({ cmd: "puback", messageId: reply.messageId! }),
      );
      return JSON.parse(reply.payload.toString()).transaction === transaction;
    });
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}
