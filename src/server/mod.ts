export type { LinkState, ServerLog, ServerOptions } from "./options.ts";
export {
  offlineState,
  serverLiveSubscriptions,
  serverSubscriptions,
} from "./own_topics.ts";
export { Server } from "./server.ts";
export type { Stats } from "./stats.ts";
export type {
  InvalidResult,
  KeptResult,
  SubmissionResult,
  UnavailableResult,
} from "./submission.ts";
