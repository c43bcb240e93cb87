/**
 * Checks what a server needs: the broker, the store, the ports, the clock. One
 * file per check. The checks change nothing.
 *
 * @module
 */
import { brokerCheck } from "./broker_check.ts";
import type { Check } from "./check.ts";
import { clockCheck } from "./clock_check.ts";
import { denoCheck } from "./deno_check.ts";
import { droppedMessagesCheck } from "./dropped_messages_check.ts";
import { filesCheck } from "./files_check.ts";
import { groupCheck } from "./group_check.ts";
import { historyCheck } from "./history_check.ts";
import { limitsCheck } from "./limits_check.ts";
import { memoryCheck } from "./memory_check.ts";
import { portCheck } from "./port_check.ts";
import { readyCheck } from "./ready_check.ts";
import { redisCheck } from "./redis_check.ts";
import { serverCheck } from "./server_check.ts";
import { sessionCheck } from "./session_check.ts";
import { storeCheck } from "./store_check.ts";
import { topicsCheck } from "./topics_check.ts";

export { type Check, type Result, runChecks } from "./check.ts";
export {
  CheckContext,
  type CheckOptions,
  type Endpoint,
} from "./check_context.ts";
export type { Finding, Status } from "./finding.ts";
export {
  renderJson,
  type RenderOptions,
  renderResult,
  renderSummary,
} from "./render.ts";

/** Checks of one broker: of several brokers, they run for each. */
export const BROKER_CHECKS: readonly Check[] = [
  brokerCheck,
  limitsCheck,
  sessionCheck,
  droppedMessagesCheck,
  topicsCheck,
  groupCheck,
  serverCheck,
  clockCheck,
];

/** All checks, in the order in which their findings are printed. */
export const CHECKS: readonly Check[] = [
  denoCheck,
  filesCheck,
  memoryCheck,
  storeCheck,
  redisCheck,
  portCheck,
  readyCheck,
  historyCheck,
  ...BROKER_CHECKS,
];
