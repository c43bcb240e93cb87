/** The version of the program. */
import manifest from "../../deno.json" with { type: "json" };

/** The version of this program. */
export const VERSION: string = manifest.version;

/**
 * The commit that the program was built from; the bundler puts a text in its
 * place (tools/bundle/), empty if it was not known. A checkout has no such name.
 */
declare const OCCUPANCY_COMMIT: string;

/**
 * What `--version` prints: `occupancy 0.1.0 (c6c140612345)` of what was built,
 * `occupancy 0.1.0 (checkout of c6c140612345)` of a checkout, and just
 * `occupancy 0.1.0` if the commit cannot be told.
 */
export async function versionLine(): Promise<string> {
  const source = typeof OCCUPANCY_COMMIT === "string"
    ? OCCUPANCY_COMMIT
    : await (await import("./checkout.ts")).describeCheckout();
  return `occupancy ${VERSION}${source === "" ? "" : ` (${source})`}`;
}
