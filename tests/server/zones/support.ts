/** A server with zones, over a fake link and a real store. */
import {
  readZones,
  type Zone,
  type ZoneEvent,
} from "../../../src/zones/mod.ts";
import { Server } from "../../../src/server/mod.ts";
import type { ServerOptions } from "../../../src/server/context.ts";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { FakeLink, incoming } from "../../support/fake_link.ts";
import { until } from "../../support/until.ts";
import { fakeOptions, NOW } from "../support.ts";

/** Properties of a zone that a test changes. */
export interface ZoneOptions {
  readonly capacity?: number;
  readonly title?: string;
  readonly clearAfter?: string;
  readonly staleAfter?: string;
  readonly fill?: string;
}

/** Returns the feature of a square zone of the default layer. */
export function squareFeature(
  name: string,
  [x, y, size]: readonly [x: number, y: number, size: number],
  options: ZoneOptions = {},
): unknown {
  return {
    type: "Feature",
    properties: { name, ...options },
    geometry: {
      type: "Polygon",
      coordinates: [[
        ...[[x, y], [x + size, y], [x + size, y + size], [x, y + size]],
        [x, y],
      ]],
    },
  };
}

/** Returns square zones of the default layer. */
export function squares(
  ...all: Parameters<typeof squareFeature>[]
): Promise<readonly Zone[]> {
  return readZones(JSON.stringify({
    type: "FeatureCollection",
    features: all.map((one) => squareFeature(...one)),
  }));
}

/** A started server. */
export interface ZoneSystem extends AsyncDisposable {
  readonly server: Server;
  readonly link: FakeLink;
  readonly log: string[];
  /** Sends readings and waits until the states have them. */
  send(text: string): Promise<void>;
  /** The last state published of a zone; undefined if it was deleted. */
  published(zone: string): Record<string, unknown> | undefined;
  /** The names of the events published of a zone, in order. */
  events(zone: string): ZoneEvent["event"][];
}

/** Starts a server with a clock fixed at NOW. */
export async function startZones(
  options: Partial<ServerOptions> & { link?: FakeLink } = {},
): Promise<ZoneSystem> {
  const log: string[] = [];
  const link = options.link ?? new FakeLink();
  const map = new OccupancyMap({ maxSkew: 60_000 });
  const server = new Server({ ...fakeOptions(log), map, ...options, link });
  await server.start();
  return {
    server,
    link,
    log,
    send: async (text) => {
      link.handlers.message(incoming("occupancy/data", text));
      await server.processed();
      await server.zones.updated();
    },
    published: (zone) => {
      const last = link.textsOn(`occupancy/zone/${zone}`).at(-1);
      return last === undefined || last === "" ? undefined : JSON.parse(last);
    },
    events: (zone) =>
      link.textsOn(`occupancy/zone/${zone}/event`)
        .map((text) => JSON.parse(text).event),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** Waits until a link has this number of messages on a topic. */
export async function untilPublished(
  link: FakeLink,
  topic: string,
  count: number,
): Promise<void> {
  await until(() => link.textsOn(topic).length >= count, {
    what: `${count} on ${topic}`,
  });
}

export { NOW };
