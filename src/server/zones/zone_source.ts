/**
 * Notices that the servers of a shared store have zones from different files.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { inTurns, type Work } from "../../common/turns.ts";
import { toFeature, type Zones } from "../../zones/mod.ts";
import type { ServerContext } from "../context.ts";
import type { ZonePublisher } from "./zone_publisher.ts";
import { readSource } from "./zone_records.ts";

/** The leader's records change often: they are searched once in this time. */
const COMPARE_INTERVAL_MS = 10_000;
/** Zones that are hashed in about a millisecond. */
const STEP_ZONES = 50;
const HASH_LENGTH = 16;

/**
 * Compares the file of this server with that of the leader, whose zones are
 * published. Does nothing without a shared store.
 */
export class ZoneSource {
  readonly #context: Pick<ServerContext, "store" | "log" | "leadership">;
  readonly #publisher: Pick<ZonePublisher, "setSource">;
  readonly #file: string | undefined;
  /** Of the zones of the file; null without a file, undefined until known. */
  #hash: string | null | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** @param file undefined: the zones are those of the store */
  constructor(
    context: Pick<ServerContext, "store" | "log" | "leadership">,
    publisher: Pick<ZonePublisher, "setSource">,
    file: string | undefined,
  ) {
    this.#context = context;
    this.#publisher = publisher;
    this.#file = file;
  }

  /** Call when zones were put in force. */
  async set(zones: Zones): Promise<void> {
    const { shared, records } = this.#context.store;
    if (shared === undefined) return;
    if (this.#hash === undefined) {
      const onChange = () => this.#compareSoon();
      records?.shared?.observe("zone-memories", onChange);
    }
    const hash = this.#file === undefined ? null : await inTurns(hashOf(zones));
    if (hash === this.#hash || this.#stopped) return;
    this.#hash = hash;
    this.store();
    this.#compareSoon();
  }

  /** Stores it for the other servers, if this server leads. */
  store(): void {
    if (this.#hash === undefined) return;
    this.#publisher.setSource({ kind: "source", hash: this.#hash });
  }

  /** Compares nothing more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #compareSoon(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#compare();
    }, COMPARE_INTERVAL_MS);
  }

  #compare(): void {
    const { store, log, leadership } = this.#context;
    const hash = readSource(store.records)?.hash;
    if (leadership.isLeader || hash === undefined || hash === this.#hash) {
      return;
    }
    const file = this.#file;
    log.warnLimited(
      "zone-source",
      file === undefined
        ? "The leader has the zones of a file, and this server those of the store: start all servers with the same --zones FILE, or none"
        : hash === null
        ? `This server has the zones of ${file}, and the leader those of the store: start all servers with the same --zones FILE, or none`
        : `The zones of ${file} are others than those of the leader, which are published: use the same file on all servers`,
    );
  }
}

function* hashOf(zones: Zones): Work<string> {
  const hash = createHash("sha256");
  let count = 0;
  for (const zone of zones.values()) {
    hash.update(JSON.stringify(toFeature(zone)));
    if (++count % STEP_ZONES === 0) yield;
  }
  return hash.digest("hex").slice(0, HASH_LENGTH);
}
