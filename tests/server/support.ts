/** Options and contexts of servers with fakes. */
import type { HistoryService } from "../../src/history/answers.ts";
import { PastQuestions } from "../../src/server/past_questions.ts";
import { Preparation } from "../../src/server/preparation.ts";
import { Replies } from "../../src/server/replies.ts";
import { ReplyJobs } from "../../src/server/reply_jobs.ts";
import type { ZoneStates } from "../../src/server/zones_job.ts";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { type ProtocolError, Topics } from "../../src/protocol/mod.ts";
import {
  createContext,
  type ServerContext,
  type ServerOptions,
} from "../../src/server/context.ts";
import { FakeLink } from "../support/fake_link.ts";
import { FakeStore } from "../support/fake_store.ts";
import { serverLog } from "../support/server_log.ts";

/** ms since 1970. */
export const NOW = 1_760_000_000_000;

/** A server's options with fakes. */
export interface FakeOptions extends ServerOptions {
  readonly link: FakeLink;
  readonly store: FakeStore;
}

/**
 * Returns the options of a server with the name "me" and a clock fixed at NOW.
 *
 * @param log receives what the server logs
 */
export function fakeOptions(log: string[] = []): FakeOptions {
  return {
    link: new FakeLink(),
    store: new FakeStore(),
    map: new OccupancyMap({ maxSkew: 60_000 }),
    topics: new Topics(),
    name: "me",
    version: "1.2.3",
    log: serverLog((line) => log.push(line)),
    clock: () => NOW,
  };
}

/** Returns the context of such a server, to test one of its parts. */
export function fakeContext(
  options: Partial<ServerOptions> = {},
  log: string[] = [],
): ServerContext {
  return createContext({ ...fakeOptions(log), ...options });
}

const NO_ZONES: ZoneStates = {
  definitions: new Map(),
  state: () => undefined,
  states: () => [],
  updated: () => Promise.resolve(),
};

/** Options of {@linkcode createReplies}. */
export interface RepliesOptions {
  /** Default: none. */
  readonly zones?: ZoneStates;
  /** Default: none is recorded. */
  readonly history?: HistoryService | undefined;
  readonly onError: (error: ProtocolError) => void;
}

/** Creates the replies of a connection, at {@linkcode NOW}. */
export function createReplies(
  context: ServerContext,
  { zones = NO_ZONES, history, onError }: RepliesOptions,
): Replies {
  const questions = new PastQuestions(() => history, () => NOW);
  return new Replies(
    context,
    new ReplyJobs(context, { refresh: () => NOW }, zones),
    new Preparation(context, zones, questions),
    onError,
  );
}
