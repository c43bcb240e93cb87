/**
 * Cases of zones: ingest with and without them, and how long it takes until new
 * zones are in force.
 *
 * @module
 */
import { freePort, tempDir } from "../../tests/support/temp.ts";
import { Meter } from "../harness/meter.ts";
import { RawClient } from "../harness/raw_client.ts";
import type { Sample } from "../harness/report.ts";
import {
  type Case,
  ourSubjects,
  type Size,
  type Subject,
} from "../harness/rounds.ts";
import { occupancy, startServer } from "../systems/occupancy.ts";
import { PREFIX } from "../systems/system.ts";
import { ingest, type IngestShape, preload } from "./ingest.ts";

const MILLION = 1_000_000;
const ZONES = 10_000;
const STORES = ["memory", "sqlite"] as const;
const GOAL = 0.85;
/** The first cells change all zones, with 20,000 events: they are published. */
const PAUSE_MS = 6000;

/** All cases of zones. */
export function zoneCases(size: Size): Case[] {
  return [
    manyZones(size, 100),
    manyZones(size, 1),
    largeZone(size),
    newZones(size),
  ];
}

/** 10,000 zones, each of 100 of a million cells. */
function manyZones(size: Size, readingsPerMessage: 1 | 100): Case {
  const many = readingsPerMessage > 1;
  const shape: IngestShape = {
    qos: 1,
    readingsPerMessage,
    warmUp: size.count(many ? 20_000 : 400_000),
    messages: size.count(many ? 120_000 : 5_000_000),
    cells: MILLION,
    order: "random",
    window: many ? 400 : 4000,
    preloaded: MILLION,
    pauseMs: PAUSE_MS,
  };
  const zones = collection(squares(1000, 10));
  return {
    name: `zones-${readingsPerMessage}`,
    title: `Ingest with 10,000 zones, ${readingsPerMessage} ${
      many ? "readings" : "reading"
    } per message, embedded broker`,
    settings: { ...shape, zones: ZONES },
    subjects: STORES.flatMap((store) => [
      ...subjects(`${store}, no zones`, { store }, shape, size),
      ...subjects(`${store}, 10,000 zones`, { store, zones }, shape, size),
    ]),
    goals: STORES.map((store) => ({
      what: "ratio to no zones",
      figure: many ? "readingsPerSecond" : "messagesPerSecond",
      subject: `${store}, 10,000 zones`,
      over: `${store}, no zones`,
      atLeast: GOAL,
    })),
  };
}

/** One zone: of ten million cells, or of 100 of them. */
function largeZone(size: Size): Case {
  const cells = size.quick ? MILLION : 10 * MILLION;
  const side = Math.ceil(Math.sqrt(cells));
  const shape: IngestShape = {
    qos: 1,
    readingsPerMessage: 100,
    warmUp: size.count(10_000),
    messages: size.count(80_000),
    cells,
    order: "random",
    window: 400,
    preloaded: cells,
    pauseMs: PAUSE_MS,
  };
  const [none, small, large] = [
    "no zone",
    "a zone of 100 cells",
    `a zone of all ${cells} cells`,
  ] as const;
  const of = (name: string, zones?: string) =>
    subjects(name, { store: "memory", zones }, shape, size);
  return {
    name: "zone-large",
    title: "Ingest with one zone, memory, embedded broker",
    settings: { ...shape },
    subjects: [
      ...of(none),
      ...of(small, collection([square(0, 0, 10)])),
      ...of(large, collection([square(0, 0, side)])),
    ],
    goals: [{
      what: "ratio to the small zone",
      figure: "readingsPerSecond",
      subject: large,
      over: small,
      atLeast: GOAL,
    }],
    maxRounds: 3,
  };
}

function subjects(
  name: string,
  { store, zones }: {
    readonly store: "memory" | "sqlite";
    readonly zones?: string | undefined;
  },
  shape: IngestShape,
  size: Size,
): Subject[] {
  return ourSubjects(
    name,
    size,
    (root) =>
      ingest(occupancy({ transport: "embedded", store, zones, root }), shape, {
        checked: true,
      }),
  );
}

