import { OccupancyMap } from "../../../grid/mod.ts";
import type { Link } from "../../../mqtt/link.ts";
import { Topics } from "../../../protocol/mod.ts";
import {
  offlineState,
  Server,
  serverLiveSubscriptions,
  serverSubscriptions,
} from "../../../server/mod.ts";
import { openStore } from "../../../store/open.ts";
import { CliError, Exit } from "../../exit.ts";
import type { ServerFlags } from "../../arguments/flags.ts";
import { type Http, httpSettings, openHttp } from "./http.ts";
import {
  brokerOf,
  caOf,
  DEFAULT_BROKER,
  DEFAULT_LISTEN,
} from "../../arguments/broker_address.ts";
import { DroppedWatch, sessionWarning } from "./dropped_messages.ts";
import { describeError } from "../../failure.ts";
import type { ServerLog } from "./server_log.ts";
import { printError } from "../../terminal/output.ts";
import { plural } from "../../terminal/render.ts";
import { storeAddress } from "../../arguments/store_address.ts";
import { announceDownload } from "../../packages.ts";
import { VERSION } from "../../version.ts";

/** `occupancy server`: keeps the map until it is told to end. */
export async function server(flags: ServerFlags): Promise<number> {
  const joins = flags.broker === undefined ? [] : ["mqtt"];
  announceDownload(["@logtape/logtape", ...joins], flags);
  const { openServerLog } = await import("./server_log.ts");
  const voice = openServerLog(flags);
  try {
    return await keep(flags, voice);
  } catch (error) {
    // Whoever reads the log as JSON gets this as JSON too.
    if (flags.logFormat !== "json") throw error;
    const { message, hint, exitCode } = describeError(error);
    voice.error(hint === undefined ? message : `${message} (${hint})`);
    return exitCode;
  } finally {
    voice.close();
  }
}

async function keep(flags: ServerFlags, voice: ServerLog): Promise<number> {
  const ending = untilSignal();
  const settings = await httpSettings(flags);
  const topics = new Topics(flags.prefix);
  if (flags.broker !== undefined) brokerOf(flags);
  const { staleAfter, forgetAfter, maxSkew } = flags;
  if (
    staleAfter !== undefined && forgetAfter !== undefined &&
    forgetAfter <= staleAfter
  ) {
    throw new CliError(
      "With --forget-after no longer than --stale-after nothing is ever stale",
      {
        exitCode: Exit.usage,
        hint:
          "Let cells be forgotten later than they turn stale, or leave one of the two out.",
      },
    );
  }
  const map = new OccupancyMap({
    maxSkew,
    ...(staleAfter !== undefined && { staleAfter }),
    ...(forgetAfter !== undefined && { forgetAfter }),
  });
  const store = await openStore(storeOf(flags), flags.durability);
  const { link, did, what, watch } = await chooseLink(flags, topics, voice);
  const keeper = new Server({
    link,
    store,
    map,
    topics,
    name: flags.name,
    version: VERSION,
    log: voice,
    changesInterval: flags.changesInterval,
    maxLayers: flags.maxLayers,
  });
  let http: Http | undefined;
  try {
    if (settings !== undefined) {
      const parts = { server: keeper, link, store, map, topics };
      http = await openHttp(
        settings,
        { ...parts, name: flags.name },
        voice.warn,
      );
    }
    await keeper.start();
    const wasHere = store.durable && map.revision > 0;
    const warning = sessionWarning(link, flags.sessionExpiry / 1000, wasHere);
    const kept = `${plural(map.size, "cell")} in ${store.description}${
      store.durable ? "" : " (they end with this process)"
    }`;
    if (voice.live) {
      banner({ broker: what(link), kept, topics, map: http?.url });
    } else {
      voice.info(`${did} ${what(link)}`);
      voice.info(`Keeping ${kept}`);
      if (http !== undefined) {
        voice.info(`Map at ${http.url} (API: ${http.url}openapi.json)`);
      }
      voice.info(
        `Ready: ${topics.data()} takes readings, ${topics.request} asks for the map`,
      );
    }
    if (warning !== undefined) voice.warn(warning);
    voice.follow(() => ({
      readings: keeper.stats.accepted,
      cells: map.size,
      broker: link.description,
    }));
    watch?.open();
    const gone = await Promise.race([ending, keeper.gone]);
    if (gone !== undefined) throw gone;
    voice.info("Ending: finishing what has arrived");
  } finally {
    await http?.close();
    await watch?.close();
    await keeper.stop();
  }
  return Exit.ok;
}

