/// <reference lib="dom" />
/**
 * Loads and saves the collection of all zones. One request saves all changes or
 * none; `If-Match` makes sure that nothing is overwritten that the person has
 * not seen (RFC 9110, 13.1.1).
 *
 * @module
 */

import type { Work } from "../../../common/turns.ts";
import { readZonesInSteps } from "../../../zones/geojson.ts";
import { writeZones } from "../../../zones/write_geojson.ts";
import type { Zone } from "../../../zones/zone.ts";
import { endSentence, parseProblem } from "../../feed/requests.ts";
import { ZONES_PATH } from "../zone_definitions.ts";
import { type Draft, draftsOf, zoneOf } from "./draft.ts";

/** Work between two looks at the events of the page, ms. */
const SLICE_MS = 12;
const CHANGED = 412;

/** The zones that the server has. */
export interface SavedZones {
  readonly draft: Draft;
  /** With its quotes. */
  readonly etag: string;
}

/** Why zones could not be loaded or saved, in sentences for people. */
export class ZonesApiError extends Error {
  override readonly name = "ZonesApiError";
}

/**
 * Loads the zones.
 *
 * @throws {ZonesApiError} if there is no usable answer
 */
export async function loadZones(): Promise<SavedZones> {
  const response = await request("The zones cannot be loaded", {
    cache: "no-cache",
  });
  const etag = response.headers.get("etag");
  if (!response.ok || etag === null) {
    throw await refusal("The zones cannot be loaded", response);
  }
  const zones = await inSlices(readZonesInSteps(await response.text()));
  return { draft: draftsOf(zones), etag };
}

/**
 * Saves all zones.
 *
 * @param draft valid zones
 * @param etag of the zones that they replace
 * @returns the new ETag; "changed" if the server has other zones than those
 * with the ETag: nothing was saved
 * @throws {ZonesApiError} if the server refuses them or does not answer
 */
export async function saveZones(
  draft: Draft,
  etag: string,
): Promise<{ readonly etag: string } | "changed"> {
  const response = await request(
    "The server did not answer: it is not known whether the zones were saved",
    {
      method: "PUT",
      headers: { "content-type": "application/geo+json", "if-match": etag },
      body: [...writeZones(draft.map(zoneOf))].join(""),
    },
  );
  if (response.status === CHANGED) return "changed";
  if (!response.ok) throw await refusal("The zones were not saved", response);
  const saved = response.headers.get("etag");
  return { etag: saved ?? (await loadZones()).etag };
}

/**
 * Reads zones of a file; the page stays usable.
 *
 * @throws {ZoneError} rejects with it if the zones are not valid
 */
export function readFile(text: Uint8Array): Promise<readonly Zone[]> {
  return inSlices(readZonesInSteps(text));
}

async function request(
  problem: string,
  init: RequestInit,
): Promise<Response> {
  try {
    return await fetch(ZONES_PATH, init);
  } catch {
    throw new ZonesApiError(
      `${problem}. Check the connection to the server, and try again.`,
    );
  }
}

/** Says why the server refused a request. */
async function refusal(
  problem: string,
  response: Response,
): Promise<ZonesApiError> {
  const { status, statusText } = response;
  const text = await response.text().catch(() => "");
  const { detail = statusText, hint } = parseProblem(text);
  const reason = status === 401
    ? "The page is no longer logged in. Export the zones to keep your changes, then reload the page."
    : `${endSentence(detail === "" ? `Status ${status}` : detail)}${
      hint === undefined ? "" : ` ${endSentence(hint)}`
    }`;
  return new ZonesApiError(`${problem}: ${reason}`);
}

/** Does a work in slices, between which the page handles events. */
async function inSlices<Result>(work: Work<Result>): Promise<Result> {
  for (;;) {
    const end = performance.now() + SLICE_MS;
    do {
      const step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve));
  }
}