/** New zones over a map of a million cells. */
function newZones(size: Size): Case {
  const of = (store: "memory" | "sqlite") =>
    ourSubjects(
      `${store}, 10,000 polygons`,
      size,
      (root) => measureNewZones(store, root),
    );
  return {
    name: "zones-new",
    title: "10,000 polygons of 12 vertices put over HTTP, embedded broker",
    settings: { cells: MILLION, zones: ZONES },
    subjects: STORES.flatMap(of),
    goals: STORES.map((store) => ({
      what: "until all states are known",
      figure: "putMilliseconds",
      subject: `${store}, 10,000 polygons`,
      atMost: 1000,
    })),
  };
}

/** Puts polygons, and waits until a subscriber has the state of each. */
async function measureNewZones(
  store: "memory" | "sqlite",
  root?: string,
): Promise<Sample> {
  await using folder = await tempDir();
  const [port, httpPort] = [freePort(), freePort()];
  await using server = await startServer({
    link: [
      ...["--listen", `127.0.0.1:${port}`],
      ...["--http", `127.0.0.1:${httpPort}`],
    ],
    store: store === "memory" ? "memory:" : `sqlite:${folder.path}/map.sqlite`,
    root,
  });
  await preload({ port }, MILLION);
  using subscriber = await RawClient.connect(port, "zones");
  await subscriber.subscribe(`${PREFIX}/zone/+`);
  const body = collection(rounds(1000, 10));
  const published = new Set<string>();
  subscriber.onMessage = ({ topic }) => void published.add(topic);
  const meter = new Meter([{ role: "server", pid: server.pid }]);
  const startedAt = performance.now();
  const response = await fetch(`http://127.0.0.1:${httpPort}/api/v1/zones`, {
    method: "PUT",
    headers: { "content-type": "application/geo+json" },
    body,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  const putMilliseconds = performance.now() - startedAt;
  await subscriber.until(() => published.size === ZONES);
  const publishedMilliseconds = performance.now() - startedAt;
  const [usage] = meter.stop();
  return {
    figures: {
      putMilliseconds,
      publishedMilliseconds,
      serverCpuMilliseconds: usage!.cpuMicroseconds / 1000,
    },
  };
}

type Ring = readonly (readonly [x: number, y: number])[];

/** Squares that cover a larger one. */
function squares(side: number, size: number): Ring[] {
  return grid(side, size, (x, y) => square(x, y, size));
}

/** Polygons of 12 vertices, one in each square. */
function rounds(side: number, size: number): Ring[] {
  const radius = 0.48 * size;
  return grid(side, size, (x, y) => {
    const ring = Array.from({ length: 12 }, (_, i) => {
      const angle = 2 * Math.PI * i / 12;
      return [
        x + size / 2 + radius * Math.cos(angle),
        y + size / 2 + radius * Math.sin(angle),
      ] as const;
    });
    return [...ring, ring[0]!];
  });
}

function grid(
  side: number,
  size: number,
  make: (x: number, y: number) => Ring,
): Ring[] {
  const rings: Ring[] = [];
  for (let y = 0; y < side; y += size) {
    for (let x = 0; x < side; x += size) rings.push(make(x, y));
  }
  return rings;
}

function square(x: number, y: number, size: number): Ring {
  const [right, end] = [x + size, y + size];
  return [[x, y], [right, y], [right, end], [x, end], [x, y]];
}

/** Returns a collection with a zone for each ring. */
function collection(rings: readonly Ring[]): string {
  return JSON.stringify({
    type: "FeatureCollection",
    features: rings.map((ring, i) => ({
      type: "Feature",
      properties: { name: `zone-${i}`, capacity: 100 },
      geometry: { type: "Polygon", coordinates: [ring] },
    })),
  });
}
