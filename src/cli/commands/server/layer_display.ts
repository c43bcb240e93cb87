/**
 * Chooses how clients of `occupancy server` show a layer: by its entry in
 * `--map-file`, else by the options for all layers.
 */
import type { Plan } from "../../../http/mod.ts";
import type { LayerDisplay } from "../../../protocol/mod.ts";
import type { ServerFlags } from "./options.ts";

/** Returns how to show a layer; undefined for the defaults. */
export type DisplayOf = (layer: string) => LayerDisplay | undefined;

/**
 * Returns the function that chooses the display properties of a layer.
 *
 * @param plans by layer; may change later
 */
export function layerDisplay(
  flags: Pick<ServerFlags, "unit" | "yUp">,
  plans: ReadonlyMap<string, Plan>,
): DisplayOf {
  return (layer) => {
    const plan = plans.get(layer);
    const unit = plan?.unit ?? flags.unit;
    const yUp = plan?.yUp ?? flags.yUp;
    if (unit === undefined && !yUp) return undefined;
    return { ...(unit && { unit }), ...(yUp && { yUp }) };
  };
}
