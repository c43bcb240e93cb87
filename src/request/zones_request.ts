/**
 * The request for the states of zones, and what its replies mean.
 *
 * @module
 */
import { ZonesAssembler, type ZonesPart } from "../protocol/mod.ts";
import { readZoneState } from "../zones/state_json.ts";
import type { ZoneState } from "../zones/zone_state.ts";
import { RefusedError } from "./errors.ts";
import type { MapQuery } from "./map_request.ts";
import { type Question, ReplyCollector } from "./reply_collector.ts";

/** Which zones to request, and how long to wait for the reply. */
export interface ZonesQuery
  extends Pick<MapQuery, "maxBytes" | "timeout" | "signal"> {
  /** The names of the zones. Default: all zones. */
  readonly names?: readonly string[];
}

/** The states of zones at one moment. */
export interface ZonesView {
  /**
   * The revision of the map that the states are of; if servers share a store,
   * the sum over its shards, while each state has the revision of its layer.
   */
  readonly revision: number;
  /** The server's time when it read the states, ms since 1970. */
  readonly time: number;
  /** In the order of the names, or of the server's zones. */
  readonly zones: readonly ZoneState[];
}

/** Returns the question for a query. */
export function zonesQuestion(
  { names, maxBytes }: ZonesQuery,
): Question<ZonesView> {
  const collector = new ReplyCollector<ZonesPart, ZonesAssembler, ZonesView>(
    () => new ZonesAssembler(),
    (reply) => ({
      revision: reply.header!.revision,
      time: reply.header!.time,
      zones: reply.zones().map(readZoneState),
    }),
  );
  return {
    fields: { zones: names ?? true, maxBytes },
    read: (part) =>
      "zones" in part ? collector.add(part) : { error: noZonesError() },
  };
}

function noZonesError(): RefusedError {
  return new RefusedError("no-zones", "The server does not know zones", {
    hint: "Its version is older than zones: update it.",
  });
}