/** The five lines that a person reads first. */
function banner(
  { broker, kept, topics, map = "occupancy request --watch" }: {
    broker: string;
    kept: string;
    topics: Topics;
    /** Where it can be seen. */
    map: string | undefined;
  },
): void {
  printError(`occupancy ${VERSION}`);
  printError(`  Broker    ${broker}`);
  printError(`  Map       ${kept}`);
  printError(
    `  Topics    ${topics.data()} takes readings, ${topics.request} asks for the map`,
  );
  printError(`  To end    Ctrl-C; to see the map: ${map}`);
}

/** @throws {CliError} if there is no place to keep the map */
function storeOf(flags: ServerFlags): string {
  const address = storeAddress(flags);
  if (address !== undefined) return address;
  throw new CliError("No place to keep the map: HOME is not set", {
    exitCode: Exit.usage,
    hint: "Name a file with --store sqlite:PATH, or --store memory:.",
  });
}

interface ChosenLink {
  readonly link: Link;
  /** How it came to it, in words that go before {@linkcode what}. */
  readonly did: "Joined" | "Started the";
  /** Says which broker it is, once the link is open. */
  readonly what: (link: Link) => string;
  /** Listens for losses that a broker of its own cannot have. */
  readonly watch?: DroppedWatch;
}

/** The broker that is named, the embedded one if asked for, else what is there. */
async function chooseLink(
  flags: ServerFlags,
  topics: Topics,
  voice: ServerLog,
): Promise<ChosenLink> {
  if (flags.listen !== undefined) {
    return await embedded(flags, topics, voice, flags.listen, "");
  }
  if (flags.broker !== undefined || await answers(DEFAULT_BROKER)) {
    return await joined(flags, topics, voice);
  }
  return await embedded(
    flags,
    topics,
    voice,
    DEFAULT_LISTEN,
    " (no broker answered on localhost:1883)",
  );
}

async function joined(
  flags: ServerFlags,
  topics: Topics,
  voice: ServerLog,
): Promise<ChosenLink> {
  const { Connection } = await import("../../../mqtt/connection.ts");
  const broker = { url: brokerOf(flags), ...await caOf(flags) };
  const link = new Connection({
    ...broker,
    clientId: flags.name,
    subscriptions: serverSubscriptions(topics, flags.name),
    liveSubscriptions: serverLiveSubscriptions(topics),
    will: {
      topic: topics.state,
      payload: offlineState(flags.name, VERSION),
    },
    sessionExpiry: Math.ceil(flags.sessionExpiry / 1000),
  });
  const watch = new DroppedWatch(
    new Connection({
      ...broker,
      clientId: `${flags.name}-watch`,
      subscriptions: [DroppedWatch.topic],
    }),
    (warning) => voice.warn(warning),
  );
  const version = () => link.mqttVersion === 5 ? "MQTT 5" : "MQTT 3.1.1";
  const what = () => `${link.description} (${version()})`;
  return { link, did: "Joined", what, watch };
}

async function embedded(
  flags: ServerFlags,
  topics: Topics,
  voice: ServerLog,
  listen: { host: string; port: number },
  why: string,
): Promise<ChosenLink> {
  const { createBroker } = await import("../../../broker/broker.ts");
  const link = createBroker({
    ...listen,
    subscriptions: serverSubscriptions(topics, flags.name),
    reserved: [`${topics.prefix}/server/#`, `${topics.prefix}/changes/#`],
    refused: (client, topic) =>
      voice.warn(
        `Refused a message of ${client} to ${topic}: the server's own topic`,
      ),
    dropped: (client = "A client", reason) =>
      voice.warn(`${client} was cut off: ${reason}`),
    sessionFull: (client) =>
      voice.warn(
        `Messages for ${client} are lost: it is away and too many wait for it`,
      ),
  });
  return {
    link,
    did: "Started the",
    what: () => `${link.description}${why}`,
  };
}

/** True if something takes connections there; joining tells whether it is a broker. */
async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  try {
    (await Deno.connect({ hostname, port: Number(port) })).close();
    return true;
  } catch {
    return false;
  }
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function untilSignal(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let told = false;
  const on = (exitCode: number) => () => {
    if (told) Deno.exit(exitCode);
    told = true;
    resolve(undefined);
  };
  Deno.addSignalListener("SIGINT", on(Exit.interrupted));
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGTERM", on(Exit.terminated));
  }
  return promise;
}
