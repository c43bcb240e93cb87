/**
 * Runs `occupancy request --zone` and `--zones` with `--watch`: live on a
 * terminal, or as lines in a pipe.
 *
 * @module
 */
import { printable, printableJson } from "../../../../common/printable.ts";
import { Topics } from "../../../../protocol/mod.ts";
import { ZoneWatcher, type ZoneWatchEvent } from "../../../../request/mod.ts";
import { uniqueClientId } from "../../../connect.ts";
import type { TimeForm } from "../../../terminal/render.ts";
import {
  fullestFirst,
  printableZone,
  renderRemovedZones,
  renderZoneLines,
  withTimes,
} from "../../../terminal/zone_table.ts";
import { follow, LinePrinter, liveView } from "../follow.ts";
import type { ZonesForm } from "../mode.ts";
import type { RequestFlags } from "../options.ts";
import { explainUnknownZone, ORIGINAL_HINT } from "./run.ts";

/** Time after which a live view of one zone checks the server, ms. */
const CHECK_ZONE_AFTER_MS = 1500;
/** The same for all zones, whose states may be megabytes. */
const CHECK_ZONES_AFTER_MS = 10_000;

/**
 * Prints the states of zones, then their changes, until the command is ended.
 *
 * @throws {AppError} "no-zone" if there is no zone of the name
 */
export async function watchZones(
  flags: RequestFlags,
  form: ZonesForm,
): Promise<number> {
  const { timeout, times, zone } = flags;
  const topics = new Topics(flags.prefix);
  const watcher = new ZoneWatcher({
    topics,
    name: uniqueClientId("request"),
    timeout,
    names: zone === undefined ? undefined : [zone],
    // A live view must soon show that it is no longer live.
    ...(form === "table" && {
      checkAfter: zone === undefined
        ? CHECK_ZONES_AFTER_MS
        : CHECK_ZONE_AFTER_MS,
    }),
  });
  return await explainUnknownZone(flags, () =>
    follow<ZoneWatchEvent>(flags, {
      topics,
      watcher,
      originalHint: ORIGINAL_HINT,
      createView: async (ending) => {
        if (form !== "table") {
          const linesOf = form === "json" ? jsonOf : tsvOf;
          return new LinePrinter((event) => linesOf(event, times), flags);
        }
        const { ZoneModel, ZonesModel } = await import("./models.ts");
        const model = zone === undefined
          ? new ZonesModel()
          : new ZoneModel(zone);
        return await liveView(model, flags, ending);
      },
      countChanges: (event) =>
        event.kind === "changes"
          ? event.zones.length + event.removed.length
          : 0,
    }));
}

/** A line for each zone that has changed; none for an event. */
function tsvOf(event: ZoneWatchEvent, times: TimeForm | undefined): string {
  if (event.kind === "event") return "";
  const removed = event.kind === "changes" ? event.removed : [];
  const states = fullestFirst(event.zones);
  if (!Deno.stdout.isTerminal()) {
    return renderRemovedZones(removed) + renderZoneLines(states, times);
  }
  return renderRemovedZones(removed.map(printable)) +
    renderZoneLines(states.map(printableZone), times);
}

/** A line for each event of the watch. */
function jsonOf(event: ZoneWatchEvent, times: TimeForm = "ms"): string {
  if (event.kind === "event") {
    const body = withTimes(event.event, times) as Record<string, unknown>;
    const { dropped } = event;
    const rest = dropped > 0 ? { dropped } : {}; // the reader was slow
    return `${printableJson({ kind: "event", ...body, ...rest })}\n`;
  }
  const zones = event.zones.map((state) => withTimes(state, times));
  const body = event.kind === "snapshot"
    ? withTimes({ ...event, zones }, times)
    : { ...event, zones };
  return `${printableJson(body)}\n`;
}
