/**
 * Servers of a group in this process, with a journal in memory.
 *
 * @module
 */
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { Connection } from "../../src/mqtt/connection.ts";
import { JoinedLinks } from "../../src/mqtt/joined_links.ts";
import { GroupTopics, Topics } from "../../src/protocol/mod.ts";
import type { ServerOptions } from "../../src/server/context.ts";
import { offlineState, onlineState, Server } from "../../src/server/mod.ts";
import type { FakeJournal, FakeSharedStore } from "./fake_shared_store.ts";
import { serverLog } from "./server_log.ts";

export const GROUP = "hall";

/** A server of the group. */
export interface Member extends AsyncDisposable {
  readonly name: string;
  readonly server: Server;
  readonly map: OccupancyMap;
  readonly store: FakeSharedStore;
  readonly connections: readonly Connection[];
  readonly log: readonly string[];
}

/** Starts a server of the group, on all of the brokers. */
export function startMember(
  name: string,
  journal: FakeJournal,
  ...urls: readonly string[]
): Promise<Member> {
  return startMemberWith({}, name, journal, ...urls);
}

/** The same with other options. */
export async function startMemberWith(
  options: Pick<ServerOptions, "silentAfter">,
  name: string,
  journal: FakeJournal,
  ...urls: readonly string[]
): Promise<Member> {
  // Imported here: mqtt reads the environment, which tests without permissions
  // cannot.
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const topics = new Topics();
  const group = new GroupTopics(topics, GROUP);
  const connections = urls.map((url) =>
    new Connection({
      url,
      clientId: name,
      subscriptions: group.subscriptions(name),
      sharedSubscriptions: group.shared,
      liveSubscriptions: topics.serverLiveSubscriptions(),
      birth: {
        topic: group.state(name),
        payload: onlineState(name, "1.2.3", GROUP),
      },
      will: {
        topic: topics.state,
        payload: offlineState(name, "1.2.3", GROUP),
      },
      sessionExpiry: 300,
      receiveMaximum: 1000,
      keepAlive: 5,
      onConflict: "retry",
    })
  );
  const store = journal.open(name);
  const map = new OccupancyMap({ maxSkew: 60_000 }, { shards: journal.shards });
  const log: string[] = [];
  const server = new Server({
    ...options,
    link: new JoinedLinks(connections),
    store,
    map,
    topics,
    group,
    sessions: {
      open: (link, member) =>
        new Connection({
          url: urls[connections.indexOf(link as Connection)]!,
          clientId: member,
          subscriptions: [topics.marker(member)],
          sessionExpiry: 300,
        }),
      expiryMs: 300_000,
    },
    name,
    version: "1.2.3",
    log: serverLog((line) => log.push(line)),
  });
  await server.start();
  return {
    name,
    server,
    map,
    store,
    connections,
    log,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
