/**
 * What maps take in memory, and how a large one holds up.
 *
 * @module
 */
import { Asker } from "../harness/asker.ts";
import { memoryOf } from "../harness/cpu.ts";
import { withFolder } from "../harness/folder.ts";
import { RawClient } from "../harness/mqtt.ts";
import type { Order } from "../harness/packets.ts";
import type { Sample } from "../harness/report.ts";
import type { Case, Subject } from "../harness/rounds.ts";
import { occupancy } from "../systems/occupancy.ts";
import { PREFIX } from "../systems/system.ts";
import { ingest, type IngestShape, preload } from "./ingest.ts";
import type { Size } from "./size.ts";

const MILLION = 1_000_000;
const DENSE = "10 million cells, dense";
const SCATTERED = "1 million cells, scattered";
/** Dense and scattered, in resident bytes a cell; and all of a server, in bytes. */
const GOALS = { dense: 40, scattered: 120, server: 1.2e9 };
const STORES = ["memory", "sqlite"] as const;

/** Memory, and ingest over a large map beside a small one. */
export function memoryCases(size: Size): Case[] {
  return [memory(size), flat(size)];
}

function memory({ against }: Size): Case {
  const subjects = (name: string, cells: number, order: Order): Subject[] => {
    const subject = (name: string, root?: string): Subject => ({
      name,
      measure: () => measureMemory(cells, order, root),
    });
    return against === undefined
      ? [subject(name)]
      : [subject(name), subject(`${name}, before`, against)];
  };
  return {
    name: "memory",
    title: "Memory of a server, SQLite, embedded broker",
    settings: { readingsPerMessage: 1000 },
    subjects: [
      ...subjects(DENSE, 10 * MILLION, "sweep"),
      ...subjects(SCATTERED, MILLION, "scattered"),
    ],
    goals: [
      {
        what: "resident, a cell",
        figure: "residentBytesPerCell",
        subject: DENSE,
        atMost: GOALS.dense,
      },
      {
        what: "resident, a cell",
        figure: "residentBytesPerCell",
        subject: SCATTERED,
        atMost: GOALS.scattered,
      },
      {
        what: "at most while the whole map is sent",
        figure: "peakResidentBytes",
        subject: DENSE,
        atMost: GOALS.server,
      },
    ],
    maxRounds: 2,
  };
}

function measureMemory(
  cells: number,
  order: Order,
  root?: string,
): Promise<Sample> {
  return withFolder(async (folder) => {
    await using system = await occupancy({
      transport: "embedded",
      store: "sqlite",
      ...(root !== undefined && { root }),
    })({ qos: 1, marks: [], folder });
    const { pid } = system.members.at(-1)!;
    // The same work over a small map, so that what the work takes is not counted.
    await preload(system, 1000, "sweep", cells);
    const before = memoryOf(pid).now;
    await preload(system, cells, order);
    const { now, peak } = memoryOf(pid);
    using client = await RawClient.connect(system.port, "asks");
    const asker = new Asker(client, PREFIX, "asks");
    await asker.open();
    const start = performance.now();
    const replyBytes = await asker.map();
    return {
      figures: {
        residentBytes: now,
        residentBytesPerCell: (now - before) / cells,
        peakIngestResidentBytes: peak,
        peakResidentBytes: memoryOf(pid).peak,
        replyBytes,
        replyMilliseconds: performance.now() - start,
      },
    };
  });
}

function flat(size: Size): Case {
  const shape = {
    qos: 1,
    readingsPerMessage: 100,
    warmUp: size.count(10_000),
    messages: size.count(100_000),
    order: "patches",
    window: 200,
  } as const;
  const small = 10_000;
  const large = size.quick ? MILLION : 10 * MILLION;
  const nameOf = (store: string, cells: number) => `${store}, ${cells} cells`;
  const subjects = STORES.flatMap((store) =>
    [small, large].flatMap((cells): Subject[] => {
      const all: IngestShape = { ...shape, cells, preloaded: cells };
      const subject = (name: string, root?: string): Subject => ({
        name,
        measure: () =>
          ingest(
            occupancy({
              transport: "embedded",
              store,
              ...(root !== undefined && { root }),
            }),
            all,
            { checked: true },
          ),
      });
      const name = nameOf(store, cells);
      return size.against === undefined
        ? [subject(name)]
        : [subject(name), subject(`${name}, before`, size.against)];
    })
  );
  return {
    name: "flat",
    title: "Ingest over a small and a large map, embedded broker",
    settings: { ...shape },
    subjects,
    goals: STORES.map((store) => ({
      what: "of the small map",
      figure: "readingsPerSecond",
      subject: nameOf(store, large),
      over: nameOf(store, small),
      atLeast: 0.7,
    })),
    maxRounds: 3,
  };
}
