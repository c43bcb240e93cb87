/**
 * What stands between a server and its work: the broker, the store, the ports,
 * the clock. One file a check; a check changes nothing that it finds.
 *
 * @module
 */
import { brokerCheck } from "./broker_check.ts";
import type { Check } from "./check.ts";
import { clockCheck } from "./clock_check.ts";
import { denoCheck, filesCheck } from "./deno_check.ts";
import { limitsCheck } from "./limits_check.ts";
import { lossesCheck } from "./dropped_messages_check.ts";
import { portCheck } from "./port_check.ts";
import { serverCheck } from "./server_check.ts";
import { sessionCheck } from "./session_check.ts";
import { storeCheck } from "./store_check.ts";
import { topicsCheck } from "./topics_check.ts";

export { type Check, type Result, runChecks } from "./check.ts";
export {
  type Endpoint,
  Examination,
  type ExaminationOptions,
} from "./examination.ts";
export type { Finding, Status } from "./finding.ts";
export {
  renderJson,
  type RenderOptions,
  renderResult,
  renderSummary,
} from "./render.ts";

/** All checks, in the order in which they are told. */
export const CHECKS: readonly Check[] = [
  denoCheck,
  filesCheck,
  storeCheck,
  brokerCheck,
  portCheck,
  limitsCheck,
  sessionCheck,
  lossesCheck,
  topicsCheck,
  serverCheck,
  clockCheck,
];
