import { OccupancyMap } from "../grid/mod.ts";
import type { Link } from "../mqtt/link.ts";
import { Topics } from "../protocol/mod.ts";
import { offlineState, Server, serverSubscriptions } from "../server/mod.ts";
import { defaultStorePath } from "../store/location.ts";
import { openStore } from "../store/open.ts";
import { CliError, Exit } from "./exit.ts";
import type { ServerFlags } from "./flags.ts";
import { type Http, httpSettings, openHttp } from "./http.ts";
import { brokerOf, caOf, DEFAULT_BROKER } from "./link.ts";
import { DroppedWatch, sessionWarning } from "./losses.ts";
import { say } from "./output.ts";
import { plural } from "./render.ts";
import { VERSION } from "./version.ts";

/** Where the embedded broker listens unless told otherwise. */
const DEFAULT_LISTEN = { host: "127.0.0.1", port: 1883 };

/** `occupancy server`: keeps the map until it is told to end. */
export async function server(flags: ServerFlags): Promise<number> {
  const ending = untilSignal();
  const settings = await httpSettings(flags);
  const topics = new Topics(flags.prefix);
  const { staleAfter, forgetAfter, maxSkew } = flags;
  const map = new OccupancyMap({
    maxSkew,
    ...(staleAfter !== undefined && { staleAfter }),
    ...(forgetAfter !== undefined && { forgetAfter }),
  });
  const store = await openStore(storeOf(flags), flags.durability);
  const { link, how, watch } = await chooseLink(flags, topics);
  const keeper = new Server({
    link,
    store,
    map,
    topics,
    name: flags.name,
    version: VERSION,
    log: { info: log, warn: log },
    changesInterval: flags.changesInterval,
  });
  let http: Http | undefined;
  try {
    if (settings !== undefined) {
      const parts = { server: keeper, link, store, map, topics };
      http = await openHttp(settings, { ...parts, name: flags.name }, log);
    }
    await keeper.start();
    log(how(link));
    const wasHere = store.durable && map.revision > 0;
    const warning = sessionWarning(link, flags.sessionExpiry / 1000, wasHere);
    if (warning !== undefined) log(`Warning: ${warning}`);
    log(
      `Keeping ${plural(map.size, "cell")} in ${store.description}${
        store.durable ? "" : " (they end with this process)"
      }`,
    );
    if (http !== undefined) {
      log(`Map at ${http.url} (API: ${http.url}openapi.json)`);
    }
    log(
      `Ready: ${topics.data()} takes readings, ${topics.request} asks for the map`,
    );
    watch?.open();
    const gone = await Promise.race([ending, keeper.gone]);
    if (gone !== undefined) throw gone;
    log("Ending: finishing what has arrived");
  } finally {
    await http?.close();
    await watch?.close();
    await keeper.stop();
  }
  return Exit.ok;
}

/** The store that the flags name, else a file of the server's own. */
function storeOf(flags: ServerFlags): string {
  if (flags.store !== undefined) return flags.store;
  const env = (name: string) => Deno.env.get(name);
  const path = defaultStorePath(flags.name, Deno.build.os, env);
  if (path !== undefined) return `sqlite:${path}`;
  throw new CliError("No place to keep the map: HOME is not set", {
    exitCode: Exit.usage,
    hint: "Name a file with --store sqlite:PATH, or --store memory:.",
  });
}

interface ChosenLink {
  readonly link: Link;
  /** Says which broker it is, once the link is open. */
  readonly how: (link: Link) => string;
  /** Listens for losses that a broker of its own cannot have. */
  readonly watch?: DroppedWatch;
}

/** The broker that is named, the embedded one if asked for, else what is there. */
async function chooseLink(
  flags: ServerFlags,
  topics: Topics,
): Promise<ChosenLink> {
  if (flags.listen !== undefined) {
    return await embedded(flags, topics, flags.listen, "");
  }
  if (flags.broker !== undefined || await answers(DEFAULT_BROKER)) {
    return await joined(flags, topics);
  }
  return await embedded(
    flags,
    topics,
    DEFAULT_LISTEN,
    " (no broker answered on localhost:1883)",
  );
}

async function joined(
  flags: ServerFlags,
  topics: Topics,
): Promise<ChosenLink> {
  const { Connection } = await import("../mqtt/connection.ts");
  const broker = { url: brokerOf(flags), ...await caOf(flags) };
  const link = new Connection({
    ...broker,
    clientId: flags.name,
    subscriptions: serverSubscriptions(topics, flags.name),
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
    (warning) => log(`Warning: ${warning}`),
  );
  const version = () => link.mqttVersion === 5 ? "MQTT 5" : "MQTT 3.1.1";
  const how = () => `Joined ${link.description} (${version()})`;
  return { link, how, watch };
}

async function embedded(
  flags: ServerFlags,
  topics: Topics,
  listen: { host: string; port: number },
  why: string,
): Promise<ChosenLink> {
  const { createBroker } = await import("../mqtt/broker.ts");
  const link = createBroker({
    ...listen,
    subscriptions: serverSubscriptions(topics, flags.name),
    reserved: [`${topics.prefix}/server/#`, `${topics.prefix}/changes/#`],
    refused: (client, topic) =>
      log(`Refused a message of ${client} to ${topic}: the server's own topic`),
    dropped: (client = "A client", reason) =>
      log(`${client} was cut off: ${reason}`),
    sessionFull: (client) =>
      log(
        `Messages for ${client} are lost: it is away and too many wait for it`,
      ),
  });
  return { link, how: () => `Started the ${link.description}${why}` };
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

/** A line with the time of day, to the person who runs the server. */
function log(line: string): void {
  say(`${new Date().toISOString()} ${line}`);
}
