import type { ServerState, Topics } from "../protocol/mod.ts";
import { redactUrl } from "../mqtt/url.ts";
import { type ServerSigns, watchServer } from "./server_probe.ts";
import { type Manners, watchManners } from "./broker_info.ts";
import { Probe, type ProbeOptions, type ProbeTarget } from "./broker_probe.ts";

/** Where a server would listen. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What is examined. */
export interface ExaminationOptions {
  /** The broker that was named; undefined if none was. */
  readonly broker?: ProbeTarget;
  /** The broker that is joined if none is named and one answers. */
  readonly usual: ProbeTarget;
  /** Where the embedded broker was told to listen; undefined if it was not. */
  readonly listen?: Endpoint;
  /** Where it listens unless told otherwise. */
  readonly usualListen: Endpoint;
  /** Where the map was told to be shown over HTTP; false for nowhere. */
  readonly http?: Endpoint | false;
  /** Where it is shown unless told otherwise. */
  readonly usualHttp: Endpoint;
  readonly topics: Topics;
  /** The server's name. */
  readonly name: string;
  /** What a server subscribes to. */
  readonly subscriptions: readonly string[];
  /** `sqlite:PATH` or `memory:`; undefined if no folder is known for it. */
  readonly store: string | undefined;
  /** How long a server asks the broker to keep its session, s. */
  readonly sessionExpiry: number;
  /** The most ms that a reading may be ahead of the server's clock. */
  readonly maxSkew: number;
  /** Messages sent to a client that is away, to see how many wait for it. */
  readonly queue: number;
  /** How long one thing may take, ms. */
  readonly timeout: number;
}

/** What came of joining the broker. */
export type Joining =
  /** There is none, and none was named. */
  | { readonly kind: "none" }
  | { readonly kind: "failed"; readonly error: unknown }
  | {
    readonly kind: "joined";
    readonly probe: Probe;
    readonly target: ProbeTarget;
  };

/**
 * What several checks want to know, found out once: who wants it waits for it.
 */
export class Examination {
  readonly options: ExaminationOptions;
  /** Part of all names that are made up, so that they are nobody else's. */
  readonly id: string = `doctor-${crypto.randomUUID().slice(0, 8)}`;
  #joining: Promise<Joining> | undefined;
  #server: Promise<ServerSigns | undefined> | undefined;
  #manners: Promise<Manners | undefined> | undefined;
  #opened: Promise<Probe>[] = [];
  #leftovers: (() => Promise<void>)[] = [];

  constructor(options: ExaminationOptions) {
    this.options = options;
  }

  /** The broker, joined as a server would. */
  joining(): Promise<Joining> {
    return this.#joining ??= this.#join();
  }

  /** The joined broker's probe; undefined if there is none. */
  async probe(): Promise<Probe | undefined> {
    const joining = await this.joining();
    return joining.kind === "joined" ? joining.probe : undefined;
  }

  /** What servers under the prefix show of themselves; undefined without a broker. */
  server(): Promise<ServerSigns | undefined> {
    return this.#server ??= watchServer(this);
  }

  /** What the broker tells of itself; undefined without one. */
  manners(): Promise<Manners | undefined> {
    return this.#manners ??= watchManners(this);
  }

  /** The last state that a server has told; undefined if none has. */
  async serverState(): Promise<ServerState | undefined> {
    return (await this.server())?.states.at(-1);
  }

  /** Opens one more connection to the joined broker, closed at the end. */
  open(
    role: string,
    options: Partial<ProbeOptions> = {},
  ): Promise<Probe> {
    const opening = this.#open(role, options);
    this.#opened.push(opening);
    return opening;
  }

  /** Has something put back as it was when all is over, however it ends. */
  cleanUp(leftover: () => Promise<void>): void {
    this.#leftovers.push(leftover);
  }

  /** Puts everything back and ends all connections. */
  async close(): Promise<void> {
    for (const cleanUp of this.#leftovers.splice(0)) {
      await cleanUp().catch(() => {}); // the broker is gone, and told of
    }
    for (const opened of this.#opened.splice(0)) {
      await opened.then((probe) => probe.close(), () => {});
    }
  }

  async #open(role: string, options: Partial<ProbeOptions>): Promise<Probe> {
    const joining = await this.joining();
    if (joining.kind !== "joined") throw new Error("There is no broker");
    return await Probe.open({
      ...joining.target,
      version: joining.probe.version,
      clientId: `occupancy-${this.id}-${role}`,
      timeout: this.options.timeout,
      ...options,
    });
  }

  async #join(): Promise<Joining> {
    const { broker, listen, usual, timeout } = this.options;
    const target = broker ?? (listen ? { url: urlOf("mqtt", listen) } : usual);
    // Who named no broker may have none: then nobody listens there.
    if (broker === undefined && !await answers(target.url, timeout)) {
      return { kind: "none" };
    }
    const opening = Probe.open({
      ...target,
      clientId: `occupancy-${this.id}`,
      timeout,
    });
    this.#opened.push(opening);
    try {
      return { kind: "joined", probe: await opening, target };
    } catch (error) {
      // --listen wants a free port, not a broker.
      return listen ? { kind: "none" } : { kind: "failed", error };
    }
  }
}

/** How a broker is named to people. */
export function describe({ url }: ProbeTarget): string {
  return redactUrl(url);
}

/** How a client on this machine reaches who listens there. */
export function urlOf(
  scheme: "mqtt" | "http",
  { host, port }: Endpoint,
): string {
  const near = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${scheme}://${near.includes(":") ? `[${near}]` : near}:${port}`;
}

/** True if something takes connections there; not for ever waited for. */
async function answers(url: string, timeout: number): Promise<boolean> {
  const { hostname, port } = new URL(url);
  try {
    const connection = await Deno.connect({
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port),
      signal: AbortSignal.timeout(timeout),
    });
    connection.close();
    return true;
  } catch {
    return false;
  }
}
