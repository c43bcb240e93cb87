/**
 * Starts our server with the command that users run.
 *
 * @module
 */
import { freePort } from "../../tests/support/temp.ts";
import { Child, denoArgs, ROOT } from "../harness/child.ts";
import type { MeteredProcess } from "../harness/meter.ts";
import { startMosquitto } from "./mosquitto.ts";
import {
  disposeAll,
  PREFIX,
  type StartSystem,
  type TrialOptions,
} from "./system.ts";

/** The broker of a server. */
export type Transport = "mosquitto" | "embedded";

/** Options of {@linkcode occupancy}. */
export interface OccupancyOptions {
  readonly transport: Transport;
  /** With SQLite, readings are on disk before they are acknowledged. */
  readonly store: "memory" | "sqlite";
  /** Default `fsync`. */
  readonly durability?: "commit" | "fsync";
  /** The zones, as GeoJSON. Default: none. */
  readonly zones?: string | undefined;
  /** Whether it records the history of the map. Default: as by default. */
  readonly history?: boolean | undefined;
  /** The top of its checkout, with a slash at the end; default: this one. */
  readonly root?: string | undefined;
}

/** Our server and its broker. */
export function occupancy(options: OccupancyOptions): StartSystem {
  return async ({ folder }: TrialOptions) => {
    const { transport, store, durability, zones, history, root } = options;
    const started: AsyncDisposable[] = [];
    const processes: MeteredProcess[] = [];
    let port = freePort();
    let droppedMessages: (() => Promise<number>) | undefined;
    let link = ["--listen", `127.0.0.1:${port}`];
    if (transport === "mosquitto") {
      const broker = await startMosquitto(folder);
      started.push(broker);
      processes.push({ role: "broker", pid: broker.pid });
      port = broker.port;
      droppedMessages = broker.droppedMessages;
      link = ["--broker", `mqtt://127.0.0.1:${port}`];
    }
    if (durability !== undefined) link.push("--durability", durability);
    if (history === false) link.push("--no-history");
    if (zones !== undefined) {
      const file = `${folder}/zones.geojson`;
      await Deno.writeTextFile(file, zones);
      link.push("--zones", file);
    }
    const server = await startServer({
      link,
      store: store === "memory" ? "memory:" : `sqlite:${folder}/map.sqlite`,
      root,
    });
    started.push(server);
    processes.push({ role: "server", pid: server.pid });
    return {
      port,
      processes,
      waitUntilProcessed: (_messages, load) => load.request(),
      ...(droppedMessages && { droppedMessages }),
      [Symbol.asyncDispose]: () => disposeAll(started),
    };
  };
}

/** Options of {@linkcode startServer}. */
export interface ServerOptions {
  /** The value of `--name`. Default `bench`. */
  readonly name?: string;
  /** The options that select the broker, and others. */
  readonly link: readonly string[];
  /** The value of `--store`. */
  readonly store: string;
  readonly root?: string | undefined;
}

/** Starts our server and waits until it is ready. */
export async function startServer(
  { name = "bench", link, store, root = ROOT }: ServerOptions,
): Promise<Child> {
  const args = ["server", "--name", name, "--prefix", PREFIX];
  const server = new Child(
    Deno.execPath(),
    denoArgs("main.ts", [...args, "--store", store, ...link], root),
    { lines: "stderr" },
  );
  await server.waitForLine(/ Ready: /);
  return server;
}
