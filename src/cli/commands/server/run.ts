import { OccupancyMap } from "../../../grid/mod.ts";
import { Topics } from "../../../protocol/mod.ts";
import { Server } from "../../../server/mod.ts";
import { isRedisAddress } from "../../../store/redis/address.ts";
import { openStore } from "../../../store/open.ts";
import { storeAddress } from "../../arguments/addresses.ts";
import { groupOf } from "../../arguments/group.ts";
import { readBrokerAccess } from "../../arguments/broker_access.ts";
import { describeError, usageError } from "../../errors.ts";
import { Exit } from "../../exit_codes.ts";
import { doneWithin } from "../../../common/async.ts";
import { LimitCounts } from "../../../common/limit_counts.ts";
import { announceDownload } from "../../download_notice.ts";
import { Ending, untilAborted } from "../../terminal/ending.ts";
import { printError } from "../../terminal/output.ts";
import { plural } from "../../../common/plural.ts";
import { VERSION } from "../../version.ts";
import { checkSharedBroker, chooseLink } from "./choose_link.ts";
import { clientAccess, watchCommand } from "./client_access.ts";
import { sessionWarning } from "./dropped_messages.ts";
import { readEmbeddedAccess } from "./embedded_access.ts";
import { type Http, openHttp } from "./http.ts";
import { readHttpSettings, readPlans } from "./http_settings.ts";
import { layerDisplay } from "./layer_display.ts";
import { mapSizeOf } from "./map_size.ts";
import { historyUseOf } from "./history_options.ts";
import type { ServerFlags } from "./options.ts";
import { readRedisUse } from "./redis_access.ts";
import { FileReloader, hasTerminal } from "./reload.ts";
import { checkConfigFile, checkStoreFile } from "./secret_files.ts";
import type { ServerLog } from "./server_log.ts";
import { describeShared, sharedStatus } from "./shared_status.ts";
import { openWebhooks, sendEvents } from "./webhooks.ts";
import { readZonesFile } from "./zones_file.ts";
import { watchZones, type ZonesWatcher } from "./zones_watcher.ts";

/** How long HTTP and the connection that watches the broker may take to end. */
const CLOSE_TIMEOUT_MS = 3000;
/** How long events may be sent to webhooks after the shutdown has begun... */
const WEBHOOKS_TIMEOUT_MS = 2000;
/** ...but at least this time after the server has stopped. */
const LAST_EVENTS_TIMEOUT_MS = 500;
/** All steps of the end have shorter limits; this one is for what is unknown. */
const END_TIMEOUT_MS = 9500;

/** Runs `occupancy server` until a signal. */
export async function server(flags: ServerFlags): Promise<number> {
  announceDownload(["@logtape/logtape"], flags);
  const { openServerLog } = await import("./server_log.ts");
  const log = openServerLog(flags);
  try {
    await serve(flags, log);
    return Exit.ok;
  } catch (error) {
    if (flags.logFormat !== "json") throw error;
    // A program that reads the log as JSON gets the error as JSON too.
    const { message, hint, exitCode } = describeError(error);
    log.error(hint === undefined ? message : `${message} (${hint})`);
    return exitCode;
  } finally {
    log.close();
  }
}

