/**
 * The list of sources as clients receive it.
 *
 * @module
 */
import type { SourceList, SourceQuery } from "../../protocol/mod.ts";
import type { ServerContext } from "../context.ts";

/** Returns the list of the present moment. */
export function listSources(
  { registry, silentAfter, clock }: Pick<
    ServerContext,
    "registry" | "silentAfter" | "clock"
  >,
  query?: SourceQuery,
): SourceList {
  return {
    time: clock.now(),
    began: registry.began,
    ...(silentAfter !== undefined && { silentAfter }),
    total: registry.size,
    silent: registry.silent,
    ...registry.list(query),
  };
}
