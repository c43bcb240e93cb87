/** A page with zones. */
import { PageSession, type PageSessionOptions } from "../session.ts";

/** A zone of a test: a rectangle of cells. */
export interface TestZone {
  readonly name: string;
  readonly title?: string;
  readonly layer?: string;
  readonly capacity?: number;
  readonly staleAfter?: string;
  /** The outer edges. */
  readonly box: readonly [x0: number, y0: number, x1: number, y1: number];
}

/** Returns zones as GeoJSON. */
export function collectionOf(zones: readonly TestZone[]): string {
  return JSON.stringify({
    type: "FeatureCollection",
    features: zones.map(({ box: [x0, y0, x1, y1], ...properties }) => ({
      type: "Feature",
      properties,
      geometry: {
        type: "Polygon",
        coordinates: [[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]],
      },
    })),
  });
}

/** Replaces all zones of a server. */
export async function putZones(
  url: string,
  zones: readonly TestZone[],
): Promise<void> {
  const response = await fetch(`${url}/api/v1/zones`, {
    method: "PUT",
    body: collectionOf(zones),
    headers: { "content-type": "application/geo+json" },
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`Cannot set the zones: ${answer}`);
}

/** Opens a page with zones, at an address, with readings. */
export async function openWithZones(
  zones: readonly TestZone[],
  options: PageSessionOptions = {},
): Promise<PageSession> {
  const session = await PageSession.open({ ...options, address: "" });
  try {
    await putZones(session.url, zones);
    await session.page.goto(`${session.url}/${options.address ?? ""}`);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}
