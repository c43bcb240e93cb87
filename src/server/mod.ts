export {
  offlineState,
  Server,
  type ServerLog,
  type ServerOptions,
  serverSubscriptions,
} from "./server.ts";
export type { Stats } from "./stats.ts";
