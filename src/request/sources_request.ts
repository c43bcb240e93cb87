/**
 * Requests the sources of readings.
 *
 * @module
 */
import type { Link } from "../mqtt/link.ts";
import {
  type SourceList,
  type SourceQuery,
  SourcesAssembler,
  type SourcesPart,
} from "../protocol/mod.ts";
import { RefusedError } from "./errors.ts";
import type { MapQuery } from "./map_request.ts";
import { ReplyCollector } from "./reply_collector.ts";
import type { Requester } from "./requester.ts";

/** Which sources to request, and how long to wait for the reply. */
export interface SourcesQuery
  extends SourceQuery, Pick<MapQuery, "timeout" | "signal"> {}

/**
 * Requests the list of sources.
 *
 * @throws {NoAnswerError} if the server does not reply in time
 * @throws {RefusedError} if the server rejects the request, or "no-sources" if
 * it is of a version without this list
 * @throws {LinkError} if the connection fails permanently
 * @throws the signal's reason if aborted
 */
export async function requestSources(
  requester: Requester,
  link: Link,
  { limit, contains, timeout, signal }: SourcesQuery,
): Promise<SourceList> {
  const collector = new ReplyCollector<
    SourcesPart,
    SourcesAssembler,
    SourceList
  >(() => new SourcesAssembler(), (reply) => reply.list());
  return await requester.ask(
    link,
    { timeout, ...(signal && { signal }) },
    {
      fields: { sources: { limit, contains } },
      read: (part) =>
        "sources" in part ? collector.add(part) : { error: noSourcesError() },
    },
  );
}

function noSourcesError(): RefusedError {
  return new RefusedError("no-sources", "The server does not list sources", {
    hint: "Its version is older than this list: update it.",
  });
}
