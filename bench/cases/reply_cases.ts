/**
 * Cases of replies: the time from a request for the whole map until the client
 * has received it.
 *
 * @module
 */
import { tempDir } from "../../tests/support/temp.ts";
import { limitOf, Meter } from "../harness/meter.ts";
import { RawClient } from "../harness/raw_client.ts";
import type { Sample } from "../harness/report.ts";
import { RawRequester } from "../harness/raw_requester.ts";
import { type Case, ourSubjects, type Size } from "../harness/rounds.ts";
import { quantile } from "../harness/statistics.ts";
import { broker, subscriber } from "../systems/compared.ts";
import { occupancy, type Transport } from "../systems/occupancy.ts";
import { PREFIX, type StartSystem } from "../systems/system.ts";
import { preload } from "./ingest.ts";

const CELLS = 1_000_000;
const WARM_UP_REQUESTS = 3;
const BYTE_WRITER = "byte writer only, same broker";

/** One case for each broker. */
export function replyCases(size: Size): Case[] {
  const requests = size.count(20);
  const caseOf = (transport: Transport, byteWriter: StartSystem): Case => ({
    name: `reply-${transport}`,
    title: `Reply with ${CELLS} cells, ${
      transport === "mosquitto" ? "Mosquitto" : "embedded broker"
    }`,
    settings: { cells: CELLS, requests },
    subjects: [
      { name: BYTE_WRITER, measure: () => reply(byteWriter, requests, false) },
      ...ourSubjects(
        "occupancy",
        size,
        (root) =>
          reply(
            occupancy({ transport, store: "memory", root }),
            requests,
            true,
          ),
      ),
    ],
    goals: [{
      what: "ratio to the byte writer",
      figure: "replyP50Milliseconds",
      subject: "occupancy",
      over: BYTE_WRITER,
      atMost: 1.2,
    }],
  });
  return [
    caseOf("mosquitto", subscriber("bare_reply.ts")),
    caseOf("embedded", broker("bare_reply_broker.ts")),
  ];
}

async function reply(
  start: StartSystem,
  requests: number,
  fill: boolean,
): Promise<Sample> {
  await using folder = await tempDir();
  // The byte writer makes its own cells: as many as its mark.
  const marks = [CELLS];
  await using system = await start({ qos: 1, marks, folder: folder.path });
  if (fill) await preload(system, CELLS);
  using client = await RawClient.connect(system.port, "requests");
  const requester = new RawRequester(client, PREFIX, "requests");
  await requester.open();
  for (let i = 0; i < WARM_UP_REQUESTS; i++) await requester.requestMap();
  const meter = new Meter(system.processes);
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < requests; i++) {
    const startedAt = performance.now();
    bytes = await requester.requestMap();
    times.push(performance.now() - startedAt);
  }
  const usages = meter.stop();
  return {
    figures: {
      replyP50Milliseconds: quantile(times, 0.5),
      replyMaxMilliseconds: Math.max(...times),
      replyBytes: bytes,
      ...Object.fromEntries(usages.map(({ role, cpuMicroseconds }) => [
        `${role}CpuMilliseconds`,
        cpuMicroseconds / 1000 / requests,
      ])),
    },
    limit: limitOf(usages),
  };
}