async function serve(flags: ServerFlags, log: ServerLog): Promise<void> {
  const reloader = new FileReloader(flags, log);
  using ending = new Ending({
    onHangup: hasTerminal() ? undefined : () => reloader.request(),
    timeoutMs: END_TIMEOUT_MS,
  });
  await checkConfigFile(flags, log.warn);
  const httpSettings = await readHttpSettings(flags, log.warn);
  const { mapFile } = flags;
  const plans = new Map(mapFile === undefined ? [] : await readPlans(mapFile));
  const displayOf = layerDisplay(flags, plans);
  const topics = new Topics(flags.prefix);
  checkHomeAssistant(flags, topics);
  const group = groupOf(flags, topics);
  // Also checks the address of the broker, before the store is created.
  const access = await readBrokerAccess(flags, log.warn);
  const limited = new LimitCounts();
  const embeddedAccess = await readEmbeddedAccess(
    flags,
    topics,
    log,
    limited,
  );
  const webhooks = await openWebhooks(flags, log, limited);
  const zonesFile = flags.zones === undefined
    ? undefined
    : await readZonesFile(flags.zones);
  const ageing = ageingOf(flags);
  const { cellLimits, loadLimit, description } = mapSizeOf(flags);
  log.debug(`Size: ${description}`);
  const address = storeOf(flags);
  const history = historyUseOf(flags, address);
  await checkStoreFile(address, log.warn);
  const isShared = isRedisAddress(address);
  if (isShared) checkSharedBroker(flags);
  const redis = await readRedisUse(flags, address, log.warn);
  const store = await openStore(address, {
    durability: flags.durability,
    parents: flags.store === undefined,
    redis: redis.settings,
    onWarning: log.warn,
    onInfo: log.info,
  });
  const shards = store.shared?.leases.shards ?? 1;
  const map = new OccupancyMap(ageing, { shards });
  if (!store.durable) Deno.permissions.revokeSync({ name: "write" });
  const chosen = await chooseLink(flags, {
    topics,
    group,
    log,
    access,
    embeddedAccess,
    records: store.records,
    isShared,
  });
  const { link, verb, describe, dropped } = chosen;
  const server = new Server({
    link,
    store,
    map,
    topics,
    group,
    sessions: chosen.sessions,
    name: flags.name,
    version: VERSION,
    log,
    changesInterval: flags.changesInterval,
    maxLayers: flags.maxLayers,
    maxPayload: flags.maxPayload,
    removeAfter: flags.removeAfter === 0 ? Infinity : flags.removeAfter,
    silentAfter: flags.silentAfter,
    cellLimits,
    loadLimit,
    displayOf,
    limited,
    fileZones: zonesFile,
    homeAssistant: flags.homeAssistant,
    history: history.options,
  });
  if (webhooks !== undefined) sendEvents(webhooks, server, topics);
  log.countLimited(() => limited.add("log-lines"));
  let http: Http | undefined;
  let watcher: ZonesWatcher | undefined;
  try {
    if (httpSettings !== undefined) {
      const parts = {
        ...{ server, link, store, map, topics, name: flags.name },
        ...{ plans, displayOf, webhooks },
        clientAccess: () => clientAccess(flags, chosen.address?.()),
      };
      http = await openHttp(httpSettings, parts, log);
    }
    const starting = server.start();
    starting.catch(() => {}); // after a signal, its failure does not matter
    await Promise.race([starting, untilAborted(ending.signal)]);
    if (ending.signal.aborted) return;
    const isRestart = store.durable && map.revision > 0;
    const warnings = (link.connections ?? [link]).flatMap((one, i) => {
      if (!server.connections[i]!.up) return []; // already in the log
      const broker = one === link ? "the broker" : one.description;
      const expiry = flags.sessionExpiry / 1000;
      return sessionWarning(one, broker, expiry, isRestart) ?? [];
    });
    const place = store.durable
      ? store.description
      : "memory (lost when the server stops)";
    const shared = sharedStatus(store);
    const share = shared === undefined ? "" : ` (${describeShared(shared)})`;
    const cells = `${plural(map.size, "cell")} in ${place}${share}`;
    const url = http?.url;
    if (log.live) {
      const view = url ?? watchCommand(clientAccess(flags, chosen.address?.()));
      const { description } = history;
      printBanner({
        broker: describe(),
        cells,
        history: description,
        topics,
        view,
      });
    } else {
      log.info(`${verb} ${describe()}`);
      log.info(`Map: ${cells}`);
      log.info(`History: ${history.description}`);
      if (zonesFile !== undefined) {
        const { zones, file } = zonesFile;
        log.info(`Zones: ${plural(zones.length, "zone")} in ${file}`);
      }
      for (const { origin } of webhooks?.status() ?? []) {
        log.info(`Webhook: ${origin}`);
      }
      if (url !== undefined) {
        log.info(`Dashboard at ${url} (API: ${url}openapi.json)`);
      }
      log.info(`Ready: ${topicsText(topics)}`);
    }
    for (const warning of warnings) log.warn(warning);
    log.showStatus(() => ({
      readings: server.stats.accepted,
      cells: map.size,
      broker: link.description,
      shared: sharedStatus(store),
    }));
    for (const one of dropped ?? []) one.open();
    watcher = zonesFile && watchZones(server, zonesFile, log);
    reloader.start({
      ...{ http, plans, onPlans: () => server.displayChanged() },
      replaceAccess: chosen.replaceAccess,
      reloadTls: chosen.reloadTls,
      reloadUsers: embeddedAccess.reloadUsers,
      reloadZones: watcher && (() => watcher!.reload()),
      redis,
      setWebhookSecret: webhooks && ((secret) => webhooks.setSecret(secret)),
    });
    const failure = await Promise.race([
      untilAborted(ending.signal),
      server.linkFailure,
    ]);
    if (failure !== undefined) throw failure;
    log.info("Shutting down: processing what was received");
  } finally {
    const began = performance.now();
    const closing = Promise.all([
      http?.close(),
      ...(dropped ?? []).map((one) => one.close()),
      watcher?.[Symbol.asyncDispose](),
    ]);
    await doneWithin(closing, CLOSE_TIMEOUT_MS);
    await server.stop();
    const left = WEBHOOKS_TIMEOUT_MS - (performance.now() - began);
    await webhooks?.close(Math.max(left, LAST_EVENTS_TIMEOUT_MS));
  }
}

