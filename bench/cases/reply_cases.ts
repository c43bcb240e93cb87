/**
 * How long the whole map takes to its asker's hand.
 *
 * @module
 */
import { Asker } from "../harness/asker.ts";
import { limitOf, Meter } from "../harness/cpu.ts";
import { withFolder } from "../harness/folder.ts";
import { RawClient } from "../harness/mqtt.ts";
import type { Sample } from "../harness/report.ts";
import type { Case } from "../harness/rounds.ts";
import { quantile } from "../harness/statistics.ts";
import { broker, subscriber } from "../systems/compared.ts";
import { occupancy, type Transport } from "../systems/occupancy.ts";
import { PREFIX, type Start } from "../systems/system.ts";
import { preload } from "./ingest.ts";
import type { Size } from "./size.ts";

const CELLS = 1_000_000;
const WARM_UP = 3;
const BARE = "bare byte writer and the same broker";

/** One case for each broker. */
export function replyCases(size: Size): Case[] {
  const asks = size.count(20);
  const caseOf = (transport: Transport, bare: Start): Case => {
    const ours = (root?: string) =>
      occupancy({
        transport,
        store: "memory",
        ...(root !== undefined && { root }),
      });
    const { against } = size;
    return {
      name: `reply-${transport}`,
      title: `${CELLS} cells in one reply, ${
        transport === "mosquitto" ? "through Mosquitto" : "embedded broker"
      }`,
      settings: { cells: CELLS, asks },
      subjects: [
        { name: BARE, measure: () => reply(bare, asks, false) },
        { name: "occupancy", measure: () => reply(ours(), asks, true) },
        ...(against === undefined ? [] : [{
          name: "occupancy, before",
          measure: () => reply(ours(against), asks, true),
        }]),
      ],
      goals: [{
        what: "of the bare writer",
        figure: "replyP50Milliseconds",
        subject: "occupancy",
        over: BARE,
        atMost: 1.2,
      }],
    };
  };
  return [
    caseOf("mosquitto", subscriber("bare_reply.ts")),
    caseOf("embedded", broker("bare_reply_aedes.ts")),
  ];
}

function reply(start: Start, asks: number, fill: boolean): Promise<Sample> {
  return withFolder(async (folder) => {
    // A bare writer has its cells from the start: as many as its mark says.
    await using system = await start({ qos: 1, marks: [CELLS], folder });
    if (fill) await preload(system, CELLS);
    using client = await RawClient.connect(system.port, "asks");
    const asker = new Asker(client, PREFIX, "asks");
    await asker.open();
    for (let i = 0; i < WARM_UP; i++) await asker.map();
    const meter = new Meter(system.members);
    const times: number[] = [];
    let bytes = 0;
    for (let i = 0; i < asks; i++) {
      const start = performance.now();
      bytes = await asker.map();
      times.push(performance.now() - start);
    }
    const usages = meter.stop();
    return {
      figures: {
        replyP50Milliseconds: quantile(times, 0.5),
        replyMostMilliseconds: Math.max(...times),
        replyBytes: bytes,
        ...Object.fromEntries(usages.map(({ role, cpuMicroseconds }) => [
          `${role}CpuMilliseconds`,
          cpuMicroseconds / 1000 / asks,
        ])),
      },
      limit: limitOf(usages),
    };
  });
}
