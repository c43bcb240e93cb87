/**
 * Stops a server: what has arrived is processed and answered before the link
 * and the store are closed, each step within a time limit.
 *
 * @module
 */
import { doneWithin } from "../common/async.ts";
import { untilNextTurn } from "../common/next_turn.ts";
import type { ChangesPublisher } from "./changes_publisher.ts";
import type { Connections } from "./connections.ts";
import type { ServerContext } from "./context.ts";
import type { Group } from "./group/group.ts";
import type { Announcer } from "./home_assistant/announcer.ts";
import type { LayerRemoval } from "./layer_removal.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Presence } from "./presence.ts";
import type { Reports } from "./reports.ts";
import type { RequestHandler } from "./request_handler.ts";
import type { SourceWatch } from "./sources/source_watch.ts";
import type { ServerZones } from "./zones/server_zones.ts";

/** How long {@linkcode shutDown} waits for the last replies to be sent. */
const REPLIES_TIMEOUT_MS = 2000;
/** How long it waits for the last commit to a shared store. */
const COMMIT_TIMEOUT_MS = 2000;
/** How long it then waits for the state `offline` to be acknowledged. */
const OFFLINE_TIMEOUT_MS = 1000;
/** How long it waits for the link to close. */
const LINK_TIMEOUT_MS = 1500;

/** The parts of a server that end. */
export interface ServerParts {
  readonly announcer: Announcer;
  readonly changes: ChangesPublisher;
  readonly connections: Connections;
  readonly group: Group | undefined;
  readonly pipeline: Pipeline;
  readonly presence: Presence;
  readonly removal: LayerRemoval;
  readonly reports: Reports;
  readonly requestHandler: RequestHandler;
  readonly sources: SourceWatch;
  readonly zones: ServerZones;
}

/**
 * Stops a server in order. Resolves when all is closed.
 *
 * @throws {StoreError} if the store cannot be closed
 */
export async function shutDown(
  { link, store, map, status, leadership, history }: ServerContext,
  parts: ServerParts,
): Promise<void> {
  const { pipeline, zones, presence, reports, requestHandler } = parts;
  parts.connections.stop();
  leadership.stop();
  parts.removal.stop();
  pipeline.stop();
  // Of a shared store, the last commit is awaited.
  if (store.shared !== undefined) {
    await doneWithin(pipeline.processed(), COMMIT_TIMEOUT_MS);
  }
  parts.announcer.stop();
  zones.stop();
  parts.changes.stop();
  parts.sources.stop();
  presence.close();
  if (status.link.up) {
    const drained = [requestHandler.drained(), zones.drained()];
    await doneWithin(Promise.all(drained), REPLIES_TIMEOUT_MS);
  }
  zones.close();
  requestHandler.stop();
  if (status.link.up) {
    reports.flush();
    await doneWithin(presence.announce("offline"), OFFLINE_TIMEOUT_MS);
  }
  reports.close();
  const closing = Promise.all([parts.group?.stop(), link.close()]);
  await doneWithin(closing, LINK_TIMEOUT_MS);
  await store.rescue?.();
  history?.stop();
  // The map must be complete: a store without a map keeps its journal.
  const isComplete = status.loaded && status.storeProblem === undefined;
  await store.close(isComplete ? map : undefined);
  await untilNextTurn();
}
