/**
 * The server: readings in, a map that is stored and published.
 *
 * @module
 */
export type { CellLimits } from "./cell_limiter.ts";
export type {
  FileZones,
  LinkState,
  ServerLog,
  ServerOptions,
} from "./context.ts";
export type { SessionSource } from "./group/sessions.ts";
export { offlineState, onlineState } from "./presence.ts";
export { Server } from "./server.ts";
export type { Stats } from "./telemetry.ts";
