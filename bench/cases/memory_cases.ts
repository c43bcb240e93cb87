/**
 * Cases of memory: bytes per cell, and ingest with a large map.
 *
 * @module
 */
import { tempDir } from "../../tests/support/temp.ts";
import { memoryOf } from "../harness/meter.ts";
import type { Order } from "../harness/packets.ts";
import { RawClient } from "../harness/raw_client.ts";
import type { Sample } from "../harness/report.ts";
import { RawRequester } from "../harness/raw_requester.ts";
import { type Case, ourSubjects, type Size } from "../harness/rounds.ts";
import { occupancy } from "../systems/occupancy.ts";
import { PREFIX } from "../systems/system.ts";
import { ingest, type IngestShape, preload } from "./ingest.ts";

const MILLION = 1_000_000;
const DENSE = "10 million cells, dense";
const SCATTERED = "1 million cells, scattered";
/** Bytes per cell; bytes of the whole server. */
const GOALS = { dense: 40, scattered: 120, server: 1.2e9 };
const STORES = ["memory", "sqlite"] as const;

/** The memory of a map, and ingest with a small and a large map. */
export function memoryCases(size: Size): Case[] {
  return [memory(size), flat(size)];
}

function memory(size: Size): Case {
  const subjects = (name: string, cells: number, order: Order) =>
    ourSubjects(name, size, (root) => measureMemory(cells, order, root));
  return {
    name: "memory",
    title: "Memory of the server, SQLite, embedded broker",
    settings: { readingsPerMessage: 1000 },
    subjects: [
      ...subjects(DENSE, 10 * MILLION, "sweep"),
      ...subjects(SCATTERED, MILLION, "scattered"),
    ],
    goals: [
      {
        what: "resident bytes per cell",
        figure: "residentBytesPerCell",
        subject: DENSE,
        atMost: GOALS.dense,
      },
      {
        what: "resident bytes per cell",
        figure: "residentBytesPerCell",
        subject: SCATTERED,
        atMost: GOALS.scattered,
      },
      {
        what: "peak while the whole map is sent",
        figure: "peakResidentBytes",
        subject: DENSE,
        atMost: GOALS.server,
      },
    ],
    maxRounds: 2,
  };
}

async function measureMemory(
  cells: number,
  order: Order,
  root?: string,
): Promise<Sample> {
  await using folder = await tempDir();
  const start = occupancy({ transport: "embedded", store: "sqlite", root });
  await using system = await start({ qos: 1, marks: [], folder: folder.path });
  const { pid } = system.processes.at(-1)!;
  // The same number of readings over a small map first: the memory of the work
  // itself is not counted.
  await preload(system, 1000, "sweep", cells);
  const before = memoryOf(pid).now;
  await preload(system, cells, order);
  const { now, peak } = memoryOf(pid);
  using client = await RawClient.connect(system.port, "requests");
  const requester = new RawRequester(client, PREFIX, "requests");
  await requester.open();
  const startedAt = performance.now();
  const replyBytes = await requester.requestMap();
  return {
    figures: {
      residentBytes: now,
      residentBytesPerCell: (now - before) / cells,
      peakIngestResidentBytes: peak,
      peakResidentBytes: memoryOf(pid).peak,
      replyBytes,
      replyMilliseconds: performance.now() - startedAt,
    },
  };
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
    [small, large].flatMap((cells) => {
      const load: IngestShape = { ...shape, cells, preloaded: cells };
      return ourSubjects(
        nameOf(store, cells),
        size,
        (root) =>
          ingest(occupancy({ transport: "embedded", store, root }), load, {
            checked: true,
          }),
      );
    })
  );
  return {
    name: "flat",
    title: "Ingest with a small and a large map, embedded broker",
    settings: { ...shape },
    subjects,
    goals: STORES.map((store) => ({
      what: "ratio to the small map",
      figure: "readingsPerSecond",
      subject: nameOf(store, large),
      over: nameOf(store, small),
      atLeast: 0.7,
    })),
    maxRounds: 3,
  };
}
