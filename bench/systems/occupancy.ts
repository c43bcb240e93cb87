import { Child, denoArgs, ROOT } from "../harness/child.ts";
import type { Member } from "../harness/cpu.ts";
import { startMosquitto } from "./mosquitto.ts";
import {
  disposeAll,
  freePort,
  PREFIX,
  type Start,
  type System,
  type Work,
} from "./system.ts";

/** Which broker a server works with. */
export type Transport = "mosquitto" | "embedded";

/** How our server is started. */
export interface OccupancyOptions {
  readonly transport: Transport;
  /** SQLite's commits are on disk (`--durability fsync`) before they are acknowledged. */
  readonly store: "memory" | "sqlite";
  /** The checkout that it is of; default: this one. */
  readonly root?: string;
}

/** Our server, as its users start it. */
export function occupancy(options: OccupancyOptions): Start {
  return async ({ folder }: Work): Promise<System> => {
    const { transport, store } = options;
    const started: AsyncDisposable[] = [];
    const members: Member[] = [];
    let port = freePort();
    let dropped: (() => Promise<number>) | undefined;
    let link = ["--listen", `127.0.0.1:${port}`];
    if (transport === "mosquitto") {
      const broker = await startMosquitto(folder);
      started.push(broker);
      members.push({ role: "broker", pid: broker.pid });
      port = broker.port;
      dropped = broker.dropped;
      link = ["--broker", `mqtt://127.0.0.1:${port}`];
    }
    const server = startServer({
      link,
      store: store === "memory" ? "memory:" : `sqlite:${folder}/map.sqlite`,
      ...(options.root !== undefined && { root: options.root }),
    });
    started.push(server);
    members.push({ role: "server", pid: server.pid });
    await server.says(READY);
    return {
      port,
      members,
      settled: (_messages, load) => load.ask(),
      ...(dropped && { dropped }),
      [Symbol.asyncDispose]: () => disposeAll(started),
    };
  };
}

/** What our server says when it has begun. */
export const READY = / Ready: /;

/** Starts our server as a process; it says {@linkcode READY} on stderr. */
export function startServer(
  { link, store, root = ROOT }: {
    /** The options that say which broker. */
    readonly link: readonly string[];
    /** As `--store` takes it. */
    readonly store: string;
    readonly root?: string;
  },
): Child {
  const args = ["server", "--name", "bench", "--prefix", PREFIX];
  return new Child(
    Deno.execPath(),
    denoArgs("main.ts", [...args, "--store", store, ...link], root),
    { lines: "stderr" },
  );
}