/**
 * @throws {AppError} (usage) if cells would be forgotten before they are stale
 */
function ageingOf({ staleAfter, forgetAfter, maxSkew }: ServerFlags) {
  if (
    staleAfter !== undefined && forgetAfter !== undefined &&
    forgetAfter <= staleAfter
  ) {
    throw usageError(
      "Cannot use --forget-after that is not longer than --stale-after",
      "Use a longer --forget-after, or remove one of them.",
    );
  }
  return {
    maxSkew,
    ...(staleAfter !== undefined && { staleAfter }),
    ...(forgetAfter !== undefined && { forgetAfter }),
  };
}

/** @throws {AppError} (usage) if its topics would be those of the server */
function checkHomeAssistant(
  { homeAssistant }: ServerFlags,
  { prefix }: Topics,
): void {
  if (homeAssistant === undefined) return;
  if (!`${homeAssistant}/`.startsWith(`${prefix}/`)) return;
  throw usageError(
    `Cannot use --home-assistant=${homeAssistant}: topics under ${prefix} are those of the server`,
    "Use the discovery prefix of Home Assistant (homeassistant, unless it was changed there), or another --prefix.",
  );
}

/** @throws {AppError} (usage) if there is no folder for the store */
function storeOf(flags: ServerFlags): string {
  const address = storeAddress(flags);
  if (address !== undefined) return address;
  throw usageError(
    "Cannot choose a file for the map: HOME is not set",
    "Set --store sqlite:PATH, or --store memory:.",
  );
}

/** Prints the six lines at the start in a terminal. */
function printBanner(
  { broker, cells, history, topics, view }: {
    readonly broker: string;
    readonly cells: string;
    readonly history: string;
    readonly topics: Topics;
    /** Where to see the map. */
    readonly view: string;
  },
): void {
  printError(`occupancy ${VERSION}`);
  printError(`  Broker    ${broker}`);
  printError(`  Map       ${cells}`);
  printError(`  History   ${history}`);
  printError(`  Topics    ${topicsText(topics)}`);
  printError(`  View      ${view} (Ctrl-C to stop)`);
}

function topicsText(topics: Topics): string {
  return `readings on ${topics.data()}, requests on ${topics.request}`;
}
