import { env } from "../../env.ts";
import type { CheckOptions, Result } from "../../../doctor/mod.ts";
import { doneWithin } from "../../../common/async.ts";
import { brokerUrl, redactUrl } from "../../../mqtt/url.ts";
import { GroupTopics, Topics } from "../../../protocol/mod.ts";
import {
  brokersOf,
  DEFAULT_BROKER,
  DEFAULT_HTTP,
  DEFAULT_LISTEN,
  storeAddress,
} from "../../arguments/addresses.ts";
import { readBrokerAccess } from "../../arguments/broker_access.ts";
import { groupOf } from "../../arguments/group.ts";
import { readRedisFiles } from "../../arguments/redis_files.ts";
import { Exit } from "../../exit_codes.ts";
import { readHttpToken } from "../../http_api.ts";
import { announceDownload } from "../../download_notice.ts";
import { colorDepth, outputSize } from "../../terminal/capabilities.ts";
import { Ending } from "../../terminal/ending.ts";
import { printWarning, writeOut } from "../../terminal/output.ts";
import type { DoctorFlags } from "./options.ts";

const MIN_COLUMNS = 20;
/** Maximum time to disconnect from the broker. */
const CLOSE_TIMEOUT_MS = 1000;
/** The same if a session must be ended. */
const END_SESSION_TIMEOUT_MS = 4000;

/**
 * Runs `occupancy doctor`: checks what a server needs, without changing
 * anything.
 */
export async function doctor(flags: DoctorFlags): Promise<number> {
  const { quiet, json } = flags;
  announceDownload(["mqtt"], flags);
  const {
    BROKER_CHECKS,
    CHECKS,
    CheckContext,
    renderJson,
    renderResult,
    renderSummary,
    runChecks,
  } = await import("../../../doctor/mod.ts");
  using ending = new Ending();
  const contexts = (await checkOptions(flags)).map((options) =>
    new CheckContext(options)
  );
  const terminal = Deno.stdout.isTerminal();
  const look = {
    width: Math.max(MIN_COLUMNS, outputSize().width),
    color: colorDepth(flags.color, env, terminal) !== "none",
  };
  const results: Result[] = [];
  const printAll = async () => {
    for (const context of contexts) {
      const checks = context === contexts[0] ? CHECKS : BROKER_CHECKS;
      for await (const found of runChecks(checks, context, flags.timeout)) {
        if (ending.signal.aborted) return; // the checks fail without connections
        const { broker } = context.options;
        const isOfBroker = contexts.length > 1 && broker !== undefined &&
          BROKER_CHECKS.some(({ name }) => name === found.check);
        const result = isOfBroker
          ? { ...found, broker: redactUrl(broker.url) }
          : found;
        results.push(result);
        if (quiet && result.status === "ok") continue;
        writeOut(json ? renderJson(result) : renderResult(result, look));
      }
    }
  };
  try {
    await ending.until(printAll());
  } finally {
    const hasSession = contexts.some((context) => context.hasSession);
    await doneWithin(
      Promise.all(contexts.map((context) => context.close())),
      hasSession ? END_SESSION_TIMEOUT_MS : CLOSE_TIMEOUT_MS,
    );
  }
  if (!json && !quiet) writeOut(renderSummary(results));
  return exitCodeOf(results);
}

/** Returns the options for each broker. */
async function checkOptions(
  flags: DoctorFlags,
): Promise<readonly CheckOptions[]> {
  const { name, listen } = flags;
  const http = flags.noHttp ? false : flags.http;
  const topics = new Topics(flags.prefix);
  const access = await readBrokerAccess(flags, printWarning);
  const store = storeAddress(flags);
  const group = groupOf(flags, topics);
  const options: CheckOptions = {
    defaultBroker: { url: brokerUrl(DEFAULT_BROKER), ...access },
    ...(listen !== undefined && { listen }),
    defaultListen: DEFAULT_LISTEN,
    ...(http !== undefined && { http }),
    defaultHttp: DEFAULT_HTTP,
    httpToken: await readHttpToken(flags.httpTokenFile),
    topics,
    name,
    group,
    subscriptions: group === undefined
      ? topics.serverSubscriptions(name)
      : [...sharedByNoServer(topics), ...group.subscriptions(name)],
    store,
    redis: {
      files: await readRedisFiles(flags, [store ?? ""], printWarning),
      replicas: flags.redisReplicas,
      shards: flags.shards,
    },
    storeParents: flags.store === undefined,
    sessionExpiry: Math.ceil(flags.sessionExpiry / 1000),
    maxSkew: flags.maxSkew,
    queue: flags.queue,
    timeout: flags.timeout,
  };
  if (flags.broker === undefined) return [options];
  return brokersOf(flags).map((url) => ({
    ...options,
    broker: { url, ...access },
  }));
}

/**
 * Returns filters as those that the servers of a group share, of a group that no
 * server has: those of the group would take messages from its servers.
 */
function sharedByNoServer(topics: Topics): readonly string[] {
  return new GroupTopics(topics, `doctor-${crypto.randomUUID()}`).shared;
}

/** A broker that cannot be reached has its own exit code. */
function exitCodeOf(results: readonly Result[]): number {
  const errors = results.filter(({ status }) => status === "error");
  if (errors.some(({ check }) => check === "broker")) return Exit.broker;
  return errors.length > 0 ? Exit.failure : Exit.ok;
}
