import {
  CHECKS,
  Examination,
  renderJson,
  renderResult,
  renderSummary,
  type Result,
  runChecks,
} from "../../../doctor/mod.ts";
import { brokerUrl } from "../../../mqtt/url.ts";
import { Topics } from "../../../protocol/mod.ts";
import { serverSubscriptions } from "../../../server/mod.ts";
import { colorDepth } from "../../terminal/color.ts";
import { Ending } from "../../terminal/ending.ts";
import { Exit } from "../../exit.ts";
import type { DoctorFlags } from "../../arguments/flags.ts";
import { DEFAULT_HTTP } from "../server/http.ts";
import {
  brokerOf,
  caOf,
  DEFAULT_BROKER,
  DEFAULT_LISTEN,
} from "../../arguments/broker_address.ts";
import { pictureSize, writeOut } from "../../terminal/output.ts";
import { storeAddress } from "../../arguments/store_address.ts";

/** The least columns for words, be the terminal what it may. */
const LEAST_WIDTH = 20;

/** `occupancy doctor`: looks at all that a server would need, and changes nothing. */
export async function doctor(flags: DoctorFlags): Promise<number> {
  const { name, listen, quiet, json } = flags;
  const http = flags.noHttp ? false : flags.http;
  const topics = new Topics(flags.prefix);
  const ca = await caOf(flags);
  const examination = new Examination({
    ...(flags.broker !== undefined && {
      broker: { url: brokerOf(flags), ...ca },
    }),
    usual: { url: brokerUrl(DEFAULT_BROKER), ...ca },
    ...(listen !== undefined && { listen }),
    usualListen: DEFAULT_LISTEN,
    ...(http !== undefined && { http }),
    usualHttp: DEFAULT_HTTP,
    topics,
    name,
    subscriptions: serverSubscriptions(topics, name),
    store: storeAddress(flags),
    sessionExpiry: Math.ceil(flags.sessionExpiry / 1000),
    maxSkew: flags.maxSkew,
    queue: flags.queue,
    timeout: flags.timeout,
  });
  const terminal = Deno.stdout.isTerminal();
  const look = {
    width: Math.max(LEAST_WIDTH, pictureSize().width),
    color: colorDepth(flags.color, (n) => Deno.env.get(n), terminal) !== "none",
  };
  const results: Result[] = [];
  const tell = (result: Result) => {
    results.push(result);
    if (quiet && result.status === "right") return;
    writeOut(json ? renderJson(result) : renderResult(result, look));
  };
  const ending = new Ending();
  ending.heedSignals((exitCode) => Deno.exit(exitCode));
  const interrupted = new Promise<void>((resolve) => {
    ending.signal.addEventListener("abort", () => resolve());
  });
  try {
    await Promise.race([
      tellAll(runChecks(CHECKS, examination, flags.timeout), tell),
      interrupted,
    ]);
  } finally {
    await examination.close();
    ending.stop();
  }
  if (ending.signal.aborted) return ending.exitCode;
  if (!json && !quiet) writeOut(renderSummary(results));
  return exitCodeOf(results);
}

async function tellAll(
  results: AsyncIterable<Result>,
  tell: (result: Result) => void,
): Promise<void> {
  for await (const result of results) tell(result);
}

/** A broker that cannot be joined tells more than anything else that is wrong. */
function exitCodeOf(results: readonly Result[]): number {
  const bad = results.filter(({ status }) => status === "wrong");
  if (bad.some(({ check }) => check === "broker")) return Exit.broker;
  return bad.length > 0 ? Exit.failure : Exit.ok;
}
